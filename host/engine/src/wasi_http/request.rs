//! A request as `wasi:http` 0.2 hands it to a guest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::uri::{Authority, PathAndQuery};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use wasmtime::component::Resource;
use wasmtime_wasi_http::p2::bindings::http::types::{IncomingRequest, ResponseOutparam, Scheme};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView};

use crate::body::BodyError;
use crate::call::Call;
use crate::state::State;

/// The two parameters of the handler, made of the current exchange.
pub(crate) fn resources(
    state: &mut State,
) -> wasmtime::Result<(Resource<IncomingRequest>, Resource<ResponseOutparam>)> {
    let exchange = &mut state.exchange;
    let scheme = match exchange.call.peer.secured {
        true => Scheme::Https,
        false => Scheme::Http,
    };
    let body = body(exchange);
    let request = request(&exchange.call, body)?;
    let responder = exchange.responder.take();
    let mut http = state.http();
    let request = http.new_incoming_request(scheme, request)?;
    let outparam = http.new_response_outparam_from_callback(move |head| {
        if let Some(responder) = responder {
            responder.send(head.map_err(|code| format!("{code:?}")));
        }
    })?;
    Ok((request, outparam))
}

/// The body as it comes from the network. A read that fails for its size is remembered: it has a status of its own.
pub(super) fn body(exchange: &mut crate::state::Exchange) -> WasiBody {
    let too_large = exchange.too_large.get_or_insert_default().clone();
    match exchange.body.rest() {
        None => Empty::<Bytes>::new()
            .map_err(|never| match never {})
            .boxed_unsync(),
        Some(body) => body
            .map_err(move |error| wasi_error(&error, &too_large))
            .boxed_unsync(),
    }
}

fn wasi_error(error: &BodyError, too_large: &Arc<AtomicBool>) -> Error {
    match error {
        BodyError::TooLarge => {
            too_large.store(true, Ordering::Relaxed);
            Error::HttpRequestBodySize(None)
        }
        BodyError::Incomplete(_) => Error::ConnectionTerminated,
    }
}

/// Head and body. The authority is the host that was asked, or the server's address where the client named none.
pub(super) fn request(call: &Call, body: WasiBody) -> wasmtime::Result<Request<WasiBody>> {
    let mut request = Request::new(body);
    *request.method_mut() = call.method.clone();
    *request.version_mut() = call.version;
    *request.headers_mut() = call.headers.map().clone();
    let asked = call.headers.map().get(HOST).map(HeaderValue::as_bytes);
    let authority = asked.and_then(|host| Authority::try_from(host).ok());
    let authority = match authority {
        Some(authority) => authority,
        None => Authority::try_from(match call.peer.server {
            std::net::IpAddr::V4(address) => address.to_string(),
            std::net::IpAddr::V6(address) => format!("[{address}]"),
        })?,
    };
    let mut parts = Uri::default().into_parts();
    parts.scheme = Some(match call.peer.secured {
        true => http::uri::Scheme::HTTPS,
        false => http::uri::Scheme::HTTP,
    });
    parts.authority = Some(authority);
    parts.path_and_query = Some(PathAndQuery::try_from(call.url.as_str())?);
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(host: Option<&str>, url: &str) -> String {
        let mut call = Call::outside_of_a_request();
        call.url = url.into();
        if let Some(host) = host {
            let mut fields = http::HeaderMap::new();
            fields.insert(HOST, host.parse().unwrap());
            call.headers = fields.into();
        }
        let body = Empty::<Bytes>::new();
        let body = body.map_err(|never| match never {}).boxed_unsync();
        request(&call, body).unwrap().uri().to_string()
    }

    #[test]
    fn guests_see_the_whole_url() {
        assert_eq!(
            uri(Some("example.com:8080"), "/a%20b?c=d"),
            "http://example.com:8080/a%20b?c=d"
        );
        assert_eq!(uri(None, "/"), "http://0.0.0.0/");
        assert_eq!(uri(Some("a b"), "/"), "http://0.0.0.0/");
    }
}
