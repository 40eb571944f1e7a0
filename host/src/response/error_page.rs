//! The page of an error: the status and one sentence, and nothing that is internal.

use ::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use ::http::{HeaderValue, StatusCode};

use crate::http::{Body, Response};

/// Makes the page. `details` is for developers: visitors get `None`.
pub(super) fn page(status: StatusCode, text: &str, details: Option<&str>) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let code = status.as_u16();
    let text = escaped(text);
    let details = details
        .map(|details| format!("<pre>{}</pre>", escaped(details)))
        .unwrap_or_default();
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{code} {title}</title>\
         <style>:root{{color-scheme:light dark;font:1.1rem/1.6 system-ui,sans-serif}}\
         body{{max-width:44rem;margin:18vh auto 0;padding:0 1.5rem}}h1{{font-size:1.8rem;margin:0}}\
         pre{{overflow:auto;font-size:.8rem;line-height:1.4}}</style></head>\
         <body><h1>{code} {title}</h1><p>{text}</p>{details}</body></html>\n"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_in_a_page_is_taken_for_markup() {
        assert_eq!(
            escaped("<a href=\"x\">&</a>"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;"
        );
    }
}
