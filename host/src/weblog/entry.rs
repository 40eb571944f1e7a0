//! What is known of a request that was answered, and of its answer.

use std::borrow::Cow;
use std::time::Duration;

use ::http::header::{AUTHORIZATION, COOKIE, HOST, REFERER, USER_AGENT};
use ::http::{HeaderMap, HeaderName, HeaderValue, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::Peer;

/// One request, as its line tells it.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Who asked, and where.
    pub peer: Peer,
    /// When its answer was finished, since the beginning of 1970.
    pub moment: Duration,
    /// From its head to the end of its answer.
    pub took: Duration,
    /// Its first line.
    pub line: Line<'a>,
    /// The fields that are logged.
    pub fields: Fields<'a>,
    /// Status of the answer.
    pub status: u16,
    /// Bytes of the answer's body that were handed to the connection.
    pub sent: u64,
    /// Bytes of its own body, if its head says how many.
    pub received: Option<u64>,
}

/// The first line of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// One that was understood.
    Read {
        /// GET and so on.
        method: &'a [u8],
        /// Path and query, percent-encoded.
        target: &'a [u8],
        /// The version of HTTP.
        version: Version,
    },
    /// One that was refused: what there is of it.
    Refused(&'a [u8]),
}

/// The fields of a request that logs may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Host.
    pub host: Option<&'a [u8]>,
    /// Referer.
    pub referer: Option<&'a [u8]>,
    /// User-Agent.
    pub agent: Option<&'a [u8]>,
    /// Cookie.
    pub cookie: Option<&'a [u8]>,
    /// Authorization.
    pub authorization: Option<&'a [u8]>,
}

/// Which fields somebody has a use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted(u8);

impl Wanted {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// Host.
    pub const HOST: Self = Self(1);
    /// Referer.
    pub const REFERER: Self = Self(1 << 1);
    /// User-Agent.
    pub const AGENT: Self = Self(1 << 2);
    /// Cookie.
    pub const COOKIE: Self = Self(1 << 3);
    /// Authorization.
    pub const AUTHORIZATION: Self = Self(1 << 4);

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but for those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl<'a> Fields<'a> {
    /// Those that are wanted, in a head of HTTP/1: lines, each ended by CR LF. The first of a name counts.
    pub fn in_lines(lines: &'a [u8], wanted: Wanted) -> Self {
        let mut found = Self::default();
        let mut left = wanted;
        let mut rest = lines;
        while left != Wanted::NONE
            && let Some(end) = memchr::memchr(b'\n', rest)
        {
            let (line, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            let (name, value) = line.split_at(colon);
            let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
            let (field, place) = match colon {
                4 if is(b"host") => (Wanted::HOST, &mut found.host),
                6 if is(b"cookie") => (Wanted::COOKIE, &mut found.cookie),
                7 if is(b"referer") => (Wanted::REFERER, &mut found.referer),
                10 if is(b"user-agent") => (Wanted::AGENT, &mut found.agent),
                13 if is(b"authorization") => (Wanted::AUTHORIZATION, &mut found.authorization),
                _ => continue,
            };
            if left.0 & field.0 != 0 {
                left = left.without(field);
                *place = Some(value.get(1..).unwrap_or_default().trim_ascii());
            }
        }
        found
    }
}

/// The fields of a request that is answered later.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptFields {
    host: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    agent: Option<HeaderValue>,
    cookie: Option<HeaderValue>,
    authorization: Option<HeaderValue>,
}

impl KeptFields {
    pub(super) fn of(headers: &HeaderMap, wanted: Wanted) -> Self {
        let field = |one: Wanted, name: HeaderName| match wanted.0 & one.0 {
            0 => None,
            _ => headers.get(name).cloned(),
        };
        Self {
            host: field(Wanted::HOST, HOST),
            referer: field(Wanted::REFERER, REFERER),
            agent: field(Wanted::AGENT, USER_AGENT),
            cookie: field(Wanted::COOKIE, COOKIE),
            authorization: field(Wanted::AUTHORIZATION, AUTHORIZATION),
        }
    }

    pub(super) fn fields(&self) -> Fields<'_> {
        Fields {
            host: self.host.as_ref().map(HeaderValue::as_bytes),
            referer: self.referer.as_ref().map(HeaderValue::as_bytes),
            agent: self.agent.as_ref().map(HeaderValue::as_bytes),
            cookie: self.cookie.as_ref().map(HeaderValue::as_bytes),
            authorization: self.authorization.as_ref().map(HeaderValue::as_bytes),
        }
    }
}

impl Fields<'_> {
    /// The name that the client sent with its credentials.
    pub(super) fn user(&self) -> Option<Cow<'_, [u8]>> {
        let field = self.authorization?;
        let (scheme, rest) = field.split_at_checked(6)?;
        if scheme.eq_ignore_ascii_case(b"basic ") {
            let mut decoded = STANDARD.decode(rest.trim_ascii()).ok()?;
            let colon = memchr::memchr(b':', &decoded)?;
            decoded.truncate(colon);
            return Some(Cow::Owned(decoded));
        }
        let is_digest = field.get(..7)?.eq_ignore_ascii_case(b"digest ");
        let name = b"username=\"";
        let at = memchr::memmem::find(field, name).filter(|_| is_digest)?;
        let behind = field.get(at + name.len()..)?;
        let end = memchr::memchr(b'"', behind)?;
        behind.get(..end).map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_a_head() {
        let lines =
            b"HOST:  a.example \r\nuser-agent: x y\r\nReferer:\r\nCookie: a=b\r\nCookie: c=d\r\n\
            X-Host: no\r\nAuthorization: Basic YW5uOmI=\r\n";
        let three = Wanted::HOST.and(Wanted::REFERER).and(Wanted::AGENT);
        let all = three.and(Wanted::COOKIE).and(Wanted::AUTHORIZATION);
        let fields = Fields::in_lines(lines, all);
        assert_eq!(fields.host, Some(&b"a.example"[..]));
        assert_eq!(fields.agent, Some(&b"x y"[..]));
        assert_eq!(fields.referer, Some(&b""[..]));
        assert_eq!(fields.cookie, Some(&b"a=b"[..]));
        assert_eq!(fields.authorization, Some(&b"Basic YW5uOmI="[..]));
        assert!(Fields::in_lines(b"no line at all", all).host.is_none());
        let some = Fields::in_lines(lines, all.without(Wanted::HOST));
        assert_eq!((some.host, some.cookie), (None, fields.cookie));
        let none = Fields::in_lines(lines, Wanted::NONE);
        assert!(none.agent.is_none() && none.authorization.is_none());
    }

    #[test]
    fn a_user_is_known_by_name() {
        let user = |field: &str| {
            let fields = Fields {
                authorization: Some(field.as_bytes()),
                ..Fields::default()
            };
            let user = fields.user();
            user.map(|user| String::from_utf8(user.into_owned()).unwrap())
        };
        assert_eq!(user("Basic YW5uOmI=").as_deref(), Some("ann"));
        let digest = "Digest realm=\"a\", username=\"bob\", uri=\"/\"";
        assert_eq!(user(digest).as_deref(), Some("bob"));
        for field in ["", "Basic", "Basic ???", "Bearer YW5uOmI=", "Basic YW5u"] {
            assert_eq!(user(field), None, "{field}");
        }
    }
}
