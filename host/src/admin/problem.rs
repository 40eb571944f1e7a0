//! Errors as RFC 9457 problem documents.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::control::Refused;
use super::route::Takes;

/// What a PATCH may be sent as (RFC 5789).
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Why admin does not do what a request asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    /// What is wrong, for `errors`.
    refused: Box<[Refused]>,
    /// What a module imports beyond the version before, for `newImports`.
    imports: Box<[String]>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            refused: Box::default(),
            imports: Box::default(),
            header: None,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// With a field that lists something; methods and media types are all fit for one.
    fn with_list(self, name: HeaderName, list: &str) -> Self {
        match HeaderValue::from_str(list) {
            Ok(value) => self.with(name, value),
            Err(_) => self,
        }
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

    /// The page's cookie without its proof, or a request that another web page had a browser send.
    pub(super) fn forged() -> Self {
        let detail = "not let in by the cookie alone: log in to WebAdmin again, or send the access key as \
                      `Authorization: Bearer KEY`";
        Self::new(StatusCode::FORBIDDEN, detail)
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

    pub(super) fn nothing_at_health(path: &str) -> Self {
        let detail = format!("there is no {path} here, but /healthz and /readyz");
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn unknown_server(name: &str) -> Self {
        let detail = format!(
            "there is no web server {name}; GET /api/v1/servers or `tessera list` names all"
        );
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn unknown_session(id: &str) -> Self {
        let detail = format!("there is no session {id}; `tessera sessions NAME` lists all");
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The web server has no such log file.
    pub(super) fn no_log() -> Self {
        let detail = "there is no such log file; `files` of the answer without `file` names all";
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The settings of a web server that does not run are wrong.
    pub(super) fn wrong_settings(error: &str) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    /// So many pages follow that there is no place for another.
    pub(super) fn too_many_streams() -> Self {
        let detail = "too many streams are open: close a page, or try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(RETRY_AFTER, 5.into())
    }

    /// A module is being taken already.
    pub(super) fn deploying() -> Self {
        let detail = "another module is being deployed: try again when that is done";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(RETRY_AFTER, 5.into())
    }

    /// The disk does not do what is asked of it.
    pub(super) fn no_room(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// A module that cannot become a component; nothing was changed.
    pub(super) fn unfit(reason: &str) -> Self {
        let refused = Refused {
            key: None,
            value: None,
            reason: reason.to_owned(),
            place: None,
        };
        Self {
            refused: [refused].into(),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, reason)
        }
    }

    /// A module that imports what the version before does not; nothing was changed.
    pub(super) fn new_imports(imports: Vec<String>) -> Self {
        let detail = format!(
            "imports what the version that serves does not: {}; send it again with accept=true if that is wanted",
            imports.join(", ")
        );
        Self {
            imports: imports.into(),
            ..Self::new(StatusCode::CONFLICT, detail)
        }
    }

    /// Where sessions are kept fails; the log has the reason.
    pub(super) fn no_session_store() -> Self {
        let detail = "the store of sessions is not available; see the host's log";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// The path exists, but not with this method; `allowed` goes into `Allow`.
    pub(super) fn method_not_allowed(allowed: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("use {allowed}"))
            .with_list(ALLOW, allowed)
    }

    /// The body is not said to be JSON, or is compressed. Forms are refused by this too: they are what a web page can
    /// have a browser send anywhere.
    pub(super) fn unsupported_body(takes: Takes) -> Self {
        let types = takes.media_types().join(", ");
        let name = match takes {
            Takes::Patch => ACCEPT_PATCH,
            Takes::Settings | Takes::Module | Takes::Nothing => ACCEPT,
        };
        let what = match takes {
            Takes::Module => "a module",
            _ => "an uncompressed JSON object",
        };
        let detail = format!("send {what} with the Content-Type {types}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail).with_list(name, &types)
    }

    /// Session options that are wrong: all of them, and nothing was changed.
    pub(super) fn refused_settings(refused: Vec<Refused>) -> Self {
        let count = match refused.len() {
            1 => "a setting is".to_owned(),
            count => format!("{count} settings are"),
        };
        let detail = format!("{count} wrong, and nothing was changed; see errors");
        Self {
            refused: refused.into(),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
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

    /// The same for those who are not to know the names.
    pub(super) fn not_all_ready(count: usize) -> Self {
        let detail = match count {
            1 => "1 web server does not run".to_owned(),
            count => format!("{count} web servers do not run"),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// The process ends: whoever spreads requests over several should leave this one out.
    pub(super) fn draining() -> Self {
        let detail = "draining: the process ends after the requests in progress";
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
        let mut document = json!({
            "type": "about:blank",
            "title": problem.status.canonical_reason(),
            "status": problem.status.as_u16(),
            "detail": problem.detail,
        });
        if !problem.refused.is_empty() {
            document["errors"] = json!(*problem.refused);
        }
        if !problem.imports.is_empty() {
            document["newImports"] = json!(*problem.imports);
        }
        let mut response = Self::new(document.to_string().into());
        *response.status_mut() = problem.status;
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, kind);
        headers.extend(problem.header.map(|field| *field));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn document(response: Response<Full<Bytes>>) -> serde_json::Value {
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

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
        let document = document(response).await;
        let expected = json!({
            "type": "about:blank", "title": "Method Not Allowed", "status": 405, "detail": "use GET, HEAD",
        });
        assert_eq!(document, expected);
    }

    #[tokio::test]
    async fn wrong_settings_are_all_told() {
        let refused = |key: &str| Refused {
            key: Some(key.to_owned()),
            value: Some("0".to_owned()),
            reason: "must be from 1 to 9".to_owned(),
            place: None,
        };
        let problem = Problem::refused_settings(vec![refused("a"), refused("b")]);
        let response = Response::<Full<Bytes>>::from(problem);
        assert_eq!(response.status(), 422);
        let document = document(response).await;
        let error = |key| json!({"key": key, "value": "0", "reason": "must be from 1 to 9"});
        assert_eq!(document["errors"], json!([error("a"), error("b")]));
        assert!(document["detail"].as_str().unwrap().starts_with("2 "));
    }

    #[test]
    fn a_body_of_another_type_is_told_what_is_taken() {
        for (takes, name, expected) in [
            (Takes::Settings, "accept", "application/json"),
            (
                Takes::Patch,
                "accept-patch",
                "application/merge-patch+json, application/json",
            ),
        ] {
            let response = Response::<Full<Bytes>>::from(Problem::unsupported_body(takes));
            assert_eq!(response.status(), 415);
            assert_eq!(response.headers()[name], expected);
        }
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
