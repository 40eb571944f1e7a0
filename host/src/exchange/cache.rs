//! `/4DSTATS`, `/4DHTMLSTATS` and `/4DCACHECLEAR`: what the page cache holds, and emptying it.

use ::http::HeaderValue;
use ::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};

use super::Next;
use super::admit::Visit;
use super::special::page;
use crate::admin::Admitted;
use crate::auth::Credentials;
use crate::files::Statistics;
use crate::http::{Peer, Reject, Request, Response};
use crate::response;
use crate::route::Special;
use crate::server::Receiver;

const HTML: &str = "text/html; charset=utf-8";
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Tessera access key\", charset=\"UTF-8\"");

/// Answers those who may know: who has the access key, or, where there is none, who is on this machine.
pub(super) async fn answer(
    receiver: &Receiver,
    visit: &Visit,
    special: &Special,
    request: &Request,
    peer: Peer,
) -> Result<Next, Reject> {
    if let Some(refusal) = refused(receiver, request, peer).await? {
        return Ok(Next::Respond(refusal));
    }
    let pages = visit.serving.pages.as_ref().ok_or(Reject::NotFound)?;
    let body = match special {
        Special::ClearCache => {
            pages.clear();
            "<!doctype html><title>Cache</title><p>The cache is empty.</p>\n".to_owned()
        }
        _ => {
            let without_pictures = *special == Special::PageStatistics;
            table(
                &pages.statistics(),
                pages.object_bytes_max(),
                without_pictures,
            )
        }
    };
    Ok(Next::Respond(page(HTML, body)))
}

/// The response to those who may not; `None` to those who may.
async fn refused(
    receiver: &Receiver,
    request: &Request,
    peer: Peer,
) -> Result<Option<Response>, Reject> {
    let is_here = peer.client.ip().to_canonical().is_loopback();
    let keeper = match &receiver.exchange.keeper {
        None if is_here => return Ok(None),
        None => return Err(Reject::Denied),
        Some(keeper) => keeper,
    };
    // In the clear the key would be everybody's on the way.
    if !peer.secured && !is_here {
        return Err(Reject::Denied);
    }
    let given = request.headers().contains_key(AUTHORIZATION);
    let key = given.then(|| Credentials::of(request.headers()).password);
    Ok(match keeper.admit(key.as_deref()).await {
        Admitted::Yes => None,
        Admitted::No => {
            let mut response = response::from_reject(Reject::Unauthorized, None);
            response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
            Some(response)
        }
        Admitted::Later(delay) => {
            let mut response = response::from_reject(Reject::Unavailable, None);
            let seconds = HeaderValue::from(delay.as_secs().max(1));
            response.headers_mut().insert(RETRY_AFTER, seconds);
            Some(response)
        }
    })
}

/// The table of the documents. Names of files are not in it.
fn table(statistics: &Statistics, object_bytes_max: u64, without_pictures: bool) -> String {
    let is_picture = |mime_type: &str| mime_type.starts_with("image/");
    let objects = statistics.objects.iter();
    let pictures = objects
        .filter(|object| is_picture(&object.mime_type))
        .count();
    let all = statistics.objects.len();
    let shown = if without_pictures {
        all - pictures
    } else {
        all
    };
    let mut rows = vec![
        ("Cache Current Size", statistics.current_size.to_string()),
        ("Cache Max Size", statistics.max_size.to_string()),
        ("Cached Object Max Size", object_bytes_max.to_string()),
        ("Cache Use", format!("{:.0}%", statistics.usage())),
        ("Cached Objects", shown.to_string()),
    ];
    if without_pictures {
        rows.push(("Filtered Objects", pictures.to_string()));
    }
    let rows = rows.iter();
    let rows = rows.map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>\n"));
    format!(
        "<!doctype html><title>Cache</title>\n<table>\n{}</table>\n",
        rows.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Object;

    #[test]
    fn pictures_are_counted_or_left_out() {
        let object = |mime_type: &str| Object {
            url: "/a".to_owned(),
            mime_type: mime_type.to_owned(),
            coding: None,
            length: 1,
            hits: 0,
            last_modified: None,
        };
        let statistics = Statistics {
            max_size: 1000,
            current_size: 250,
            loads: 3,
            objects: vec![
                object("text/html"),
                object("image/png"),
                object("image/gif"),
            ],
        };
        let all = table(&statistics, 500, false);
        for part in [
            "<th>Cache Current Size</th><td>250<",
            "<th>Cache Max Size</th><td>1000<",
            "<th>Cached Object Max Size</th><td>500<",
            "<th>Cache Use</th><td>25%<",
            "<th>Cached Objects</th><td>3<",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(!all.contains("Filtered"));
        let pages = table(&statistics, 500, true);
        assert!(pages.contains("<th>Cached Objects</th><td>1<"), "{pages}");
        assert!(pages.contains("<th>Filtered Objects</th><td>2<"), "{pages}");
    }
}
