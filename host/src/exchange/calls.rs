//! From a request to what a component is told of it.

use std::sync::Arc;

use ::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, HOST, HeaderName};
use ::http::{HeaderMap, HeaderValue, Uri};
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;
use tessera_engine::{Call, Chain, Fields};

use super::admit::Visit;
use crate::auth::{Admission, Credentials};
use crate::http::{
    Coding, DecodedBody, FromInside, LimitedBody, Peer, PlainGet, Request, RequestBody,
    UnknownCoding,
};
use crate::server::Receiver;
use crate::traces::{Answering, Traced};

/// The mount's path, for components that make links.
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The component that sent a request from inside of this process.
const CALLER: HeaderName = HeaderName::from_static("x-tessera-caller");

/// Numbers of requests differ from one start of the process to the next, so that logs can be searched.
pub(super) fn first_id() -> u64 {
    let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(started.as_micros() << 12 & u128::from(u64::MAX)).unwrap_or_default()
}

/// Of a request, and its URL as it was received.
pub(super) fn call(
    receiver: &Receiver,
    visit: &Visit,
    request: Request,
    peer: Peer,
) -> Result<(Call, Uri), UnknownCoding> {
    let (head, body) = request.into_parts();
    let mut headers = head.headers;
    let limit = visit.serving.web.requests.body_bytes_max;
    let body = request_body(&mut headers, body, limit.unwrap_or(u64::MAX))?;
    let admission = head.extensions.get::<Admission>();
    let credentials = match admission {
        None => Credentials::of(&headers),
        Some(admission) => admission.credentials.clone(),
    };
    let is_admitted = admission.is_some_and(|it| it.is_known);
    if is_admitted {
        // It would tell the component the password, which is nobody's business any more.
        headers.remove(AUTHORIZATION);
    }
    join_cookies(&mut headers);
    // Ours to say, and nobody else's.
    headers.remove(FORWARDED_PREFIX);
    headers.remove(CALLER);
    let inside = head.extensions.get::<FromInside>();
    if let Some(inside) = inside
        && let Ok(caller) = HeaderValue::from_bytes(inside.caller.as_bytes())
    {
        headers.insert(CALLER, caller);
    }
    if let Some(prefix) = visit.prefix(&head.uri)
        && let Ok(prefix) = HeaderValue::try_from(prefix)
    {
        headers.insert(FORWARDED_PREFIX, prefix);
    }
    if let Some(authority) = head.uri.authority()
        && let Ok(host) = HeaderValue::try_from(authority.as_str())
    {
        // HTTP/2 has no Host field, and where the request line has a host, that one counts.
        headers.insert(HOST, host);
    }
    let call = Call {
        id: receiver.exchange.next_id(),
        method: head.method,
        url: visit.url(&head.uri),
        version: head.version,
        headers: headers.into(),
        body,
        peer: both_ends(peer),
        user: credentials.user,
        password: credentials.password,
        is_admitted,
        digest: admission.and_then(|it| it.digest.clone()),
        receiving_server: receiver.server.shared_name(),
        folder: None,
        chain: inside.map_or_else(Chain::default, |inside| inside.chain.clone()),
        sessions: visit.serving.sessions.clone().map(|it| it as _),
        context: None,
        stages: head
            .extensions
            .get::<Arc<Traced>>()
            .cloned()
            .map(|it| it as _),
        permit: None,
    };
    Ok((call, head.uri))
}

/// Of a request that is no more than its head.
pub(super) fn plain_call(
    receiver: &Receiver,
    visit: &Visit,
    request: &PlainGet<'_>,
    peer: Peer,
    trace: Option<&Answering>,
) -> Call {
    let lines = match (visit.prefix_of(request.target), trace) {
        (None, None) => Bytes::copy_from_slice(request.fields),
        (prefix, trace) => {
            let name: &[u8] = prefix.map_or(b"", |_| b"X-Forwarded-Prefix: ");
            let end: &[u8] = prefix.map_or(b"", |_| b"\r\n");
            let parent = trace.map(Answering::line).unwrap_or_default();
            let pieces = [
                request.fields,
                name,
                prefix.unwrap_or_default().as_bytes(),
                end,
                parent.as_bytes(),
            ];
            pieces.concat().into()
        }
    };
    let sessions = visit.serving.sessions.clone();
    let (id, name) = (receiver.exchange.next_id(), receiver.server.shared_name());
    let url = visit.url_below(request.target);
    Call {
        sessions: sessions.map(|it| it as _),
        stages: trace.map(|trace| trace.traced().clone() as _),
        ..Call::get(id, url, Fields::as_sent(lines), both_ends(peer), name)
    }
}

/// Puts together what browsers send in pieces over HTTP/2: RFC 9113, section 8.2.3.
fn join_cookies(headers: &mut HeaderMap) {
    let mut pieces = headers.get_all(COOKIE).iter();
    if let (Some(_), None) | (None, _) = (pieces.next(), pieces.next()) {
        return;
    }
    let pieces: Vec<_> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    // Pieces that are values make a value.
    if let Ok(whole) = HeaderValue::from_bytes(&pieces.join(&b"; "[..])) {
        headers.insert(COOKIE, whole);
    }
}

fn both_ends(peer: Peer) -> tessera_engine::Peer {
    tessera_engine::Peer {
        client: peer.client.ip(),
        server: peer.server.ip(),
        secured: peer.secured,
    }
}

/// The body as the component reads it: decompressed, and of at most `limit` bytes before and after that.
fn request_body(
    headers: &mut HeaderMap,
    body: RequestBody,
    limit: u64,
) -> Result<Option<tessera_engine::RequestBody>, UnknownCoding> {
    if body.is_end_stream() {
        return Ok(None);
    }
    let body = LimitedBody::new(body, limit);
    let Some(coding) = Coding::of_body(headers)? else {
        return Ok(Some(body.boxed_unsync()));
    };
    // What they say is no longer so.
    headers.remove(CONTENT_ENCODING);
    headers.remove(CONTENT_LENGTH);
    Ok(Some(DecodedBody::new(coding, body, limit).boxed_unsync()))
}
