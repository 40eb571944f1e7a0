//! The session cookie: found in requests, written for responses.

use ::http::HeaderValue;
use ::http::header::{COOKIE, HeaderMap};

use super::token::Token;
use crate::settings::SessionCookie;

/// More cookies than this in one request are not looked through.
const COOKIES_MAX: usize = 200;

/// The name of the session cookie of a web server: that of its name, with what no cookie's name may hold
/// percent-encoded.
pub fn cookie_name(server: &str) -> String {
    let mut name = String::from("4DSID_");
    for byte in server.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
        if is_plain {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = std::fmt::Write::write_fmt(&mut name, format_args!("%{byte:02X}"));
        }
    }
    name
}

/// The cookie of one web server.
#[derive(Debug)]
pub(super) struct Cookie {
    name: String,
    /// Attributes that do not change.
    attributes: String,
}

impl Cookie {
    pub(super) fn new(server: &str, settings: &SessionCookie) -> Self {
        let mut attributes = format!("; Path={}", settings.path);
        if let Some(domain) = &settings.domain {
            attributes.push_str("; Domain=");
            attributes.push_str(domain);
        }
        attributes.push_str("; HttpOnly; SameSite=");
        attributes.push_str(settings.same_site);
        Self {
            name: cookie_name(server),
            attributes,
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The token that a request came with: the first of this cookie that is one.
    pub(super) fn find(&self, headers: &HeaderMap) -> Option<Token> {
        let fields = headers.get_all(COOKIE).iter();
        let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
        pairs.take(COOKIES_MAX).find_map(|pair| {
            let value = pair.trim_ascii().strip_prefix(self.name.as_bytes())?;
            Token::parse(value.strip_prefix(b"=")?)
        })
    }

    /// `Set-Cookie` with a token that lasts for so many seconds.
    pub(super) fn set(&self, token: &Token, seconds: u64, secured: bool) -> Option<HeaderValue> {
        self.value(&token.text(), seconds, secured)
    }

    /// `Set-Cookie` that takes it away.
    pub(super) fn clear(&self, secured: bool) -> Option<HeaderValue> {
        self.value("", 0, secured)
    }

    fn value(&self, value: &str, seconds: u64, secured: bool) -> Option<HeaderValue> {
        let Self { name, attributes } = self;
        let secure = if secured { "; Secure" } else { "" };
        let mut value = HeaderValue::try_from(format!(
            "{name}={value}{attributes}; Max-Age={seconds}{secure}"
        ))
        .ok()?;
        // Kept out of tables of header compression, and out of debug output.
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(domain: Option<&str>, path: &str, same_site: &'static str) -> SessionCookie {
        SessionCookie {
            domain: domain.map(str::to_owned),
            path: path.to_owned(),
            same_site,
        }
    }

    fn found(cookie: &Cookie, fields: &[&str]) -> Option<Token> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, HeaderValue::from_bytes(field.as_bytes()).unwrap());
        }
        cookie.find(&headers)
    }

    #[test]
    fn a_cookie_has_the_attributes_of_its_settings() {
        let token = Token::new().unwrap();
        let text = token.text();
        let shop = Cookie::new("shop", &settings(None, "/", "Strict"));
        assert_eq!(
            shop.set(&token, 3600, false).unwrap(),
            format!("4DSID_shop={text}; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600")
        );
        let other = Cookie::new("shop", &settings(Some("4d.fr"), "/a", "None"));
        assert_eq!(
            other.set(&token, 60, true).unwrap(),
            format!(
                "4DSID_shop={text}; Path=/a; Domain=4d.fr; HttpOnly; SameSite=None; Max-Age=60; Secure"
            )
        );
        assert_eq!(
            other.clear(false).unwrap(),
            "4DSID_shop=; Path=/a; Domain=4d.fr; HttpOnly; SameSite=None; Max-Age=0"
        );
    }

    #[test]
    fn only_the_cookie_of_the_server_is_found() {
        let cookie = Cookie::new("shop", &settings(None, "/", "Strict"));
        let (token, other) = (Token::new().unwrap(), Token::new().unwrap());
        let (text, another) = (token.text(), other.text());
        for fields in [
            &[&*format!("4DSID_shop={text}")][..],
            &[&*format!("a=b; 4DSID_shop={text};c=d")],
            &[&*format!("a=b;\t4DSID_shop={text} ")],
            &["a=b", &*format!("4DSID_shop={text}")],
            &[&*format!(
                "4DSID_shop=old; 4DSID_shop={text}; 4DSID_shop={another}"
            )],
        ] {
            assert_eq!(found(&cookie, fields), Some(token), "{fields:?}");
        }
        for fields in [
            &[][..],
            &[""],
            &["4DSID_shop"],
            &["4DSID_shop="],
            &[&*format!("4DSID_shop2={text}")],
            &[&*format!("4DSID_Shop={text}")],
            &[&*format!("x4DSID_shop={text}")],
            &[&*format!("4DSID_shop=\"{text}\"")],
            &[&*format!("4DSID_shop ={text}")],
            &[&*format!("a=4DSID_shop={text}")],
            &[&*format!("{}4DSID_shop={text}", "a;".repeat(COOKIES_MAX))],
        ] {
            assert_eq!(found(&cookie, fields), None, "{fields:?}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_header() {
        for (server, expected) in [
            ("shop", "4DSID_shop"),
            ("my site", "4DSID_my%20site"),
            (
                "a\r\nSet-Cookie: b=c; d",
                "4DSID_a%0D%0ASet-Cookie%3A%20b%3Dc%3B%20d",
            ),
            ("gr\u{f6}\u{df}e", "4DSID_gr%C3%B6%C3%9Fe"),
            ("a%20", "4DSID_a%2520"),
        ] {
            assert_eq!(cookie_name(server), expected);
        }
    }
}
