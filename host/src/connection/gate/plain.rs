//! Requests that ask for no more than a page as it is: what is in memory answers them, without the library.

use std::ops::Range;

use crate::http::{Held, PlainGet};

/// Where the parts of such a request stand in its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    target: Range<usize>,
    host: Range<usize>,
    codings: Option<Range<usize>>,
    tags: Option<Range<usize>>,
    since: Option<Range<usize>>,
    fields: Range<usize>,
    is_simple: bool,
    has_cookie: bool,
}

/// What was seen of the fields of a head.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// One of them asks for something else.
    asks_more: bool,
    codings: Option<Range<usize>>,
    tags: Option<Range<usize>>,
    since: Option<Range<usize>>,
    cookies: u8,
    /// One of them is not handed to components as it was sent.
    is_changed: bool,
}

impl Noted {
    /// Takes note of a field; `place` is where its value stands.
    pub(super) fn note(&mut self, name: &[u8], value: &[u8], place: impl FnOnce() -> Range<usize>) {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            13 if is(b"if-none-match") => self.asks_more |= self.tags.replace(place()).is_some(),
            15 if is(b"accept-encoding") => {
                self.asks_more |= self.codings.replace(place()).is_some();
            }
            17 if is(b"if-modified-since") => {
                self.asks_more |= self.since.replace(place()).is_some();
            }
            10 if is(b"connection") => {
                self.asks_more |= !value.eq_ignore_ascii_case(b"keep-alive");
            }
            6 if is(b"cookie") => self.cookies = self.cookies.saturating_add(1),
            13 if is(b"authorization") => self.is_changed = true,
            16 if is(b"x-tessera-caller") => self.is_changed = true,
            18 if is(b"x-forwarded-prefix") => self.is_changed = true,
            _ => self.asks_more |= asks_more(name),
        }
    }

    /// What is asked for, if that is a page.
    pub(super) fn plain(
        &mut self,
        target: Range<usize>,
        host: Range<usize>,
        fields: Range<usize>,
    ) -> Option<Plain> {
        (!self.asks_more).then(|| Plain {
            target,
            host,
            codings: self.codings.take(),
            tags: self.tags.take(),
            since: self.since.take(),
            fields,
            is_simple: !self.is_changed && self.cookies < 2,
            has_cookie: self.cookies > 0,
        })
    }
}

/// Fields with which something else than the whole page may be the answer, or the connection may go on in another way.
fn asks_more(name: &[u8]) -> bool {
    let names: &[&str] = match name.len() {
        2 => &["te"],
        5 => &["range"],
        6 => &["expect"],
        7 => &["upgrade", "trailer"],
        8 => &["if-match", "if-range"],
        14 => &["content-length"],
        17 => &["transfer-encoding"],
        19 => &["if-unmodified-since"],
        _ => return false,
    };
    let is_it = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
    names.iter().any(is_it)
}

