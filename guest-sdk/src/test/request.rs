//! The request of a test.

use std::time::Duration;

use crate::memory::{Exchange, form, request::Received, session, web_server::Server};
use crate::request::Part;
use crate::session::{Expected, Stored};
use crate::types::{BodyError, HeaderField, Value, WebCall};
use crate::web_server::Property;

/// A request, to be completed and then run.
pub struct Request {
    pub(super) exchange: Exchange,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) arguments: Vec<Value>,
}

/// Makes a GET request.
pub fn get(url: impl Into<String>) -> Request {
    request("GET", url)
}

/// Makes a POST request.
pub fn post(url: impl Into<String>) -> Request {
    request("POST", url)
}

/// Makes a request of any method.
pub fn request(method: impl Into<String>, url: impl Into<String>) -> Request {
    let request = Received {
        method: method.into(),
        url: url.into(),
        client_address: "::1".to_owned(),
        server_address: "::1".to_owned(),
        remaining_milliseconds: 30_000,
        ..Received::default()
    };
    Request {
        exchange: Exchange {
            request,
            ..Exchange::default()
        },
        user: String::new(),
        password: String::new(),
        arguments: Vec::new(),
    }
}

/// Requests of tests, made where the handler's own words are: `WebCall::get("/a?b=c").call(handler)`.
impl WebCall {
    /// Makes a GET request, as [`get`] does.
    pub fn get(url: impl Into<String>) -> Request {
        get(url)
    }

    /// Makes a POST request, as [`post`] does.
    pub fn post(url: impl Into<String>) -> Request {
        post(url)
    }
}

/// Between the parts of a multipart body.
const BOUNDARY: &str = "tessera-test-boundary";

impl Request {
    /// Adds a header field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        let field = HeaderField::new(name.to_ascii_lowercase(), value);
        self.exchange.request.headers.push(field);
        self
    }

    fn content_type(mut self, content_type: &str) -> Self {
        let headers = &mut self.exchange.request.headers;
        headers.retain(|field| field.name != "content-type");
        self.header("content-type", content_type)
    }

    /// Gives it a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>, content_type: &str) -> Self {
        self.exchange.request.body = body.into();
        self.content_type(content_type)
    }

    /// Gives it a JSON body.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn json(self, value: &impl serde::Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body(body, "application/json"),
            Err(error) => panic!("the value cannot be written as JSON: {error}"),
        }
    }

    /// Adds a cookie, with its value as it is.
    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.header("cookie", format!("{name}={value}"))
    }

    /// Gives it the fields of a form as its body.
    pub fn form<'a>(self, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.body(form::format(fields), "application/x-www-form-urlencoded")
    }

    /// Adds a part to a multipart body: a field, or a file if it has a `file_name`. The size is that of the content.
    pub fn part(mut self, part: Part, content: impl Into<Vec<u8>>) -> Self {
        let content = content.into();
        let size = content.len() as u64;
        let request = &mut self.exchange.request;
        request.parts.push((Part { size, ..part }, content));
        request.body = multipart(&request.parts);
        self.content_type(&format!("multipart/form-data; boundary={BOUNDARY}"))
    }

    /// Makes every attempt to read the body fail.
    pub fn broken_body(mut self, error: BodyError) -> Self {
        self.exchange.request.body_error = Some(error);
        self
    }

    /// Logs a user in, as the Authorization header would.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.user = name.to_owned();
        self.password = password.to_owned();
        self
    }

    /// Gives it DIGEST credentials that were made with this name and password, where the settings ask for such ones.
    pub fn digest(mut self, name: &str, password: &str) -> Self {
        self.user = name.to_owned();
        self.exchange.request.digest = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// Says where it comes from; by default `::1`.
    pub fn client_address(mut self, address: &str) -> Self {
        self.exchange.request.client_address = address.to_owned();
        self
    }

    /// Says where it goes to; by default `::1`.
    pub fn server_address(mut self, address: &str) -> Self {
        self.exchange.request.server_address = address.to_owned();
        self
    }

    /// Makes it one that came over TLS.
    pub fn secured(mut self) -> Self {
        self.exchange.request.is_secured = true;
        self
    }

    /// Says how much time is left; by default 30 s.
    pub fn remaining_time(mut self, time: Duration) -> Self {
        self.exchange.request.remaining_milliseconds = time.as_millis() as u64;
        self
    }

    /// Sets a process variable beforehand.
    pub fn variable(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.exchange
            .variables
            .insert(name.to_lowercase(), value.into());
        self
    }

    /// Makes it one of a session's requests; by default it has a guest session of its own.
    pub fn session(mut self, session: &Session) -> Self {
        self.exchange.session = session.0.clone();
        self
    }

    /// Adds a web server object. The first is the host's, the last the component's. It runs if its properties say so:
    /// `Property::new("isRunning", true)`.
    pub fn server(mut self, name: &str, properties: impl IntoIterator<Item = Property>) -> Self {
        let properties = properties.into_iter().collect();
        self.exchange.servers.push(Server::new(name, properties));
        self
    }

    /// Lets the component start and stop web servers, as `[permissions] control` of its settings does: names, `self`,
    /// `host`, `*`. By default it may not.
    pub fn control<'a>(mut self, entries: impl IntoIterator<Item = &'a str>) -> Self {
        let entries = entries.into_iter().map(str::to_owned);
        self.exchange.control.extend(entries);
        self
    }

    /// Adds an argument for [`method`](Self::method).
    pub fn argument(mut self, value: impl Into<Value>) -> Self {
        self.arguments.push(value.into());
        self
    }

    /// The six parameters that a hook gets.
    pub(super) fn web_call(&self) -> WebCall {
        let request = &self.exchange.request;
        let mut header = request.head();
        header.push_str("\r\n");
        header.push_str(&String::from_utf8_lossy(&request.body));
        let cut = (0..=HEADER_BYTES_MAX)
            .rev()
            .find(|&end| header.is_char_boundary(end));
        header.truncate(cut.unwrap_or_default());
        WebCall {
            url: request.url.clone(),
            header,
            browser_ip: request.client_address.clone(),
            server_ip: request.server_address.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
        }
    }
}

