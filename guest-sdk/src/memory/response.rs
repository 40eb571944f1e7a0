//! `response`, in memory.

use super::{current, form};
use crate::types::{HeaderField, ResponseError};

/// The response of an exchange.
#[derive(Clone, Default)]
pub(crate) struct Sent {
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<HeaderField>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) file: Option<String>,
    pub(crate) redirect: Option<String>,
    pub(crate) home_page: Option<String>,
    pub(crate) is_raw: bool,
    pub(crate) is_chunked: bool,
}

impl Sent {
    fn send(
        &mut self,
        body: Vec<u8>,
        content_type: Option<String>,
        file: Option<String>,
    ) -> Result<(), ResponseError> {
        if self.is_chunked {
            return Err(ResponseError::AlreadySent);
        }
        self.body = body;
        self.content_type = content_type;
        self.file = file;
        self.is_raw = false;
        Ok(())
    }

    fn set(&mut self, field: &HeaderField) {
        self.headers
            .retain(|other| !other.name.eq_ignore_ascii_case(&field.name));
        self.headers.push(field.clone());
    }
}

/// Header fields that only the host sets.
const HOST_ONLY: [&str; 8] = [
    "connection",
    "content-length",
    "transfer-encoding",
    "keep-alive",
    "upgrade",
    "proxy-connection",
    "te",
    "trailer",
];

fn check_status(code: u16) -> Result<(), ResponseError> {
    match code {
        200..=599 => Ok(()),
        _ => Err(ResponseError::Invalid(format!("status {code}"))),
    }
}

fn check_header(name: &str, value: &str) -> Result<(), ResponseError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let invalid = name.is_empty()
        || !name.bytes().all(is_token)
        || value.contains(['\r', '\n', '\0'])
        || HOST_ONLY.contains(&name.to_ascii_lowercase().as_str());
    if invalid {
        return Err(ResponseError::Invalid(format!("header {name}: {value}")));
    }
    Ok(())
}

/// Changes what the head will be, as long as it has not gone.
fn change(act: impl FnOnce(&mut Sent)) -> Result<(), ResponseError> {
    current(|exchange| match exchange.response.is_chunked {
        true => Err(ResponseError::AlreadySent),
        false => {
            act(&mut exchange.response);
            Ok(())
        }
    })
}

pub(crate) fn set_status(status: u16) -> Result<(), ResponseError> {
    check_status(status)?;
    change(|response| response.status = Some(status))
}

pub(crate) fn set_header(name: &str, value: &str) -> Result<(), ResponseError> {
    check_header(name, value)?;
    change(|response| response.set(&HeaderField::new(name, value)))
}

pub(crate) fn add_header(name: &str, value: &str) -> Result<(), ResponseError> {
    check_header(name, value)?;
    let field = HeaderField::new(name, value);
    change(|response| response.headers.push(field))
}

pub(crate) fn set_headers(headers: &[HeaderField]) -> Result<(), ResponseError> {
    let mut status = None;
    let mut fields = Vec::new();
    for field in headers {
        if field.name.eq_ignore_ascii_case("x-status") {
            let code = field
                .value
                .split_whitespace()
                .find_map(|word| word.parse().ok());
            let code = code.ok_or_else(|| ResponseError::Invalid(field.value.clone()))?;
            check_status(code)?;
            status = Some(code);
        } else if !field.name.eq_ignore_ascii_case("x-version") {
            check_header(&field.name, &field.value)?;
            fields.push(field);
        }
    }
    change(|response| {
        response.status = status.or(response.status);
        for field in fields {
            response.set(field);
        }
    })
}

pub(crate) fn send_text(text: &str, content_type: Option<&str>) -> Result<(), ResponseError> {
    let mut content_type = content_type.unwrap_or("text/html").to_owned();
    if !content_type.contains("charset") {
        content_type.push_str("; charset=UTF-8");
    }
    current(|exchange| {
        exchange
            .response
            .send(text.into(), Some(content_type), None)
    })
}

pub(crate) fn send_blob(data: &[u8], content_type: &str) -> Result<(), ResponseError> {
    let content_type = (!content_type.is_empty()).then(|| content_type.to_owned());
    current(|exchange| exchange.response.send(data.to_vec(), content_type, None))
}

pub(crate) fn send_file(path: &str) -> Result<(), ResponseError> {
    current(|exchange| {
        exchange
            .response
            .send(Vec::new(), None, Some(path.to_owned()))
    })
}

pub(crate) fn send_raw_data(data: &[u8], chunked: bool) -> Result<(), ResponseError> {
    current(|exchange| {
        let response = &mut exchange.response;
        if response.is_chunked {
            response.body.extend_from_slice(data);
            return Ok(());
        }
        response.send(data.to_vec(), None, None)?;
        (response.is_raw, response.is_chunked) = (true, chunked);
        Ok(())
    })
}

pub(crate) fn send_http_redirect(url: &str, verbatim: bool) -> Result<(), ResponseError> {
    let url = if verbatim {
        url.to_owned()
    } else {
        form::encode(url, b"-._~:/?#[]@!$&'()*+,;=%")
    };
    check_header("location", &url)?;
    current(|exchange| {
        if exchange.response.is_chunked {
            return Err(ResponseError::AlreadySent);
        }
        exchange.response.redirect = Some(url);
        Ok(())
    })
}

pub(crate) fn set_home_page(path: &str) -> Result<(), ResponseError> {
    current(|exchange| exchange.response.home_page = Some(path.to_owned()));
    Ok(())
}
