//! Cookies: those that the client sent, and those that it is to keep.
//!
//! ```
//! use std::time::Duration;
//! use tessera_guest::prelude::*;
//! use tessera_guest::test;
//!
//! fn theme(call: &WebCall) -> impl Reply {
//!     let theme = cookie::get("theme").unwrap_or("light".into());
//!     let next = if theme == "light" { "dark" } else { "light" };
//!     text(theme).with_cookie(Cookie::new("theme", next).max_age(Duration::from_secs(3600)))
//! }
//!
//! let response = test::get("/").header("Cookie", "theme=dark").connect(theme);
//! assert_eq!(response.text(), "dark");
//! assert_eq!(
//!     response.header("set-cookie"),
//!     Some("theme=light; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax")
//! );
//! ```

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use crate::types::ResponseError;
use crate::{request, response};

/// The value of the first cookie of that name, percent-decoded; names have a case.
pub fn get(name: &str) -> Option<String> {
    let header = request::header("cookie")?;
    let found = pairs(&header).find(|(other, _)| *other == name);
    found.map(|(_, value)| decoded(value))
}

/// All cookies, names and percent-decoded values, in the order sent.
pub fn all() -> Vec<(String, String)> {
    let header = request::header("cookie").unwrap_or_default();
    pairs(&header)
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect()
}

/// Whether requests that other sites cause bring a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When a link of theirs is followed, the default.
    Lax,
    /// Always; browsers want it under TLS only, with [`Cookie::secure`].
    None,
}

/// A cookie that the client is to keep.
///
/// By default it comes back until the browser is closed, for all addresses of the component (the path of its mount), is
/// hidden from scripts (`HttpOnly`), stays with requests of this site (`SameSite=Lax`), and if this request came over TLS comes
/// back only so (`Secure`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a cookie does nothing before it is set: `reply.with_cookie(cookie)` or `cookie.set()?`"]
pub struct Cookie<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    path: Option<Cow<'a, str>>,
    domain: Option<Cow<'a, str>>,
    max_age: Option<Duration>,
    is_secure: Option<bool>,
    is_for_scripts: bool,
    same_site: SameSite,
}

impl<'a> Cookie<'a> {
    /// Makes a cookie. The name is an HTTP token; the value any text, which is percent-encoded where needed.
    pub fn new(name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            path: None,
            domain: None,
            max_age: None,
            is_secure: None,
            is_for_scripts: false,
            same_site: SameSite::Lax,
        }
    }

    /// Makes one that removes the client's. Path and domain must be those that it was set with.
    pub fn removal(name: impl Into<Cow<'a, str>>) -> Self {
        Self::new(name, "").max_age(Duration::ZERO)
    }

    /// Keeps it for so long, in whole seconds, also when the browser is closed.
    pub fn max_age(mut self, time: Duration) -> Self {
        self.max_age = Some(time);
        self
    }

    /// Has it sent for addresses below this path only, as the client sees it; by default the path of the component's mount.
    pub fn path(mut self, path: impl Into<Cow<'a, str>>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Has it sent to this domain and all below it; by default to this host only.
    pub fn domain(mut self, domain: impl Into<Cow<'a, str>>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Says whether it is sent over TLS only; by default if this request came so.
    pub fn secure(mut self, is_secure: bool) -> Self {
        self.is_secure = Some(is_secure);
        self
    }

    /// Lets the scripts of pages see it.
    pub fn for_scripts(mut self) -> Self {
        self.is_for_scripts = true;
        self
    }

    /// Says which requests that other sites cause bring it.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Adds it to the response.
    pub fn set(&self) -> Result<(), ResponseError> {
        response::add_header("Set-Cookie", &self.field()?)
    }

    /// The value of the header field.
    fn field(&self) -> Result<String, ResponseError> {
        let path = match &self.path {
            Some(path) => Cow::Borrowed(&**path),
            None => Cow::Owned(mount()),
        };
        let domain = self.domain.as_deref().unwrap_or_default();
        let is_name = !self.name.is_empty() && self.name.bytes().all(is_token);
        let is_attribute = |text: &str| {
            text.bytes()
                .all(|byte| (b' '..0x7f).contains(&byte) && byte != b';')
        };
        if !is_name || !is_attribute(&path) || !is_attribute(domain) {
            return Err(ResponseError::Invalid(format!(
                "cookie {:?} with path {path:?} and domain {domain:?}",
                self.name
            )));
        }
        let mut field = format!("{}={}; Path={path}", self.name, encoded(&self.value));
        if let Some(time) = self.max_age {
            // Writing into a text cannot fail.
            let _ = write!(field, "; Max-Age={}", time.as_secs());
        }
        if !domain.is_empty() {
            field.push_str("; Domain=");
            field.push_str(domain);
        }
        if self
            .is_secure
            .unwrap_or_else(request::is_secured_connection)
        {
            field.push_str("; Secure");
        }
        if !self.is_for_scripts {
            field.push_str("; HttpOnly");
        }
        field.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        Ok(field)
    }
}

/// Where the component is mounted, as the host says; else the whole server.
fn mount() -> String {
    request::header("x-forwarded-prefix")
        .filter(|prefix| prefix.starts_with('/') && !prefix.contains([';', ',']))
        .unwrap_or_else(|| "/".to_owned())
}

fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = value.trim();
        let quoted = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        Some((name.trim(), quoted.unwrap_or(value)))
    })
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What a cookie's value may hold as it is; `%` begins an encoded byte.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\%".contains(&byte)
}

