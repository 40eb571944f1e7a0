//! The response of the current request.
//!
//! The last `send_*` wins; status and headers stay, whichever follows. Most handlers return a
//! [`Reply`](crate::Reply) instead of calling these.

use crate::host::response as host;
use crate::types::{HeaderField, ResponseError};

/// Sets the status, 200 to 599.
pub fn set_status(code: u16) -> Result<(), ResponseError> {
    host::set_status(code)
}

/// Sets a header field, in place of all fields of that name.
pub fn set_header(name: &str, value: &str) -> Result<(), ResponseError> {
    host::set_header(name, value)
}

/// Adds a header field beside others of the same name.
pub fn add_header(name: &str, value: &str) -> Result<(), ResponseError> {
    host::add_header(name, value)
}

/// Sets several header fields, all or none. `X-STATUS` sets the status; `X-VERSION` is ignored.
pub fn set_headers(headers: &[HeaderField]) -> Result<(), ResponseError> {
    host::set_headers(headers)
}

/// Sets header fields and status from one text, all or none (WEB SET HTTP HEADER with a text): lines that end in CR, LF or both,
/// `Name: value` each, and before them a status line (`HTTP/1.0 200 OK`) if there is one.
pub fn set_header_text(text: &str) -> Result<(), ResponseError> {
    host::set_headers(&crate::header_text::parse(text)?)
}

/// Sends a page, encoded in the server's `characterSet`.
pub fn send_html(page: &str) -> Result<(), ResponseError> {
    host::send_text(page, None)
}

/// Sends a text of some type, encoded in the server's `characterSet`, which is added to the type.
pub fn send_text(text: &str, content_type: &str) -> Result<(), ResponseError> {
    host::send_text(text, Some(content_type))
}

/// Sends bytes. The type is a media type or a file extension (`.png`); if it is empty the client guesses.
pub fn send_blob(data: &[u8], content_type: &str) -> Result<(), ResponseError> {
    host::send_blob(data, content_type)
}

/// Sends a file of the HTML root; the path is relative to the root and cannot leave it.
pub fn send_file(path: &str) -> Result<(), ResponseError> {
    host::send_file(path)
}

/// Sends head and body as they are; the host repairs a missing or broken head.
pub fn send_raw_data(data: &[u8]) -> Result<(), ResponseError> {
    host::send_raw_data(data, false)
}

/// Sends one chunk of a response that goes out at once, the head in the first.
pub fn send_raw_chunk(data: &[u8]) -> Result<(), ResponseError> {
    host::send_raw_data(data, true)
}

/// Redirects with 302, or with the 3xx status that was set. Wins over every `send_*`. The URL is percent-encoded where needed.
pub fn redirect(url: &str) -> Result<(), ResponseError> {
    host::send_http_redirect(url, false)
}

/// Redirects as [`redirect`] does, to a URL that is left as it is.
pub fn redirect_verbatim(url: &str) -> Result<(), ResponseError> {
    host::send_http_redirect(url, true)
}

/// Sets the home page of the client, as long as its session lasts; "" goes back to the default.
pub fn set_home_page(path: &str) -> Result<(), ResponseError> {
    host::set_home_page(path)
}
