//! What is sent of an error: the web server's own page, else a problem document for programs, else the built-in page.
//! The status and one sentence, and nothing that is internal.

use std::path::Path;

use ::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use ::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::files::ErrorPages;
use crate::http::weight;
use crate::http::{Body, Reject, Response};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Most members of Accept that are looked at; browsers send up to eight.
const MEMBERS_MAX: usize = 32;

/// Why there is no answer, kept with the response until its page is made.
#[derive(Clone)]
struct Refusal {
    reject: Reject,
    /// For developers: visitors get none.
    details: Option<String>,
}

/// The form in which a client takes errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// A page.
    #[default]
    Page,
    /// A document as RFC 9457 has it.
    Problem,
}

/// Where a web server's own pages are.
#[derive(Clone, Copy)]
pub struct OwnPages<'a> {
    /// What was found of them.
    pub pages: &'a ErrorPages,
    /// The HTML root.
    pub root: &'a Path,
}

/// A response without a body; [`complete`] gives it one.
pub(super) fn refused(reject: Reject, details: Option<&str>) -> Response {
    let mut response = Response::default();
    *response.status_mut() = reject.status();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let details = details.map(str::to_owned);
    response
        .extensions_mut()
        .insert(Refusal { reject, details });
    response
}

/// Gives an error its page. What has a body keeps it.
pub(super) fn complete(response: &mut Response, own: Option<OwnPages<'_>>, form: Form) {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if response.extensions().is_empty() && !is_error {
        return;
    }
    let refusal = response.extensions_mut().remove::<Refusal>();
    if response.body().length() != Some(0) || (refusal.is_none() && !is_error) {
        return;
    }
    if form == Form::Page
        && is_error
        && refusal
            .as_ref()
            .is_none_or(|refusal| refusal.details.is_none())
        && let Some(page) = own.and_then(|own| own.pages.find(own.root, status))
    {
        *response.body_mut() = Body::from(page);
        response.headers_mut().insert(CONTENT_TYPE, HTML);
        return;
    }
    // A component that names a type means its body to be empty.
    if refusal.is_none() && response.headers().contains_key(CONTENT_TYPE) {
        return;
    }
    // Of a component that answers with a status alone, and of the conditions of files, there is nothing more to say; and
    // under another status the sentence would be about something else.
    let reason = refusal.as_ref().map(|refusal| refusal.reject);
    let text = reason
        .filter(|reason| status == reason.status())
        .map(Reject::visitor_text);
    let details = refusal.as_ref().and_then(|it| it.details.as_deref());
    let (body, content_type) = match form {
        Form::Page => (built_in(status, text, details), HTML),
        Form::Problem => (problem(status, text, details), PROBLEM),
    };
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    if form == Form::Problem {
        headers.append(VARY, HeaderValue::from_static("Accept"));
    }
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

fn built_in(status: StatusCode, text: Option<&str>, details: Option<&str>) -> String {
    let title = title(status);
    let code = status.as_u16();
    let text = text
        .map(|text| format!("<p>{}</p>", escaped(text)))
        .unwrap_or_default();
    let details = details
        .map(|details| format!("<pre>{}</pre>", escaped(details)))
        .unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{code} {title}</title>\
         <style>:root{{color-scheme:light dark;font:1.1rem/1.6 system-ui,sans-serif}}\
         body{{max-width:44rem;margin:18vh auto 0;padding:0 1.5rem}}h1{{font-size:1.8rem;margin:0}}\
         pre{{overflow:auto;font-size:.8rem;line-height:1.4}}</style></head>\
         <body><h1>{code} {title}</h1>{text}{details}</body></html>\n"
    )
}

