//! Conditional requests: what If-Match and its kin ask for, in the order of RFC 9110, section 13.2.2.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::cache::Variant;
use crate::http::Held;

/// What tells one version of a file from another.
#[derive(Clone)]
pub(super) struct Validators {
    /// Strong: changes with the time of the last change, to the nanosecond, the length, and how the content is coded.
    pub(super) etag: HeaderValue,
    /// To the second, as HTTP has it.
    pub(super) modified: Option<SystemTime>,
}

/// How the request is to be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With the file.
    Full,
    /// With 304.
    NotModified,
    /// With 412.
    PreconditionFailed,
}

impl Validators {
    /// Those of a file. One that holds another's content in a compressed form has the other's time of change.
    pub(super) fn of(metadata: &Metadata, modified: Option<SystemTime>) -> Self {
        let own = metadata.modified().ok();
        let age = own
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .unwrap_or_default();
        let etag = format!("\"{:x}-{:x}\"", age.as_nanos(), metadata.len());
        let to_the_second = || own.map(|_| UNIX_EPOCH + Duration::from_secs(age.as_secs()));
        Self {
            // Hexadecimal digits, a hyphen, quotes: always a header value.
            etag: HeaderValue::try_from(etag).unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
            modified: modified.or_else(to_the_second).map(not_in_future),
        }
    }

    /// Makes the tag that of a compressed form: other bytes are another representation.
    pub(super) fn mark(&mut self, variant: Variant) {
        let Some(tag) = self.etag.as_bytes().strip_suffix(b"\"") else {
            return;
        };
        let level = variant.level.map(|level| level.to_string());
        let coding = variant.coding.token();
        let level = level.unwrap_or_default();
        let marked = [tag, b"-", coding.as_bytes(), level.as_bytes(), b"\""].concat();
        if let Ok(marked) = HeaderValue::from_bytes(&marked) {
            self.etag = marked;
        }
    }

    /// Whether equal tags mean equal bytes.
    pub(super) fn is_strong(&self) -> bool {
        self.etag.as_bytes().starts_with(b"\"")
    }

    /// Whether a date names this very version: it is the same, and the second that it names is over, so that no other
    /// version can have come within it. RFC 9110, section 8.8.2.2.
    pub(super) fn is_dated(&self, date: &HeaderValue) -> bool {
        let Some(modified) = self
            .modified
            .filter(|modified| read_date(date) == Some(*modified))
        else {
            return false;
        };
        modified
            .elapsed()
            .is_ok_and(|age| age >= Duration::from_secs(1))
    }
}

/// A file may be dated in the future; what is said to clients must not be: RFC 9110, section 8.8.2.1.
fn not_in_future(modified: SystemTime) -> SystemTime {
    let now = SystemTime::now();
    if modified <= now {
        return modified;
    }
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since_epoch.as_secs())
}

/// Holds a request that reads to its conditions. Those of other methods are not looked at: what they are answered with,
/// 405 or 204, would be the same without: RFC 9110, section 13.2.1.
pub(super) fn evaluate(headers: &HeaderMap, validators: &Validators) -> Outcome {
    let etag = validators.etag.as_bytes();
    if headers.contains_key(IF_MATCH) {
        if !lists(fields(headers, IF_MATCH), |tag| tag == etag) {
            return Outcome::PreconditionFailed;
        }
    } else if let (Some(date), Some(modified)) =
        (date(headers, IF_UNMODIFIED_SINCE), validators.modified)
        && modified > date
    {
        return Outcome::PreconditionFailed;
    }
    let is_held = match headers.contains_key(IF_NONE_MATCH) {
        true => is_listed(fields(headers, IF_NONE_MATCH), validators),
        false => date(headers, IF_MODIFIED_SINCE).is_some_and(|date| is_since(date, validators)),
    };
    match is_held {
        true => Outcome::NotModified,
        false => Outcome::Full,
    }
}

/// Whether a client has this very version, so that 304 is the answer to a GET that asks for nothing else.
pub(super) fn is_held(held: Held<'_>, validators: &Validators) -> bool {
    match (held.tags, held.since) {
        (Some(tags), _) => is_listed([tags.as_bytes()].into_iter(), validators),
        (None, Some(date)) => {
            httpdate::parse_http_date(date).is_ok_and(|date| is_since(date, validators))
        }
        (None, None) => false,
    }
}

