//! Errors as RFC 9457 problem documents.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::json;

/// Why admin does not do what a request asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            header: None,
        }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The request came by a name that is not this machine's: a web page that has its own name lead here.
    pub(super) fn foreign_host() -> Self {
        let detail = "admin answers to localhost and loopback addresses only; mind the Host header";
        Self::new(StatusCode::MISDIRECTED_REQUEST, detail)
    }

    /// No key, or not the key.
    pub(super) fn no_access() -> Self {
        let detail = "send the access key of this site as `Authorization: Bearer KEY`";
        Self::new(StatusCode::UNAUTHORIZED, detail)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// So many wrong keys that this one is not even let wait.
    pub(super) fn too_many_failures(seconds: u64) -> Self {
        let detail = "too many wrong access keys: wait before the next one";
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).with(RETRY_AFTER, seconds.into())
    }

    pub(super) fn nothing_here(path: &str) -> Self {
        let detail = format!("there is no {path} here; the API begins with /api/v1/");
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn unknown_server(name: &str) -> Self {
        let detail = format!(
            "there is no web server {name}; GET /api/v1/servers or `tessera list` names all"
        );
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The path exists, but not with this method; `allowed` goes into `Allow`.
    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("use {allowed}"))
            .with(ALLOW, HeaderValue::from_static(allowed))
    }

    pub(super) fn body_too_large(bytes_max: usize) -> Self {
        let detail = format!("a request to admin has at most {bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    pub(super) fn bad_body(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn body_timeout() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "the request did not end in time",
        )
    }

    pub(super) fn not_ready(servers: &[String]) -> Self {
        let detail = format!("not running: {}", servers.join(", "));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// Something of our own broke; the log has the reason.
    pub(super) fn internal() -> Self {
        let detail = "the request could not be finished; see the host's log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

impl From<Problem> for Response<Full<Bytes>> {
    fn from(problem: Problem) -> Self {
        // With `about:blank` the title is the status's own phrase, says section 4.2.1.
        let document = json!({
            "type": "about:blank",
            "title": problem.status.canonical_reason(),
            "status": problem.status.as_u16(),
            "detail": problem.detail,
        });
        let mut response = Self::new(document.to_string().into());
        *response.status_mut() = problem.status;
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, kind);
        headers.extend(problem.header);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_problem_is_a_document() {
        let problem = Problem::method_not_allowed("GET, HEAD");
        let response = Response::<Full<Bytes>>::from(problem);
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET, HEAD");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "type": "about:blank", "title": "Method Not Allowed", "status": 405, "detail": "use GET, HEAD",
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn a_refusal_names_its_scheme() {
        let response = Response::<Full<Bytes>>::from(Problem::no_access());
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let response = Response::<Full<Bytes>>::from(Problem::too_many_failures(3));
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["retry-after"]
            ),
            (429, &HeaderValue::from(3))
        );
    }
}
