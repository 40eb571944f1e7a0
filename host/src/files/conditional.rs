//! Conditional requests: what If-Match and its kin ask for, in the order of RFC 9110, section 13.2.2.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::cache::Variant;

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
            modified: modified.or_else(to_the_second),
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
}

pub(super) fn evaluate(headers: &HeaderMap, validators: &Validators) -> Outcome {
    let etag = validators.etag.as_bytes();
    if headers.contains_key(IF_MATCH) {
        if !lists(headers, IF_MATCH, |tag| tag == etag) {
            return Outcome::PreconditionFailed;
        }
    } else if let (Some(date), Some(modified)) =
        (date(headers, IF_UNMODIFIED_SINCE), validators.modified)
        && modified > date
    {
        return Outcome::PreconditionFailed;
    }
    if headers.contains_key(IF_NONE_MATCH) {
        // Compared weakly: a cache may have weakened our tag.
        if lists(headers, IF_NONE_MATCH, |tag| {
            tag.strip_prefix(b"W/").unwrap_or(tag) == etag
        }) {
            return Outcome::NotModified;
        }
    } else if let (Some(date), Some(modified)) =
        (date(headers, IF_MODIFIED_SINCE), validators.modified)
        && modified <= date
    {
        return Outcome::NotModified;
    }
    Outcome::Full
}

/// Whether a list of tags holds one that matches, or is `*`.
fn lists(headers: &HeaderMap, name: HeaderName, matches: impl Fn(&[u8]) -> bool) -> bool {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|tag| tag == b"*" || matches(tag))
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
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
}
