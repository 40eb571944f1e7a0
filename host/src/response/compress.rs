//! Decides whether a response is compressed, and does it.

use ::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::media_type::MediaType;
use crate::http::{Accepting, Encoders, Response};
use crate::settings::Compression;

/// Types beside texts, JSON and XML that become smaller; others are compressed already, or nearly.
const TYPES: &[&str] = &[
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "application/wasm",
    "application/graphql",
    "application/json",
    "application/x-ndjson",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "application/toml",
    "application/sql",
    "application/rtf",
    "application/postscript",
    "application/vnd.ms-fontobject",
    "font/ttf",
    "font/otf",
    "font/collection",
    "image/bmp",
    "image/x-icon",
    "image/vnd.microsoft.icon",
];

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compressed {
    /// Whether the response depends on Accept-Encoding.
    pub(super) varies: bool,
    /// Content-Length; none if only sending the body will tell.
    pub(super) length: Option<u64>,
}

/// Compresses a response if that is wanted and worth it.
pub(super) fn compress(
    response: &mut Response,
    method: &Method,
    accepting: &Accepting,
    settings: Compression,
    encoders: &Encoders,
) -> Compressed {
    let status = response.status();
    let length = response.body().length();
    let as_it_is = |varies| Compressed { varies, length };
    let is_whole = status != StatusCode::NO_CONTENT;
    let Some(bytes @ 1..) = length else {
        return as_it_is(false);
    };
    let is_large = bytes >= settings.threshold;
    // Most answers of components end here: what costs more than a comparison comes after it.
    if status == StatusCode::PARTIAL_CONTENT {
        // Never compressed: what was asked for are bytes of the very content. The whole might have been.
        return as_it_is(may_have_been_compressed(response.headers()));
    }
    if !is_whole || !(is_large || accepting.may_refuse_identity()) {
        return as_it_is(false);
    }
    let representation = Representation::of(response.headers());
    if !representation.may_be_transformed {
        return as_it_is(false);
    }
    let is_worth_it = is_large && representation.is_compressible;
    let accepted = accepting.read();
    let Some(coding) = accepted.coding else {
        return as_it_is(is_worth_it);
    };
    if !is_worth_it && !accepted.refuses_identity {
        return as_it_is(false);
    }
    // Of what is not sent, only the head is as if it were.
    let is_sent = method != Method::HEAD && status != StatusCode::NOT_MODIFIED;
    if is_sent && !response.body_mut().encode(coding, settings.level, encoders) {
        return as_it_is(true);
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_ENCODING, coding.token());
    weaken_etag(headers);
    Compressed {
        varies: true,
        length: response.body().length().filter(|_| is_sent),
    }
}

/// Whether the whole of which a part is sent is of a type that is compressed; of several parts each says its type itself.
fn may_have_been_compressed(headers: &HeaderMap) -> bool {
    let is_in_parts =
        |value: &HeaderValue| MediaType::of(value.as_bytes()).is("multipart/byteranges");
    let content_type = headers.get(CONTENT_TYPE);
    content_type.is_some_and(|value| is_in_parts(value) || is_compressible(value))
}

/// What the fields of a response say of its body.
struct Representation {
    /// Whether the bytes are still what the representation is, and may be changed on their way.
    may_be_transformed: bool,
    /// Whether they are of a type that becomes smaller.
    is_compressible: bool,
}

impl Representation {
    /// Looks at each field once: there are few, and asking for one by its name takes as long.
    fn of(headers: &HeaderMap) -> Self {
        let mut is_final = false;
        let mut content_type = None;
        for (name, value) in headers {
            match *name {
                CONTENT_ENCODING | CONTENT_RANGE => is_final = true,
                CACHE_CONTROL => is_final |= says_no_transform(value),
                CONTENT_TYPE => content_type = content_type.or(Some(value)),
                _ => {}
            }
        }
        Self {
            may_be_transformed: !is_final,
            is_compressible: content_type.is_some_and(is_compressible),
        }
    }
}

fn says_no_transform(cache_control: &HeaderValue) -> bool {
    let directives = cache_control.to_str().unwrap_or_default().split(',');
    directives
        .map(str::trim)
        .any(|directive| directive.eq_ignore_ascii_case("no-transform"))
}

/// Whether contents of this type become smaller.
pub fn is_compressible(content_type: &HeaderValue) -> bool {
    let name = MediaType::of(content_type.as_bytes());
    // Events are to arrive one by one, which a coder would keep together.
    (name.starts_with("text/") && !name.is("text/event-stream"))
        || name.ends_with("+json")
        || name.ends_with("+xml")
        || TYPES.iter().any(|known| name.is(known))
}

