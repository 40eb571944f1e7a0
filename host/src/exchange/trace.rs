//! TRACE: sends a request back as it came, for whoever wants to know what happens to it on its way.

use std::time::Duration;

use ::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION};
use ::http::{HeaderName, HeaderValue, Version, request};
use http_body_util::BodyExt;
use tessera_engine::BodyError;

use crate::http::{Body, LimitedBody, Reject, Request, Response};

/// Longest body that is sent back: nobody means a file.
const BODY_BYTES_MAX: u64 = 64 * 1024;
/// Longest wait for it: no other limit holds here, where no component runs.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// What is left out, as RFC 9110, section 9.3.8 wants it: a page that could have it sent back could steal it.
const SECRET_FIELDS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// Sends the request back.
pub(super) async fn echo(request: Request) -> Result<Response, Reject> {
    let (head, body) = request.into_parts();
    let reading = LimitedBody::new(body, BODY_BYTES_MAX).collect();
    let body = match tokio::time::timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(BodyError::TooLarge)) => return Err(Reject::BodyTooLarge),
        Ok(Err(BodyError::Incomplete(_))) => return Err(Reject::Malformed("the body ended early")),
        Err(_) => return Err(Reject::BodyLate),
    };
    let mut message = message_head(&head);
    message.extend_from_slice(&body);
    let mut response = Response::new(Body::from(message));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("message/http"));
    Ok(response)
}

/// Request line and fields as HTTP/1.1 writes them. HTTP/2 has no such line, and its host stands among the fields.
fn message_head(head: &request::Parts) -> Vec<u8> {
    let (version, authority) = match head.version {
        Version::HTTP_2 => ("HTTP/2.0", head.uri.authority()),
        Version::HTTP_10 => ("HTTP/1.0", None),
        _ => ("HTTP/1.1", None),
    };
    let target = match authority {
        Some(_) => head.uri.path_and_query().map_or("/", |path| path.as_str()),
        None => &head.uri.to_string(),
    };
    let mut message = format!("{} {target} {version}\r\n", head.method).into_bytes();
    if let Some(authority) = authority
        && !head.headers.contains_key(HOST)
    {
        push_field(&mut message, "host", authority.as_str().as_bytes());
    }
    for (name, value) in &head.headers {
        if !SECRET_FIELDS.contains(name) {
            push_field(&mut message, name.as_str(), value.as_bytes());
        }
    }
    message.extend_from_slice(b"\r\n");
    message
}

fn push_field(message: &mut Vec<u8>, name: &str, value: &[u8]) {
    message.extend_from_slice(name.as_bytes());
    message.extend_from_slice(b": ");
    message.extend_from_slice(value);
    message.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head_of(request: request::Builder) -> String {
        let (head, ()) = request.body(()).unwrap().into_parts();
        String::from_utf8(message_head(&head)).unwrap()
    }

    #[test]
    fn a_head_comes_back_without_its_secrets() {
        let request = ::http::Request::builder()
            .method("TRACE")
            .uri("/a?b=c")
            .header("Host", "shop.example")
            .header("Cookie", "a=secret")
            .header("Authorization", "Basic secret")
            .header("proxy-authorization", "Basic secret")
            .header("X-Way", "one")
            .header("X-Way", "two");
        assert_eq!(
            head_of(request),
            "TRACE /a?b=c HTTP/1.1\r\nhost: shop.example\r\nx-way: one\r\nx-way: two\r\n\r\n"
        );
    }

    #[test]
    fn http_2_is_written_as_http_1_is() {
        let request = ::http::Request::builder()
            .method("TRACE")
            .version(Version::HTTP_2)
            .uri("https://shop.example/a");
        assert_eq!(
            head_of(request),
            "TRACE /a HTTP/2.0\r\nhost: shop.example\r\n\r\n"
        );
    }
}