fn problem(status: StatusCode, text: Option<&str>, details: Option<&str>) -> String {
    let mut problem = json!({
        "type": "about:blank",
        "title": title(status),
        "status": status.as_u16(),
    });
    for (name, value) in [("detail", text), ("development", details)] {
        if let Some(value) = value {
            problem[name] = value.into();
        }
    }
    problem.to_string()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

impl Form {
    /// The form that a client would rather have. JSON must be named, and be liked no less than HTML; where both are
    /// named and liked the same, it is a page.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut json, mut html, mut others) = (0, None, 0);
        let fields = headers.get_all(ACCEPT).iter();
        let members = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','));
        for member in members.take(MEMBERS_MAX) {
            let mut parts = member.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality = parts
                .filter_map(|parameter| parameter.split_once('='))
                .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
                .map_or(Some(1000), |(_, value)| weight(value.trim()));
            let quality = quality.unwrap_or(0);
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if is("application/problem+json") || is("application/json") {
                json = json.max(quality);
            } else if is("text/html") {
                html = Some(quality);
            } else if is("text/*") || is("*/*") {
                others = others.max(quality);
            }
        }
        let is_preferred = match html {
            Some(html) => json > html,
            None => json > 0 && json >= others,
        };
        if is_preferred {
            Self::Problem
        } else {
            Self::Page
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[test]
    fn nothing_in_a_page_is_taken_for_markup() {
        assert_eq!(
            escaped("<a href=\"x\">&</a>"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;"
        );
    }

    #[test]
    fn json_is_for_those_who_would_rather_have_it() {
        for (accept, expected) in [
            ("application/json", Form::Problem),
            ("application/problem+json", Form::Problem),
            ("Application/JSON; charset=utf-8", Form::Problem),
            ("application/json, text/plain, */*", Form::Problem),
            ("application/json;q=0.9, text/html;q=0.8", Form::Problem),
            (
                "application/problem+json, application/json;q=0.1, text/html;q=0.5",
                Form::Problem,
            ),
            ("text/html, application/json", Form::Page),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Form::Page,
            ),
            ("application/json;q=0.5, text/html", Form::Page),
            ("application/json;q=0.5, */*", Form::Page),
            ("application/json;q=0", Form::Page),
            ("application/json;q=x", Form::Page),
            ("*/*", Form::Page),
            ("", Form::Page),
            (",;,=;q=,", Form::Page),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Form::of(&headers), expected, "{accept}");
        }
        assert_eq!(Form::of(&HeaderMap::new()), Form::Page);
    }

    async fn body(response: Response) -> String {
        let body = response.into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_refusal_becomes_a_page_or_a_problem() {
        let mut response = refused(Reject::NotFound, Some("a <trap>"));
        complete(&mut response, None, Form::Page);
        assert_eq!(response.headers()[CONTENT_TYPE], HTML);
        let page = body(response).await;
        assert!(page.contains(
            "<h1>404 Not Found</h1><p>There is nothing at this address.</p><pre>a &lt;trap&gt;"
        ));

        let mut response = refused(Reject::NotFound, None);
        complete(&mut response, None, Form::Problem);
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM);
        assert_eq!(response.headers()[VARY], "Accept");
        let problem: serde_json::Value = serde_json::from_str(&body(response).await).unwrap();
        let expected = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "detail": "There is nothing at this address.",
        });
        assert_eq!(problem, expected);
    }

    #[tokio::test]
    async fn under_another_status_the_reason_is_not_told() {
        let mut response = refused(Reject::Denied, None);
        *response.status_mut() = StatusCode::NOT_FOUND;
        complete(&mut response, None, Form::Page);
        let page = body(response).await;
        assert!(
            page.contains("404 Not Found") && !page.contains("denied"),
            "{page}"
        );
    }

    #[tokio::test]
    async fn pages_of_ones_own_are_for_errors_without_a_body() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("4xx.html"), "own").unwrap();
        let pages = ErrorPages::default();
        let own = Some(OwnPages {
            pages: &pages,
            root: root.path(),
        });
        let page = async |mut response: Response, status: u16, form: Form| {
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            complete(&mut response, own, form);
            body(response).await
        };
        let with_body = || Response::new(Body::from("mine"));
        let refusal = |details| refused(Reject::NotFound, details);
        assert_eq!(page(refusal(None), 404, Form::Page).await, "own");
        assert_eq!(page(Response::default(), 418, Form::Page).await, "own");
        let bare = page(Response::default(), 418, Form::Problem).await;
        assert_eq!(
            bare,
            r#"{"status":418,"title":"I'm a teapot","type":"about:blank"}"#
        );
        let bare = page(Response::default(), 500, Form::Page).await;
        assert!(
            bare.contains("<h1>500 Internal Server Error</h1></body>"),
            "{bare}"
        );
        let mut empty = Response::default();
        let plain = HeaderValue::from_static("text/plain");
        empty.headers_mut().insert(CONTENT_TYPE, plain);
        assert_eq!(page(empty, 500, Form::Page).await, "");
        assert_eq!(page(Response::default(), 200, Form::Page).await, "");
        assert_eq!(page(with_body(), 404, Form::Page).await, "mine");
        // While a site is made its developer sees why.
        assert!(
            page(refusal(Some("why")), 404, Form::Page)
                .await
                .contains("why")
        );
        assert!(
            page(refusal(None), 404, Form::Problem)
                .await
                .starts_with('{')
        );
    }
}
