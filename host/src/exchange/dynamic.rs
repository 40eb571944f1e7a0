//! Requests that a component answers: limits first, then the web process, then its answer or its failure.

use ::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HOST};
use ::http::{HeaderMap, HeaderValue};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tessera_engine::{Call, Generation, ProcessError, RequestBody, Target};

use super::admit::Visit;
use crate::auth::Credentials;
use crate::http::{
    Coding, DecodedBody, LimitedBody, Peer, Reject, Request, Response, UnknownCoding,
};
use crate::response;
use crate::server::{Kind, ProcessPermit, Receiver, WebServer};

/// `/4DACTION/Method/Param`. What is not available is refused before anything runs.
pub(super) async fn method(
    receiver: &Receiver,
    visit: Visit,
    request: Request,
    peer: Peer,
    name: &str,
    parameter: Option<String>,
) -> Response {
    let method = visit
        .serving
        .generation
        .as_ref()
        .and_then(|generation| generation.method(name));
    let name = match method {
        None => return response::from_reject(Reject::NotFound, None),
        Some(method) if !method.available => {
            tracing::debug!(
                server = visit.server.name(),
                method = name,
                "not available through tags and URLs"
            );
            return response::from_reject(Reject::MethodNotAvailable, None);
        }
        Some(method) => method.name.clone(),
    };
    run(
        receiver,
        visit,
        request,
        peer,
        Target::Method { name, parameter },
    )
    .await
}

/// On Web Connection.
pub(super) async fn connection(
    receiver: &Receiver,
    visit: Visit,
    request: Request,
    peer: Peer,
) -> Response {
    let has_hook = |generation: &std::sync::Arc<Generation>| generation.info().hooks.connection;
    if !visit.serving.generation.as_ref().is_some_and(has_hook) {
        return response::from_reject(Reject::NotFound, None);
    }
    run(receiver, visit, request, peer, Target::Connection).await
}

async fn run(
    receiver: &Receiver,
    visit: Visit,
    request: Request,
    peer: Peer,
    target: Target,
) -> Response {
    let Some(generation) = visit.serving.generation.clone() else {
        return response::from_reject(Reject::NotFound, None);
    };
    let Some(permits) = begin(receiver, &visit) else {
        return response::from_reject(Reject::Unavailable, None);
    };
    let (name, serving) = (visit.server.shared_name(), visit.serving.clone());
    let Ok(mut call) = call(receiver, visit, request, peer) else {
        return response::from_reject(Reject::UnknownCoding, None);
    };
    call.permit = Some(Box::new(permits));
    let (id, settings) = (call.id, &serving.web.responses);
    match generation.run(call, target).await {
        Ok(answer) => response::from_answer(answer, settings),
        Err(ProcessError::Unauthorized { reason, answer }) => {
            if let Some(reason) = reason {
                tracing::warn!(server = &*name, request = %format_args!("{id:016x}"), "On Web Authentication failed: {reason}");
            }
            response::from_refusal(*answer, settings)
        }
        Err(error) => failed(receiver, &name, id, &error),
    }
}

/// Takes a place under `maxConcurrentProcesses`: of the component, and of the host where its server handed the request
/// over.
fn begin(receiver: &Receiver, visit: &Visit) -> Option<(ProcessPermit, Option<ProcessPermit>)> {
    let take = |server: &WebServer| {
        let permit = server.processes().begin();
        if permit.is_none() {
            tracing::debug!(server = server.name(), "maxConcurrentProcesses reached");
        }
        permit
    };
    let own = take(&visit.server)?;
    let hosts = match receiver.server.kind() {
        Kind::Host => Some(take(&receiver.server)?),
        Kind::Component => None,
    };
    Some((own, hosts))
}

/// The one place where a guest's failure becomes a status and a line in the log. The line begins with server and
/// request: a backtrace is long, and the fields come after it.
fn failed(receiver: &Receiver, server: &str, id: u64, error: &ProcessError) -> Response {
    let request = format_args!("{id:016x}");
    let reject = match error {
        ProcessError::Unauthorized { .. } => Reject::Unauthorized,
        ProcessError::NoHook(_) => Reject::NotFound,
        ProcessError::BodyTooLarge => Reject::BodyTooLarge,
        ProcessError::Busy(_) => {
            tracing::warn!(server, %request, "{server}, request {request}: {error}");
            Reject::Unavailable
        }
        ProcessError::Deadline(_) => {
            tracing::warn!(server, %request, "{server}, request {request}: {error}");
            Reject::Deadline
        }
        ProcessError::Failed { .. }
        | ProcessError::Trap { .. }
        | ProcessError::OutOfMemory { .. }
        | ProcessError::Instantiate(_) => {
            tracing::error!(server, %request, "{server}, request {request}: {error}");
            Reject::Failed
        }
    };
    let details = receiver
        .exchange
        .shows_details
        .then(|| format!("request {request}\n{error}"));
    response::from_reject(reject, details.as_deref())
}

fn call(
    receiver: &Receiver,
    visit: Visit,
    request: Request,
    peer: Peer,
) -> Result<Call, UnknownCoding> {
    let (head, body) = request.into_parts();
    let mut headers = head.headers;
    let limit = visit.serving.web.requests.body_bytes_max;
    let body = request_body(&mut headers, body, limit.unwrap_or(u64::MAX))?;
    let credentials = Credentials::of(&headers);
    if let Some(prefix) = visit.prefix
        && let Ok(prefix) = HeaderValue::try_from(prefix)
    {
        headers.insert("x-forwarded-prefix", prefix);
    }
    if let Some(authority) = head.uri.authority()
        && let Ok(host) = HeaderValue::try_from(authority.as_str())
    {
        // HTTP/2 has no Host field, and where the request line has a host, that one counts.
        headers.insert(HOST, host);
    }
    Ok(Call {
        id: receiver.exchange.next_id(),
        method: head.method,
        url: visit.url,
        version: head.version,
        headers,
        body,
        peer: tessera_engine::Peer {
            client: peer.client.ip(),
            server: peer.server.ip(),
            secured: peer.secured,
        },
        user: credentials.user,
        password: credentials.password,
        receiving_server: receiver.server.shared_name(),
        permit: None,
    })
}

/// The body as the component reads it: decompressed, and of at most `limit` bytes before and after that.
fn request_body(
    headers: &mut HeaderMap,
    body: Incoming,
    limit: u64,
) -> Result<Option<RequestBody>, UnknownCoding> {
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
