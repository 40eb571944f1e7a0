//! The last steps: what every response has, and what its method and status must not have.

use ::http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, Entry, SERVER,
    STRICT_TRANSPORT_SECURITY, VARY,
};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode, Version};

use super::compress::compress;
use super::error_page::{self, Form, OwnPages};
use crate::cors::Grant;
use crate::http::{Accepting, Body, Encoders, Request, Response};
use crate::rules::Plan;
use crate::settings::Responses;

const ON_CODING: &str = "Accept-Encoding";

/// What the Server field says.
pub const SERVER_NAME: HeaderValue =
    HeaderValue::from_static(concat!("Tessera/", env!("CARGO_PKG_VERSION")));

/// What a response must fit of its request, kept while the request is answered.
#[derive(Clone, Debug)]
pub struct Asked {
    method: Method,
    version: Version,
    accepting: Accepting,
    form: Form,
}

impl Asked {
    /// What the client said of codings.
    pub fn accepting(&self) -> &Accepting {
        &self.accepting
    }

    /// Keeps it.
    pub fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            version: request.version(),
            accepting: Accepting::of(request.headers()),
            form: Form::default(),
        }
    }

    /// Of a GET of HTTP/1.1, given its only Accept-Encoding, if it has one.
    pub fn of_get(codings: Option<&str>) -> Self {
        let field = codings.map(HeaderValue::from_str);
        Self {
            method: Method::GET,
            version: Version::HTTP_11,
            accepting: match field {
                Some(Ok(field)) => Accepting::Field(field),
                _ => Accepting::Anything,
            },
            form: Form::default(),
        }
    }

    /// Keeps in which form the client takes errors, too. Most responses are none.
    pub fn note_form(&mut self, headers: &HeaderMap) {
        self.form = Form::of(headers);
    }

    /// Whether it asked for the head only.
    pub fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// Whether the request is one of several that share their connection at the same time.
    pub fn is_multiplexed(&self) -> bool {
        self.version == Version::HTTP_2
    }
}

/// What else decides about the last steps.
pub struct Finish<'a> {
    /// The request.
    pub asked: Asked,
    /// What responses of the server that answered look like; none if it has stopped meanwhile.
    pub settings: Option<&'a Responses>,
    /// What pages of another host may do with the response.
    pub grant: Option<Grant>,
    /// `HSTSMaxAge` of the server that received the request, if TLS brought it.
    pub hsts: Option<u64>,
    /// The places for large bodies that are compressed.
    pub encoders: &'a Encoders,
    /// What rules say of the request.
    pub plan: &'a Plan,
    /// The server's own pages for errors.
    pub own_pages: Option<OwnPages<'a>>,
    /// It is a page whose head says all that follows from its content.
    pub is_final: bool,
}

/// Takes the last steps.
pub fn finish(response: &mut Response, finish: Finish<'_>) {
    let asked = finish.asked;
    let settings = finish.settings;
    finish.plan.set_status(response);
    error_page::complete(response, finish.own_pages, asked.form);
    // What became an error is no page any more.
    let is_final = finish.is_final && response.status().as_u16() < 400;
    let compressed = settings.filter(|_| !is_final).map(|settings| {
        compress(
            response,
            &asked.method,
            &asked.accepting,
            settings.compression,
            finish.encoders,
        )
    });
    let length = match compressed {
        Some(compressed) => compressed.length,
        None => response.body().length(),
    };
    let headers = response.headers_mut();
    if !is_final {
        headers.insert(SERVER, SERVER_NAME);
    }
    let has_cors = settings.is_some_and(|settings| settings.cors.is_some());
    vary(headers, has_cors, compressed.is_some_and(|it| it.varies));
    if let Some(grant) = finish.grant {
        grant.put_into(headers);
    }
    if let Some(seconds) = finish.hsts
        && let Ok(value) = HeaderValue::try_from(format!("max-age={seconds}"))
    {
        headers.insert(STRICT_TRANSPORT_SECURITY, value);
    }
    if asked.version == Version::HTTP_2 {
        // HTTP/2 has no such field; its connections end otherwise.
        headers.remove(CONNECTION);
    }
    // Of a whole page the length is that of its body, which is said without being asked for.
    if !is_final || asked.method != Method::GET || response.status() != StatusCode::OK {
        set_length(response, &asked.method, length);
    }
    finish.plan.change(response.headers_mut());
}

fn set_length(response: &mut Response, method: &Method, length: Option<u64>) {
    let status = response.status();
    let is_bodiless = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    match length {
        Some(length) if !is_bodiless => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        _ => {
            headers.remove(CONTENT_LENGTH);
        }
    }
    if status == StatusCode::NOT_MODIFIED {
        // They were needed to know what the whole response would be like; caches have them.
        headers.remove(CONTENT_TYPE);
        headers.remove(CONTENT_ENCODING);
    }
    if is_bodiless || method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
}