fn encoded(value: &str) -> Cow<'_, str> {
    if value.bytes().all(is_plain) {
        return Cow::Borrowed(value);
    }
    let mut encoded = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        if is_plain(byte) {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    Cow::Owned(encoded)
}

fn decoded(value: &str) -> String {
    crate::percent::decode(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test;

    fn set(cookie: Cookie<'_>, request: test::Request) -> Result<String, String> {
        let response = request.connect(|| cookie.set().map_err(|error| error.to_string()));
        match response.error {
            Some(error) => Err(error),
            None => Ok(response.header("set-cookie").unwrap_or_default().to_owned()),
        }
    }

    #[test]
    fn every_attribute_is_written() {
        let cookie = Cookie::new("a", "b c;é%")
            .path("/shop")
            .domain("example.com")
            .max_age(Duration::from_secs(60))
            .secure(true)
            .for_scripts()
            .same_site(SameSite::None);
        assert_eq!(
            set(cookie, test::get("/")).unwrap(),
            "a=b%20c%3B%C3%A9%25; Path=/shop; Max-Age=60; Domain=example.com; Secure; SameSite=None"
        );
        let mounted = test::get("/")
            .secured()
            .header("X-Forwarded-Prefix", "/shop");
        assert_eq!(
            set(Cookie::removal("a"), mounted).unwrap(),
            "a=; Path=/shop; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn nothing_can_be_smuggled_into_the_field() {
        for cookie in [
            Cookie::new("a b", ""),
            Cookie::new("", "x"),
            Cookie::new("a;b", "x"),
            Cookie::new("a", "x").path("/; Domain=evil"),
            Cookie::new("a", "x").domain("a\r\nb"),
        ] {
            let told = set(cookie.clone(), test::get("/")).unwrap_err();
            assert!(told.contains("refused: cookie"), "{cookie:?}: {told}");
        }
        let prefixed = test::get("/").header("X-Forwarded-Prefix", "/a; Domain=evil");
        let cookie = set(Cookie::new("a", "\r\n;"), prefixed).unwrap();
        assert_eq!(cookie, "a=%0D%0A%3B; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn what_was_sent_is_read_back() {
        let request = test::get("/").header("Cookie", "a=1; b=\"x%20y\"; a=2; broken;c=%zz=");
        let response = request.connect(|| {
            assert_eq!(get("a").as_deref(), Some("1"));
            assert_eq!(get("A"), None);
            format!("{:?}", all())
        });
        assert_eq!(
            response.text(),
            r#"[("a", "1"), ("b", "x y"), ("a", "2"), ("c", "%zz=")]"#
        );
        for value in ["", "plain", "a b\"c\\d,e;f%g\n", "ä€😀"] {
            assert_eq!(decoded(&encoded(value)), value);
        }
    }
}
