//! `request`, in memory.

use super::{current, form};
use crate::request::Part;
use crate::types::{BodyError, HeaderField, Variable, split_url};

/// The request of an exchange.
#[derive(Clone, Default)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<HeaderField>,
    pub(crate) body: Vec<u8>,
    pub(crate) body_read: usize,
    pub(crate) parts: Vec<(Part, Vec<u8>)>,
    pub(crate) body_error: Option<BodyError>,
    /// Name and password that the DIGEST credentials were made with.
    pub(crate) digest: Option<(String, String)>,
    pub(crate) is_secured: bool,
    pub(crate) client_address: String,
    pub(crate) server_address: String,
    pub(crate) remaining_milliseconds: u64,
}

impl Received {
    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value.as_str())
            .collect();
        let joint = if name.eq_ignore_ascii_case("cookie") {
            "; "
        } else {
            ", "
        };
        (!values.is_empty()).then(|| values.join(joint))
    }

    /// The head: the request line, then the fields.
    pub(crate) fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.url);
        for HeaderField { name, value } in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head
    }

    fn rest_of_body(&self) -> Result<&[u8], BodyError> {
        match &self.body_error {
            Some(error) => Err(error.clone()),
            None => Ok(&self.body[self.body_read..]),
        }
    }

    fn variables(&self) -> Result<Vec<Variable>, BodyError> {
        let content_type = self.header("content-type").unwrap_or_default();
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind {
            "application/x-www-form-urlencoded" => {
                Ok(form::parse(&String::from_utf8_lossy(self.rest_of_body()?)))
            }
            "text/plain" => Ok(form::parse_plain(&String::from_utf8_lossy(
                self.rest_of_body()?,
            ))),
            "multipart/form-data" => {
                self.rest_of_body()?;
                let fields = self
                    .parts
                    .iter()
                    .filter(|(part, _)| part.file_name.is_none());
                Ok(fields
                    .map(|(part, content)| Variable {
                        name: part.name.clone(),
                        value: String::from_utf8_lossy(content).into_owned(),
                    })
                    .collect())
            }
            _ => Ok(form::parse(split_url(&self.url).1)),
        }
    }

    fn part(&self, number: u32) -> Result<&(Part, Vec<u8>), BodyError> {
        self.rest_of_body()?;
        let index = (number as usize)
            .checked_sub(1)
            .ok_or(BodyError::NoSuchPart)?;
        self.parts.get(index).ok_or(BodyError::NoSuchPart)
    }
}

/// Most that one piece holds.
const PIECE_BYTES_MAX: usize = 1 << 20;

pub(crate) fn method() -> String {
    current(|exchange| exchange.request.method.clone())
}

pub(crate) fn url() -> String {
    current(|exchange| exchange.request.url.clone())
}

pub(crate) fn version() -> String {
    "HTTP/1.1".to_owned()
}

pub(crate) fn header(name: &str) -> Option<String> {
    current(|exchange| exchange.request.header(name))
}

pub(crate) fn headers() -> Vec<HeaderField> {
    current(|exchange| {
        let request = &exchange.request;
        let mut headers = vec![
            HeaderField::new("X-METHOD", &request.method),
            HeaderField::new("X-URL", &request.url),
            HeaderField::new("X-VERSION", version()),
        ];
        headers.extend_from_slice(&request.headers);
        headers
    })
}

pub(crate) fn raw_header() -> String {
    current(|exchange| exchange.request.head())
}

pub(crate) fn variables() -> Result<Vec<Variable>, BodyError> {
    current(|exchange| exchange.request.variables())
}

pub(crate) fn body() -> Result<Vec<u8>, BodyError> {
    current(|exchange| exchange.request.rest_of_body().map(<[u8]>::to_vec))
}

pub(crate) fn read_body(max: u32) -> Result<Vec<u8>, BodyError> {
    current(|exchange| {
        let rest = exchange.request.rest_of_body()?;
        let piece = rest[..rest.len().min(max as usize).min(PIECE_BYTES_MAX)].to_vec();
        exchange.request.body_read += piece.len();
        Ok(piece)
    })
}

pub(crate) fn body_part_count() -> Result<u32, BodyError> {
    current(|exchange| {
        exchange.request.rest_of_body()?;
        Ok(exchange.request.parts.len() as u32)
    })
}

pub(crate) fn body_part(number: u32) -> Result<Part, BodyError> {
    current(|exchange| exchange.request.part(number).map(|(part, _)| part.clone()))
}

pub(crate) fn read_body_part(number: u32, offset: u64, max: u32) -> Result<Vec<u8>, BodyError> {
    current(|exchange| {
        let (_, content) = exchange.request.part(number)?;
        let start = content.len().min(offset as usize);
        let length = (content.len() - start)
            .min(max as usize)
            .min(PIECE_BYTES_MAX);
        Ok(content[start..start + length].to_vec())
    })
}

pub(crate) fn is_secured_connection() -> bool {
    current(|exchange| exchange.request.is_secured)
}

pub(crate) fn client_address() -> String {
    current(|exchange| exchange.request.client_address.clone())
}

pub(crate) fn server_address() -> String {
    current(|exchange| exchange.request.server_address.clone())
}

pub(crate) fn validate_digest(user: &str, password: &str) -> bool {
    current(|exchange| {
        let digest = exchange.request.digest.as_ref();
        digest.is_some_and(|(name, secret)| name == user && secret == password)
    })
}

pub(crate) fn id() -> String {
    "test".to_owned()
}

pub(crate) fn remaining_time() -> u64 {
    current(|exchange| exchange.request.remaining_milliseconds)
}