/// Whether the tag is among those of If-None-Match.
fn is_listed<'a>(fields: impl Iterator<Item = &'a [u8]>, validators: &Validators) -> bool {
    let etag = validators.etag.as_bytes();
    // Compared weakly: a cache may have weakened our tag.
    lists(fields, |tag| tag.strip_prefix(b"W/").unwrap_or(tag) == etag)
}

/// Whether nothing has changed since a date. One in the future is no answer's, so that nothing follows from it.
fn is_since(date: SystemTime, validators: &Validators) -> bool {
    validators
        .modified
        .is_some_and(|modified| modified <= date && (modified == date || date <= SystemTime::now()))
}

fn fields(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let fields = headers.get_all(name);
    fields.into_iter().map(HeaderValue::as_bytes)
}

/// Whether lists of tags hold one that matches, or a field is `*`.
fn lists<'a>(mut fields: impl Iterator<Item = &'a [u8]>, matches: impl Fn(&[u8]) -> bool) -> bool {
    fields.any(|field| field.trim_ascii() == b"*" || Tags(field).any(&matches))
}

/// The tags of a list, as they are written. A comma within a tag does not end it; what is no tag is passed over.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let is_between = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
            let start = self.0.iter().position(|byte| !is_between(byte))?;
            let list = self.0.get(start..)?;
            let mark = if list.starts_with(b"W/") { 2 } else { 0 };
            let is_tag = list.get(mark) == Some(&b'"');
            let end = match is_tag {
                true => {
                    let opaque = list.get(mark + 1..)?;
                    mark + 1 + opaque.iter().position(|byte| *byte == b'"')? + 1
                }
                false => list
                    .iter()
                    .position(|byte| *byte == b',')
                    .unwrap_or(list.len()),
            };
            let (tag, rest) = list.split_at_checked(end)?;
            self.0 = rest;
            if is_tag {
                return Some(tag);
            }
        }
    }
}

/// The date of a field; none if there are several, or what it says is no date.
fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let mut fields = headers.get_all(name).iter();
    fields
        .next()
        .filter(|_| fields.next().is_none())
        .and_then(read_date)
}