/// Says which fields of the request the response depends on, beside those that the answer names itself.
fn vary(headers: &mut HeaderMap, on_origin: bool, on_encoding: bool) {
    let names = match (on_origin, on_encoding) {
        (false, false) => return,
        (true, false) => "Origin",
        (false, true) => ON_CODING,
        (true, true) => "Origin, Accept-Encoding",
    };
    match headers.entry(VARY) {
        Entry::Vacant(place) => {
            place.insert(HeaderValue::from_static(names));
            return;
        }
        // As pages have it: one field, as if it were all said here.
        Entry::Occupied(mut place) if on_origin && place.iter().eq([ON_CODING]) => {
            place.insert(HeaderValue::from_static("Origin, Accept-Encoding"));
            return;
        }
        Entry::Occupied(_) => {}
    }
    for name in names.split(", ") {
        let is_named = |field: &HeaderValue| {
            let names = field.to_str().unwrap_or_default().split(',').map(str::trim);
            names
                .into_iter()
                .any(|one| one == "*" || one.eq_ignore_ascii_case(name))
        };
        if !headers.get_all(VARY).iter().any(is_named) {
            headers.append(VARY, HeaderValue::from_static(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Compression, Cors};

    fn settings(cors: Option<Cors>) -> Responses {
        Responses {
            compression: Compression {
                level: Some(1),
                threshold: 10,
            },
            cors,
            ..Responses::default()
        }
    }

    /// The way of a page of 5000 bytes.
    fn finished(
        method: Method,
        status: StatusCode,
        settings: &Responses,
        vary: &[&str],
    ) -> Response {
        let mut response = Response::new(match status {
            StatusCode::NOT_MODIFIED => Body::unsent(5000),
            _ => Body::from("x".repeat(5000)),
        });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        headers.insert("etag", HeaderValue::from_static("\"a\""));
        for value in vary {
            headers.append(VARY, value.parse().unwrap());
        }
        let finish = Finish {
            asked: Asked {
                method,
                version: Version::HTTP_11,
                accepting: Accepting::Field(HeaderValue::from_static("br")),
                form: Form::Page,
            },
            settings: Some(settings),
            grant: None,
            hsts: Some(31),
            encoders: &Encoders::default(),
            plan: &Plan::default(),
            own_pages: None,
            is_final: false,
        };
        super::finish(&mut response, finish);
        response
    }

    #[test]
    fn a_304_has_the_tag_and_the_vary_of_its_200() {
        let settings = settings(None);
        let get = finished(Method::GET, StatusCode::OK, &settings, &[]);
        let again = finished(Method::GET, StatusCode::NOT_MODIFIED, &settings, &[]);
        for name in ["etag", "vary"] {
            assert_eq!(get.headers()[name], again.headers()[name]);
        }
        assert_eq!(get.headers()["etag"], "W/\"a\"");
        for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH] {
            assert!(get.headers().contains_key(&name), "{name}");
            assert!(!again.headers().contains_key(&name), "{name}");
        }
        assert_eq!(again.body().length(), Some(0));
    }

    #[test]
    fn a_head_has_no_body_and_no_length_that_nobody_knows() {
        let head = finished(Method::HEAD, StatusCode::OK, &settings(None), &[]);
        assert_eq!(head.headers()[CONTENT_ENCODING], "br");
        assert!(!head.headers().contains_key(CONTENT_LENGTH));
        assert_eq!(head.body().length(), Some(0));
    }

    #[test]
    fn responses_name_what_they_depend_on_once() {
        let cors = || Some(Cors::default());
        for (cors, given, expected) in [
            (None, &[][..], &["Accept-Encoding"][..]),
            (cors(), &[], &["Origin, Accept-Encoding"]),
            (
                cors(),
                &["Cookie"],
                &["Cookie", "Origin", "Accept-Encoding"],
            ),
            (
                cors(),
                &["Cookie, origin"],
                &["Cookie, origin", "Accept-Encoding"],
            ),
            (cors(), &["Accept-Encoding"], &["Origin, Accept-Encoding"]),
            (cors(), &["*"], &["*"]),
        ] {
            let response = finished(Method::GET, StatusCode::OK, &settings(cors), given);
            let vary: Vec<_> = response.headers().get_all(VARY).iter().collect();
            assert_eq!(vary, expected);
        }
    }

    #[test]
    fn over_tls_browsers_are_told_to_stay_there() {
        let response = finished(Method::GET, StatusCode::NOT_FOUND, &settings(None), &[]);
        assert_eq!(response.headers()[STRICT_TRANSPORT_SECURITY], "max-age=31");
    }
}
