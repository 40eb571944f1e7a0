//! A component of the Tessera world that calls other ones: `/HOST/PATH` answers with what `http://HOST/PATH` says.

use tessera_guest::prelude::*;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

#[on_web_connection]
fn caller(call: &WebCall) -> impl Reply {
    let (host, path) = call.path()[1..].split_once('/').unwrap_or_default();
    match fetch(host, &format!("/{path}")) {
        Ok((status, body)) => text(format!("{status} {body}")),
        Err(code) => text(format!("{code:?}")),
    }
}

fn fetch(host: &str, path: &str) -> Result<(u16, String), ErrorCode> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(Some(host)).unwrap();
    request.set_path_with_query(Some(path)).unwrap();
    let future = outgoing_handler::handle(request, None)?;
    future.subscribe().block();
    let response = future.get().unwrap().unwrap()?;
    let body = response.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut text = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(piece) => text.extend(piece),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(ErrorCode::InternalError(Some(format!("{error:?}")))),
        }
    }
    Ok((
        response.status(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}