/// Reads any of the three forms of a date.
fn read_date(field: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(field.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "Mon, 07 Dec 2020 13:12:49 GMT";
    const SAME: &str = "Mon, 07 Dec 2020 13:12:50 GMT";
    const AFTER: &str = "Mon, 07 Dec 2020 13:12:51 GMT";

    fn check(conditions: &[(HeaderName, &str)], expected: Outcome) {
        let validators = Validators {
            etag: HeaderValue::from_static("\"a-1\""),
            modified: httpdate::parse_http_date(SAME).ok(),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in conditions {
            headers.append(name, value.parse().unwrap());
        }
        assert_eq!(evaluate(&headers, &validators), expected, "{conditions:?}");
    }

    #[test]
    fn each_condition_alone() {
        check(&[], Outcome::Full);
        check(&[(IF_NONE_MATCH, "\"a-1\"")], Outcome::NotModified);
        check(&[(IF_NONE_MATCH, "\"x\", W/\"a-1\"")], Outcome::NotModified);
        check(&[(IF_NONE_MATCH, "*")], Outcome::NotModified);
        check(&[(IF_NONE_MATCH, "\"x\"")], Outcome::Full);
        check(&[(IF_MODIFIED_SINCE, BEFORE)], Outcome::Full);
        check(&[(IF_MODIFIED_SINCE, SAME)], Outcome::NotModified);
        check(&[(IF_MODIFIED_SINCE, AFTER)], Outcome::NotModified);
        check(&[(IF_MODIFIED_SINCE, "yesterday")], Outcome::Full);
        check(&[(IF_MATCH, "\"a-1\"")], Outcome::Full);
        check(&[(IF_MATCH, "W/\"a-1\"")], Outcome::PreconditionFailed);
        check(&[(IF_MATCH, "\"x\"")], Outcome::PreconditionFailed);
        check(
            &[(IF_UNMODIFIED_SINCE, BEFORE)],
            Outcome::PreconditionFailed,
        );
        check(&[(IF_UNMODIFIED_SINCE, SAME)], Outcome::Full);
    }

    #[test]
    fn dates_have_three_forms_and_none_is_in_the_future() {
        for (date, expected) in [
            ("Monday, 07-Dec-20 13:12:50 GMT", Outcome::NotModified),
            ("Mon Dec  7 13:12:50 2020", Outcome::NotModified),
            ("Monday, 07-Dec-20 13:12:49 GMT", Outcome::Full),
            ("Mon Dec  7 13:12:49 2020", Outcome::Full),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Outcome::Full),
            ("Mon, 07 Dec 2020 13:12:50", Outcome::Full),
            ("Mon, 07 Dec 2020 13:12:50 +0200", Outcome::Full),
            ("1607346770", Outcome::Full),
            ("", Outcome::Full),
        ] {
            check(&[(IF_MODIFIED_SINCE, date)], expected);
        }
        check(
            &[(IF_MODIFIED_SINCE, SAME), (IF_MODIFIED_SINCE, SAME)],
            Outcome::Full,
        );
        check(&[(IF_UNMODIFIED_SINCE, "yesterday")], Outcome::Full);
        check(
            &[(IF_UNMODIFIED_SINCE, BEFORE), (IF_UNMODIFIED_SINCE, BEFORE)],
            Outcome::Full,
        );
    }

    #[test]
    fn a_file_of_the_future_is_said_to_be_of_now() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let next_year = SystemTime::now() + Duration::from_secs(365 * 86_400);
        file.as_file().set_modified(next_year).unwrap();
        let validators = Validators::of(&file.as_file().metadata().unwrap(), None);
        assert!(validators.modified.unwrap() <= SystemTime::now());
    }

    #[test]
    fn tags_may_hold_commas_and_lists_have_gaps() {
        for (list, expected) in [
            ("\"x,\", \"a-1\"", true),
            ("\"a-1,\"", false),
            ("\",\"a-1\",\"", false),
            ("\"x, \"a-1\", y\"", false),
            (",, \t\"a-1\"", true),
            ("\"x\"\"a-1\"", true),
            ("a-1", false),
            ("x, \"a-1\"", true),
            ("\"a-1", false),
            ("\"", false),
            ("W/", false),
            ("W/\"", false),
            ("w/\"a-1\"", false),
            ("*, \"x\"", false),
            ("\"*\"", false),
            ("", false),
        ] {
            let found = Tags(list.as_bytes()).any(|tag| tag == b"\"a-1\"");
            assert_eq!(found, expected, "{list}");
        }
        check(
            &[(IF_NONE_MATCH, "\"x\""), (IF_NONE_MATCH, "\"a-1\"")],
            Outcome::NotModified,
        );
        check(&[(IF_MATCH, "*")], Outcome::Full);
        check(&[(IF_MATCH, "\"x\", \"a-1\"")], Outcome::Full);
        check(&[(IF_MATCH, "")], Outcome::PreconditionFailed);
    }

    #[test]
    fn tags_go_before_dates() {
        check(
            &[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, AFTER)],
            Outcome::Full,
        );
        check(
            &[(IF_MATCH, "\"a-1\""), (IF_UNMODIFIED_SINCE, BEFORE)],
            Outcome::Full,
        );
        check(
            &[(IF_MATCH, "\"a-1\""), (IF_NONE_MATCH, "\"a-1\"")],
            Outcome::NotModified,
        );
    }

    /// Whatever a list holds, what is taken for a tag is one.
    #[test]
    fn no_list_is_read_wrongly() {
        let pieces = [
            "\"", "W/", ",", " ", "\t", "*", "a-1", "\"a-1\"", "\\\"", "\u{e9}",
        ];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed >> 33).unwrap() % below
        };
        for _ in 0..20_000 {
            let list: String = (0..next(16)).map(|_| pieces[next(pieces.len())]).collect();
            for tag in Tags(list.as_bytes()) {
                let opaque = tag.strip_prefix(b"W/").unwrap_or(tag);
                let inside = opaque
                    .strip_prefix(b"\"")
                    .and_then(|it| it.strip_suffix(b"\""));
                assert!(
                    inside.is_some_and(|it| !it.contains(&b'"')),
                    "{list}: {tag:?}"
                );
            }
        }
    }
}