impl Plain {
    /// The request, in the bytes of its head.
    pub(super) fn of<'a>(&self, head: &'a [u8]) -> Option<PlainGet<'a>> {
        let text = |range: &Range<usize>| std::str::from_utf8(head.get(range.clone())?).ok();
        // The outer none: it is there, but is no text.
        let field = |range: &Option<Range<usize>>| match range {
            Some(range) => text(range).map(Some),
            None => Some(None),
        };
        Some(PlainGet {
            target: text(&self.target)?,
            host: text(&self.host)?,
            codings: field(&self.codings)?,
            fields: head.get(self.fields.clone())?,
            is_simple: self.is_simple,
            has_cookie: self.has_cookie,
            held: Held {
                tags: field(&self.tags)?,
                since: field(&self.since)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::Head;

    fn ask(head: &str) -> Option<(String, String, Option<String>)> {
        let whole = Head::default().read(head.as_bytes()).unwrap().unwrap();
        let plain = whole.plain?;
        let ask = plain.of(head.as_bytes())?;
        Some((
            ask.target.to_owned(),
            ask.host.to_owned(),
            ask.codings.map(str::to_owned),
        ))
    }

    #[test]
    fn a_plain_request_says_what_page_it_wants() {
        let browser = "\r\nGET /a/b.html?c=d HTTP/1.1\r\nHost: a:80\r\nConnection: Keep-Alive\r\n\
            User-Agent: x\r\nAccept: text/html\r\naccept-encoding:  gzip, br \r\nCookie: e\r\n\r\n";
        let expected = (
            "/a/b.html?c=d".into(),
            "a:80".into(),
            Some("gzip, br".into()),
        );
        assert_eq!(ask(browser), Some(expected));
        let least = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(ask(least), Some(("/".into(), "a".into(), None)));
    }

    #[test]
    fn a_component_gets_the_fields_as_they_were_sent_unless_it_must_not() {
        for (fields, expected) in [
            ("Host: a\r\n", true),
            ("HOST:  a \r\nCookie: a=b\r\n", true),
            ("Host: a\r\nCookie: a=b\r\nCookie: c=d\r\n", false),
            ("Host: a\r\nauthorization: Basic YTpi\r\n", false),
            ("Host: a\r\nX-Forwarded-Prefix: /a\r\n", false),
            ("Host: a\r\nX-Tessera-Caller: b\r\n", false),
        ] {
            let head = format!("\r\nGET /a HTTP/1.1\r\n{fields}\r\nGET /b");
            let whole = Head::default().read(head.as_bytes()).unwrap().unwrap();
            let plain = whole.plain.unwrap();
            let ask = plain.of(head.as_bytes()).unwrap();
            assert_eq!((ask.fields, ask.is_simple), (fields.as_bytes(), expected));
            assert_eq!(ask.has_cookie, fields.contains("Cookie"));
        }
    }

    #[test]
    fn what_the_client_has_is_part_of_what_it_asks() {
        let held = |fields: &str| {
            let head = format!("GET /a HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            let whole = Head::default().read(head.as_bytes()).unwrap().unwrap();
            let plain = whole.plain.unwrap();
            let ask = plain.of(head.as_bytes())?;
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Some((owned(ask.held.tags), owned(ask.held.since)))
        };
        assert_eq!(held(""), Some((None, None)));
        let both = "if-none-match: \"a\", *\r\nIf-Modified-Since:  yesterday \r\n";
        let expected = (Some("\"a\", *".into()), Some("yesterday".into()));
        assert_eq!(held(both), Some(expected));
        assert_eq!(
            held("If-None-Match:\r\n"),
            Some((Some(String::new()), None))
        );
    }

    #[test]
    fn whoever_asks_for_more_is_the_librarys() {
        for line in [
            "HEAD / HTTP/1.1",
            "POST / HTTP/1.1",
            "GET http://a/ HTTP/1.1",
            "GET / HTTP/1.0",
        ] {
            assert_eq!(ask(&format!("{line}\r\nHost: a\r\n\r\n")), None, "{line}");
        }
        for field in [
            "Connection: close",
            "Connection: keep-alive, upgrade",
            "Upgrade: h2c",
            "TE: trailers",
            "Trailer: a",
            "Range: bytes=0-1",
            "If-Range: \"a\"",
            "If-Match: *",
            "If-None-Match: \"a\"\r\nif-none-match: \"b\"",
            "If-Modified-Since: a\r\nIf-Modified-Since: a",
            "If-Unmodified-Since: Sat, 21 Nov 2026 12:00:00 GMT",
            "Expect: 100-continue",
            "Content-Length: 0",
            "Transfer-Encoding: chunked",
            "Accept-Encoding: br\r\nAccept-Encoding: gzip",
            "Accept-Encoding: \u{fc}\u{fc}\r\nIf-Match: *",
        ] {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n");
            assert_eq!(ask(&head), None, "{field}");
        }
    }
}