/// The bytes are no longer those that the strong tag stands for: RFC 9110, section 8.8.1.
fn weaken_etag(headers: &mut HeaderMap) {
    let Some(tag) = headers.get_mut(ETAG) else {
        return;
    };
    if !tag.as_bytes().starts_with(b"W/")
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        *tag = weak;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Accepted;
    use crate::http::{Body, Coding};
    use Coding::Gzip;

    const SETTINGS: Compression = Compression {
        level: Some(1),
        threshold: 1000,
    };

    fn response(length: usize, fields: &[(&'static str, &'static str)]) -> Response {
        let mut response = Response::new(Body::from("x".repeat(length)));
        for (name, value) in fields {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(*name, value);
        }
        response
    }

    fn accepting(coding: Option<Coding>) -> Accepting {
        Accepting::Fields(Accepted {
            coding,
            liked: [false; 3],
            refuses_identity: false,
        })
    }

    fn run(response: &mut Response, method: &Method, accepting: Accepting) -> (bool, bool) {
        let encoders = Encoders::default();
        let compressed = compress(response, method, &accepting, SETTINGS, &encoders);
        let has_coding = response.headers().contains_key(CONTENT_ENCODING);
        (has_coding, compressed.varies)
    }

    #[test]
    fn what_becomes_smaller_is_compressed() {
        for (length, content_type, expected) in [
            (1000, Some("text/html; charset=utf-8"), true),
            (999, Some("text/html"), false),
            (0, Some("text/html"), false),
            (5000, Some("TEXT/CSS"), true),
            (5000, Some("application/json"), true),
            (5000, Some("application/problem+json"), true),
            (5000, Some("image/svg+xml"), true),
            (5000, Some("application/wasm"), true),
            (5000, Some("text/event-stream"), false),
            (5000, Some("image/png"), false),
            (5000, Some("application/octet-stream"), false),
            (5000, None, false),
        ] {
            let fields: Vec<_> = content_type
                .into_iter()
                .map(|it| ("content-type", it))
                .collect();
            for accepted in [Some(Gzip), None] {
                let mut response = response(length, &fields);
                let (has_coding, varies) = run(&mut response, &Method::GET, accepting(accepted));
                assert_eq!(
                    has_coding,
                    expected && accepted.is_some(),
                    "{content_type:?}"
                );
                assert_eq!(varies, expected, "{length} {content_type:?}");
            }
        }
    }

    #[test]
    fn some_answers_are_never_touched() {
        for (name, value) in [
            ("content-encoding", "br"),
            ("content-range", "bytes 0-9/10"),
            ("cache-control", "max-age=3, No-Transform"),
        ] {
            let mut response = response(5000, &[("content-type", "text/html"), (name, value)]);
            let before = response.headers().clone();
            let (_, varies) = run(&mut response, &Method::GET, accepting(Some(Gzip)));
            assert!(!varies && *response.headers() == before, "{name}");
            assert_eq!(response.body().length(), Some(5000));
        }
        // A part says what the whole depends on: RFC 9110, section 15.3.7.
        let part = StatusCode::PARTIAL_CONTENT;
        for (status, content_type, varies) in [
            (StatusCode::NO_CONTENT, "text/html", false),
            (part, "text/html", true),
            (part, "multipart/byteranges; boundary=x", true),
            (part, "image/png", false),
        ] {
            let mut response = response(5000, &[("content-type", content_type)]);
            *response.status_mut() = status;
            assert_eq!(
                run(&mut response, &Method::GET, accepting(Some(Gzip))),
                (false, varies),
                "{status} {content_type}"
            );
        }
    }

    #[test]
    fn a_compressed_variant_has_a_weak_tag() {
        for (tag, expected) in [("\"a\"", "W/\"a\""), ("W/\"a\"", "W/\"a\"")] {
            let fields = [("content-type", "text/html"), ("etag", tag)];
            let mut response = response(5000, &fields);
            run(&mut response, &Method::GET, accepting(None));
            assert_eq!(response.headers()[ETAG], tag);
            run(&mut response, &Method::GET, accepting(Some(Gzip)));
            assert_eq!(response.headers()[ETAG], expected);
        }
    }

    #[test]
    fn a_head_is_that_of_the_get_but_for_the_length() {
        let encoders = Encoders::default();
        let accepting = accepting(Some(Gzip));
        let of = |method: &Method| {
            let mut response = response(5000, &[("content-type", "text/html"), ("etag", "\"a\"")]);
            let compressed = compress(&mut response, method, &accepting, SETTINGS, &encoders);
            (response.headers().clone(), compressed)
        };
        let (get, head) = (of(&Method::GET), of(&Method::HEAD));
        assert_eq!(get.0, head.0);
        assert!(get.1.length.is_some_and(|length| length < 1000));
        assert_eq!(
            head.1,
            Compressed {
                varies: true,
                length: None
            }
        );
    }

    #[test]
    fn a_client_that_refuses_identity_gets_none() {
        let accepting = Accepting::Fields(Accepted {
            coding: Some(Gzip),
            liked: [false; 3],
            refuses_identity: true,
        });
        let mut response = response(5, &[("content-type", "image/png")]);
        assert_eq!(run(&mut response, &Method::GET, accepting), (true, true));
    }
}
