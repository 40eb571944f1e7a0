//! The URLs that every web server answers by itself, whatever files and components there are.

use ::http::header::{CACHE_CONTROL, CONTENT_TYPE, USER_AGENT, X_CONTENT_TYPE_OPTIONS};
use ::http::{HeaderValue, Method};

use super::Next;
use super::admit::Visit;
use crate::http::{Body, Peer, Reject, Request, Response};
use crate::response::{self, SERVER_NAME};
use crate::route::Special;
use crate::server::Receiver;

/// Most bytes of a client's name that `/4DWEBTEST` gives back.
const AGENT_BYTES_MAX: usize = 512;

/// Answers one of the URLs that need no component.
pub(super) async fn built_in(
    receiver: &Receiver,
    visit: &Visit,
    special: &Special,
    request: &Request,
    peer: Peer,
) -> Result<Next, Reject> {
    match *request.method() {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => {
            let trace = visit.serving.web.requests.trace;
            return Ok(Next::Respond(response::options(trace)));
        }
        _ => return Err(Reject::MethodNotAllowed),
    }
    match special {
        Special::WebTest => Ok(Next::Respond(web_test(request, peer))),
        Special::Blank => Ok(Next::Respond(page("text/html; charset=utf-8", ""))),
        _ => super::cache::answer(receiver, visit, special, request, peer).await,
    }
}

/// Date, server and client, in the header and as text.
fn web_test(request: &Request, peer: Peer) -> Response {
    let agent = request.headers().get(USER_AGENT);
    let agent = agent.map_or(&b"-"[..], HeaderValue::as_bytes);
    let agent = agent.get(..AGENT_BYTES_MAX).unwrap_or(agent);
    let client = peer.client.ip().to_canonical();
    let shown = [agent, format!(" @ {client}").as_bytes()].concat();
    let text = format!(
        "Date: {}\r\nServer: {}\r\nUser-Agent: {}\r\n",
        httpdate::fmt_http_date(std::time::SystemTime::now()),
        SERVER_NAME.to_str().unwrap_or_default(),
        String::from_utf8_lossy(&shown),
    );
    let mut response = page("text/plain; charset=utf-8", text);
    // What came in a field may stand in one.
    if let Ok(shown) = HeaderValue::from_bytes(&shown) {
        response.headers_mut().insert(USER_AGENT, shown);
    }
    response
}

/// A page that is never the same for long.
pub(super) fn page(content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
