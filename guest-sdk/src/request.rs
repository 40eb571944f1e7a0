//! The request that is being answered.
//!
//! A web process serves one request, so these are plain functions. Each asks the host: keep what is needed twice.

use std::time::Duration;

use crate::host::request as host;
pub use crate::parts::{BodyPart, BodyReader, PartReader, Parts, file, parts};
use crate::types::{BodyError, HeaderField, Variable, split_url};

/// The method, in upper case as received: `GET`, `POST`, ...
pub fn method() -> String {
    host::method()
}

/// Path and query of the URL, as received, with a leading slash; without the prefix of the mount.
pub fn url() -> String {
    host::url()
}

/// The URL up to the question mark, not decoded.
pub fn path() -> String {
    let mut url = host::url();
    url.truncate(split_url(&url).0.len());
    url
}

/// The URL behind the question mark, not decoded; empty if there is none.
pub fn query() -> String {
    split_url(&host::url()).1.to_owned()
}

/// The protocol: `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`.
pub fn version() -> String {
    host::version()
}

/// The value of one header field; several of the same name are joined by `, `, Cookie by `; `.
pub fn header(name: &str) -> Option<String> {
    host::header(name)
}

/// All header fields in the order received, after `X-METHOD`, `X-URL` and `X-VERSION`.
pub fn headers() -> Vec<HeaderField> {
    host::headers()
}

/// The head as text: the request line, then the fields, each line ended by CR LF.
pub fn raw_header() -> String {
    host::raw_header()
}

/// The fields of a posted form, or the parameters of the query if there is no form; decoded, in order.
pub fn variables() -> Result<Vec<Variable>, BodyError> {
    host::variables()
}

/// The first variable of that name; none if there is none or the body cannot be read.
///
/// Reads all of them. For several use [`variables`].
pub fn variable(name: &str) -> Option<String> {
    let variables = host::variables().ok()?;
    let found = variables.into_iter().find(|variable| variable.name == name);
    found.map(|variable| variable.value)
}

/// The whole body; not to be had once the parts of one over 256 KiB were read.
pub fn body() -> Result<Vec<u8>, BodyError> {
    host::body()
}

/// The whole body as text; what is not UTF-8 in it becomes U+FFFD.
pub fn body_text() -> Result<String, BodyError> {
    host::body().map(crate::parts::text)
}

/// The whole body, read as JSON, whatever its type. What does not parse is a fault; [`Json`](crate::Json) refuses it.
#[cfg(feature = "json")]
pub fn body_json<T: serde::de::DeserializeOwned>() -> Result<T, crate::Error> {
    Ok(serde_json::from_slice(&host::body()?)?)
}

/// The next piece of the body as it arrives, at most `max` bytes and at most 1 MiB; empty at the end.
///
/// What was read this way is not seen again by [`body`] or [`variables`].
pub fn read_body(max: u32) -> Result<Vec<u8>, BodyError> {
    host::read_body(max)
}

/// One part of a multipart body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Name of the form field.
    pub name: String,
    /// Content type of the part; `text/plain` if the part has none.
    pub mime_type: String,
    /// Name of the file as the client sent it, for `<input type="file">`.
    pub file_name: Option<String>,
    /// Length of the content in bytes.
    pub size: u64,
}

/// Number of parts in a multipart body, 0 for any other.
pub fn body_part_count() -> Result<u32, BodyError> {
    host::body_part_count()
}

/// Describes part `number`; parts are numbered from 1.
pub fn body_part(number: u32) -> Result<Part, BodyError> {
    host::body_part(number)
}

/// Content of part `number` from `offset` on, at most `max` bytes and at most 1 MiB; empty at the end.
pub fn read_body_part(number: u32, offset: u64, max: u32) -> Result<Vec<u8>, BodyError> {
    host::read_body_part(number, offset, max)
}

/// The whole content of part `number`. For large ones use [`BodyPart::reader`].
pub fn body_part_content(number: u32) -> Result<Vec<u8>, BodyError> {
    let mut content = Vec::new();
    loop {
        let piece = host::read_body_part(number, content.len() as u64, u32::MAX)?;
        if piece.is_empty() {
            return Ok(content);
        }
        content.extend(piece);
    }
}

/// Whether the request came over TLS.
pub fn is_secured_connection() -> bool {
    host::is_secured_connection()
}

/// The client's address; IPv4 as `::ffff:a.b.c.d`.
pub fn client_address() -> String {
    host::client_address()
}

/// The address the request was sent to; IPv4 as `::ffff:a.b.c.d`.
pub fn server_address() -> String {
    host::server_address()
}

/// Whether the DIGEST credentials of this request are those of the user, made with the password (WEB Validate digest).
///
/// Always false where the settings ask for no digest: `[authentication] mode = "digest"`.
///
/// ```
/// use tessera_guest::prelude::*;
/// use tessera_guest::request;
///
/// #[on_web_authentication]
/// fn admit(call: &WebCall) -> bool {
///     call.user == "ann" && request::validate_digest("ann", "secret")
/// }
/// ```
pub fn validate_digest(user: &str, password: &str) -> bool {
    host::validate_digest(user, password)
}

/// The identifier of this request, as it stands in the host's log.
pub fn id() -> String {
    host::id()
}

/// The time until the host ends this web process with 504.
pub fn remaining_time() -> Duration {
    Duration::from_millis(host::remaining_time())
}