/// Most of head and body that a hook gets.
const HEADER_BYTES_MAX: usize = 32 * 1024;

fn multipart(parts: &[(Part, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (part, content) in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"",
            part.name
        );
        body.extend_from_slice(head.as_bytes());
        if let Some(file_name) = &part.file_name {
            body.extend_from_slice(format!("; filename=\"{file_name}\"").as_bytes());
        }
        if !part.mime_type.is_empty() {
            body.extend_from_slice(format!("\r\nContent-Type: {}", part.mime_type).as_bytes());
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// The session of a client, for several requests.
#[derive(Clone, Default)]
pub struct Session(session::Session);

impl Session {
    /// Makes a guest session.
    pub fn new() -> Self {
        Self::default()
    }

    /// Its identifier.
    pub fn id(&self) -> String {
        self.0.0.borrow().id.clone()
    }

    /// The name of its user.
    pub fn user_name(&self) -> String {
        self.0.0.borrow().user_name.clone()
    }

    /// Its privileges.
    pub fn privileges(&self) -> Vec<String> {
        self.0.0.borrow().privileges.clone()
    }

    /// Gives it privileges.
    pub fn with_privileges(self, privileges: &[&str]) -> Self {
        self.0.0.borrow_mut().privileges = privileges
            .iter()
            .map(|&privilege| privilege.to_owned())
            .collect();
        self
    }

    /// What is stored under a key.
    pub fn stored(&self, key: &str) -> Option<Stored> {
        self.0.0.borrow().storage.get(key).cloned()
    }

    /// Writes a key, as another web process of the session would.
    pub fn store(&self, key: &str, value: impl AsRef<[u8]>) {
        self.0
            .0
            .borrow_mut()
            .write(key, value.as_ref(), Expected::Any)
            .ok();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.0.borrow().is_closed
    }
}
