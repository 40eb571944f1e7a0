//! WebAdmin: the page that shows and steers the site in a browser, and how one logs in to it.

mod assets;
mod events;
mod visits;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY,
    RETRY_AFTER, SET_COOKIE, X_FRAME_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::entry::{self, Entry};
use super::problem::Problem;
use assets::Assets;

pub(super) use events::{EventBody, Events};
pub(super) use visits::{Known, Visitor, Visits};

const HOME: &str = "/webadmin/";
const LOGIN: &str = "/webadmin/login";
const LOGOUT: &str = "/webadmin/logout";
/// A key has at most 256 characters.
const FORM_BYTES_MAX: usize = 4096;
const FORM_TIMEOUT: Duration = Duration::from_secs(10);
/// Scripts, styles and data come from the binary alone, and nobody else may show the page within theirs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the page is made of.
#[derive(Debug)]
pub(super) struct Page {
    assets: Assets,
    pub(super) visits: Visits,
    /// The name of the cookie. Browsers send cookies to all ports of a host name: each host has one of its own.
    pub(super) cookie: String,
    pub(super) events: Events,
}

impl Page {
    /// The page of the admin endpoint at a port.
    pub(super) fn new(port: u16) -> Self {
        Self {
            assets: Assets::new(),
            visits: Visits::default(),
            cookie: format!("tessera-webadmin-{port}"),
            events: Events::default(),
        }
    }

    /// Answers a request for the page; `None` if it is for something else.
    pub(super) async fn answer(
        &self,
        entry: &Entry<'_>,
        head: &Parts,
        body: &mut Option<Incoming>,
    ) -> Option<Result<Response<Full<Bytes>>, Problem>> {
        let path = head.uri.path();
        let is_read = head.method == Method::GET || head.method == Method::HEAD;
        let is_post = head.method == Method::POST;
        let answer = match path {
            "/" | "/webadmin" if is_read => Ok(redirect(HOME)),
            HOME if is_read => Ok(match entry.visitor(&head.headers) {
                Known::Nobody => redirect(LOGIN),
                Known::Visitor(_) | Known::Unproven => document(assets::PAGE.into()),
            }),
            LOGIN if is_read => Ok(document(assets::login(None))),
            LOGIN if is_post => self.log_in(entry, head, body.take()).await,
            LOGOUT if is_post => self.log_out(entry, head).await,
            "/" | "/webadmin" | HOME => Err(Problem::method_not_allowed("GET, HEAD")),
            LOGIN => Err(Problem::method_not_allowed("GET, HEAD, POST")),
            LOGOUT => Err(Problem::method_not_allowed("POST")),
            _ => {
                let name = path.strip_prefix(HOME)?;
                match self.assets.find(name, &head.headers) {
                    Some(response) if is_read => Ok(response),
                    Some(_) => Err(Problem::method_not_allowed("GET, HEAD")),
                    None => Err(Problem::nothing_here(path)),
                }
            }
        };
        Some(answer.map(secured))
    }

    /// Takes the key of the form, and begins a session.
    async fn log_in(
        &self,
        entry: &Entry<'_>,
        head: &Parts,
        body: Option<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        if !entry::is_of_own_page(&head.headers) {
            return Err(Problem::forged());
        }
        let body = match body {
            Some(body) => read(body).await?,
            None => Bytes::new(),
        };
        let key = field(&body, "key").unwrap_or_default();
        if let Err(problem) = entry.key(Some(&key)).await {
            return Ok(refused(&problem));
        }
        let halves = self.visits.open(Instant::now());
        let halves = halves.ok_or_else(Problem::internal)?;
        let cookie = format!(
            "{}={}; Path=/; HttpOnly; SameSite=Strict",
            self.cookie, halves.cookie
        );
        // The part behind # is not sent to anybody: the page takes it from there, and away.
        let mut response = redirect(&format!("{HOME}#proof={}", halves.proof));
        let cookie = HeaderValue::try_from(cookie).map_err(|_| Problem::internal())?;
        response.headers_mut().insert(SET_COOKIE, cookie);
        tracing::info!("somebody has logged in to WebAdmin");
        Ok(response)
    }

    /// Ends the session of the page that asks.
    async fn log_out(
        &self,
        entry: &Entry<'_>,
        head: &Parts,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        if let entry::Asker::Page(visitor) = entry.admit(head).await? {
            self.visits.end(visitor);
        }
        let mut response = redirect(LOGIN);
        let cookie = format!(
            "{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
            self.cookie
        );
        let cookie = HeaderValue::try_from(cookie).map_err(|_| Problem::internal())?;
        response.headers_mut().insert(SET_COOKIE, cookie);
        Ok(response)
    }
}

/// What every answer of the page says to browsers.
fn secured(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(POLICY);
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not `no-referrer`: browsers would hide the origin of the login form, too.
    let policy = HeaderValue::from_static("same-origin");
    headers.insert(REFERRER_POLICY, policy);
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn document(text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(text.into());
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn redirect(to: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // Paths of ours, and letters that are fit for a URL.
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

/// The login once more, with what was wrong.
fn refused(problem: &Problem) -> Response<Full<Bytes>> {
    let text = match problem.status() {
        StatusCode::TOO_MANY_REQUESTS => "Too many wrong keys. Wait a little before the next one.",
        _ => "That is not the access key of this site.",
    };
    let mut response = document(assets::login(Some(text)));
    *response.status_mut() = problem.status();
    if problem.status() == StatusCode::TOO_MANY_REQUESTS {
        let seconds = HeaderValue::from_static("5");
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

async fn read(body: Incoming) -> Result<Bytes, Problem> {
    let reading = Limited::new(body, FORM_BYTES_MAX).collect();
    match tokio::time::timeout(FORM_TIMEOUT, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(Problem::body_too_large(FORM_BYTES_MAX)),
        Err(_) => Err(Problem::body_timeout()),
    }
}

/// A field of a form.
fn field(form: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    form.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8().ok()?;
        (key == name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_form_is_decoded() {
        for (form, expected) in [
            ("key=abc", Some("abc")),
            ("a=b&key=%41+b%2B&key=no", Some("A b+")),
            ("key=%20pasted%0d%0a", Some("pasted")),
            ("key", None),
            ("keys=a", None),
            ("key=%ff", None),
            ("", None),
        ] {
            let found = field(form.as_bytes(), "key");
            assert_eq!(found.as_deref(), expected, "{form}");
        }
    }
}
