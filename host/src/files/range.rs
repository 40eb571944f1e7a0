//! Which bytes of a file a request asks for: Range and If-Range, RFC 9110, sections 13.1.5 and 14.2.

use std::ops::Range;

use ::http::header::{IF_RANGE, RANGE};
use ::http::{HeaderMap, HeaderValue, Method};

use super::conditional::Validators;

/// Most ranges of a request that are looked at. Who asks for more is not reading a file.
const ASKED_MAX: usize = 128;
/// Most parts of one answer.
const PARTS_MAX: usize = 16;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Everything, with 200.
    Whole,
    /// One part, with 206.
    Part(Range<u64>),
    /// From 2 to 16 parts that do not touch, in the order of the request, with 206.
    Parts(Vec<Range<u64>>),
    /// Nothing, with 416.
    Unsatisfiable,
}

/// What one `range-spec` means.
enum Spec {
    Satisfiable(Range<u64>),
    Unsatisfiable,
}

/// Decides it for a representation of `length` bytes. To be asked after all other conditions: section 13.2.2.
///
/// A Range that is malformed, of another unit, or asks for more bytes than there are, is ignored.
pub(super) fn plan(
    headers: &HeaderMap,
    method: &Method,
    length: u64,
    validators: &Validators,
) -> Plan {
    let Some(asked) = headers.get(RANGE) else {
        return Plan::Whole;
    };
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    // A list of ranges is one field: several are no list.
    let is_single = headers.get_all(RANGE).iter().nth(1).is_none();
    if !is_read || !is_single || !is_same_version(headers, validators) {
        return Plan::Whole;
    }
    let specs = asked.to_str().ok().and_then(|asked| read(asked, length));
    specs.map_or(Plan::Whole, |specs| arrange(specs, length))
}

/// Whether the client has a part of this very version, if it says of which it has one.
fn is_same_version(headers: &HeaderMap, validators: &Validators) -> bool {
    let Some(version) = headers.get(IF_RANGE) else {
        return true;
    };
    let is_tag = |version: &HeaderValue| {
        version.as_bytes().starts_with(b"\"") || version.as_bytes().starts_with(b"W/")
    };
    if is_tag(version) {
        // Compared strongly: the parts of two versions that only mean the same do not fit together.
        validators.is_strong() && version == validators.etag
    } else {
        validators.is_dated(version)
    }
}

/// Reads `bytes=0-99,200-,-5`. `None` if it is to be ignored.
fn read(asked: &str, length: u64) -> Option<Vec<Spec>> {
    let (unit, list) = asked.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut specs = Vec::new();
    // Empty members of a list are allowed: section 5.6.1.2.
    let members = list
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    for member in members.filter(|member| !member.is_empty()) {
        if specs.len() == ASKED_MAX {
            return None;
        }
        specs.push(spec(member, length)?);
    }
    (!specs.is_empty()).then_some(specs)
}

fn spec(member: &str, length: u64) -> Option<Spec> {
    let (first, last) = member.split_once('-')?;
    let range = match (first.is_empty(), last.is_empty()) {
        (true, _) => {
            let count = number(last)?;
            if length == 0 && count > 0 {
                // All of nothing: there is no Content-Range for that.
                return None;
            }
            length.saturating_sub(count)..length
        }
        (false, true) => number(first)?..length,
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..length.min(last.saturating_add(1))
        }
    };
    let is_satisfiable = range.start < range.end;
    Some(match is_satisfiable {
        true => Spec::Satisfiable(range),
        false => Spec::Unsatisfiable,
    })
}

/// A number as large as it likes: what is above all lengths is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

fn arrange(specs: Vec<Spec>, length: u64) -> Plan {
    let satisfiable = specs.into_iter().filter_map(|spec| match spec {
        Spec::Satisfiable(range) => Some(range),
        Spec::Unsatisfiable => None,
    });
    let mut ranges: Vec<_> = satisfiable.collect();
    if ranges.len() > 1 {
        let sizes = ranges.iter().map(|range| range.end - range.start);
        // Who asks for the same bytes again and again wants to cost more than a file does.
        if sizes.fold(0, u64::saturating_add) > length {
            return Plan::Whole;
        }
        ranges = coalesced(ranges);
    }
    match ranges.len() {
        0 => Plan::Unsatisfiable,
        1 => Plan::Part(ranges.swap_remove(0)),
        2..=PARTS_MAX => Plan::Parts(ranges),
        _ => Plan::Whole,
    }
}

/// Makes one of those that overlap or touch, at the place of the first of them.
fn coalesced(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut apart: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for mut range in ranges {
        let mut place = apart.len();
        let touches = |range: &Range<u64>, other: &Range<u64>| {
            range.start <= other.end && other.start <= range.end
        };
        // Having grown, it may touch one that it was apart from.
        while let Some(index) = apart.iter().position(|other| touches(&range, other)) {
            let other = apart.remove(index);
            range = range.start.min(other.start)..range.end.max(other.end);
            place = place.min(index);
        }
        apart.insert(place.min(apart.len()), range);
    }
    apart
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use Plan::{Part, Parts, Unsatisfiable, Whole};

    const LENGTH: u64 = 100;

    fn validators(etag: &'static str, age: Duration) -> Validators {
        let modified = SystemTime::now() - age;
        Validators {
            etag: HeaderValue::from_static(etag),
            modified: httpdate::parse_http_date(&httpdate::fmt_http_date(modified)).ok(),
        }
    }

    fn plan_of(range: &str, length: u64) -> Plan {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        let validators = validators("\"a\"", Duration::from_secs(60));
        plan(&headers, &Method::GET, length, &validators)
    }

    #[test]
    fn each_form_of_a_range_is_understood() {
        for (range, expected) in [
            ("bytes=0-9", Part(0..10)),
            ("BYTES=0-9", Part(0..10)),
            ("bytes=0-0", Part(0..1)),
            ("bytes=10-", Part(10..100)),
            ("bytes=0-", Part(0..100)),
            ("bytes=90-1000", Part(90..100)),
            ("bytes=90-99999999999999999999999999", Part(90..100)),
            ("bytes=-10", Part(90..100)),
            ("bytes=-1000", Part(0..100)),
            ("bytes=-99999999999999999999999999", Part(0..100)),
            ("bytes=99-", Part(99..100)),
            ("bytes= 0-9", Part(0..10)),
            ("bytes=0-9 ,\t", Part(0..10)),
            ("bytes=,,0-9,", Part(0..10)),
            ("bytes=100-", Unsatisfiable),
            ("bytes=100-200", Unsatisfiable),
            ("bytes=99999999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=-0,100-", Unsatisfiable),
            ("bytes=0-9,100-", Part(0..10)),
            ("bytes=0-1,10-19", Parts(vec![0..2, 10..20])),
            ("bytes=10-19,0-1", Parts(vec![10..20, 0..2])),
            ("bytes=0-0,-1", Parts(vec![0..1, 99..100])),
            ("bytes=0-9,5-14", Part(0..15)),
            ("bytes=0-9,10-14", Part(0..15)),
            ("bytes=0-9,20-29,5-24", Part(0..30)),
            ("bytes=50-59,0-9,20-29,9-20", Parts(vec![50..60, 0..30])),
            ("bytes=0-,-1", Whole),
            ("bytes=0-60,40-99", Whole),
        ] {
            assert_eq!(plan_of(range, LENGTH), expected, "{range}");
        }
        assert_eq!(plan_of("bytes=0-", 0), Unsatisfiable);
        assert_eq!(plan_of("bytes=-5", 0), Whole);
        let end = u64::MAX;
        assert_eq!(plan_of("bytes=18446744073709551615-", end), Unsatisfiable);
        assert_eq!(plan_of("bytes=5-18446744073709551615", end), Part(5..end));
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=abc",
            "bytes=-",
            "bytes=1",
            "bytes=--1",
            "bytes=1--2",
            "bytes=2-1",
            "bytes=0-9,2-1",
            "bytes=0-9,x",
            "bytes=+1-2",
            "bytes=0x1-2",
            "bytes=0-9;10-19",
            "bytes =0-9",
            "bytes: 0-9",
            "bytes=0 -9",
            "bytes=0- 9",
            "items=0-9",
            "none",
            "bytes=1-2=3",
            "bytes=1.0-2",
            "bytes=\u{663}-",
        ] {
            assert_eq!(plan_of(range, LENGTH), Whole, "{range}");
        }
        let mut twice = HeaderMap::new();
        twice.append(RANGE, HeaderValue::from_static("bytes=0-1"));
        twice.append(RANGE, HeaderValue::from_static("bytes=5-6"));
        let validators = validators("\"a\"", Duration::from_secs(60));
        assert_eq!(plan(&twice, &Method::GET, LENGTH, &validators), Whole);
        assert_eq!(plan(&twice, &Method::POST, LENGTH, &validators), Whole);
    }

    #[test]
    fn nobody_is_sent_more_than_the_file_or_more_than_sixteen_parts() {
        let many = |count: u64| {
            let ranges: Vec<_> = (0..count)
                .map(|i| format!("{}-{}", i * 10, i * 10 + 1))
                .collect();
            format!("bytes={}", ranges.join(","))
        };
        assert!(matches!(plan_of(&many(16), 10_000), Parts(parts) if parts.len() == 16));
        assert_eq!(plan_of(&many(17), 10_000), Whole);
        assert_eq!(plan_of(&many(1200), 1_000_000), Whole);
        assert_eq!(
            plan_of(&format!("bytes={}", "0-,".repeat(1200)), 10_000),
            Whole
        );
    }

    #[test]
    fn if_range_holds_for_the_very_same_version_only() {
        let date = |age| {
            let validators = validators("\"a\"", Duration::from_secs(age));
            httpdate::fmt_http_date(validators.modified.unwrap())
        };
        let (old, young) = (Duration::from_secs(60), Duration::ZERO);
        for (etag, age, version, expected) in [
            ("\"a\"", old, "\"a\"", Part(0..1)),
            ("\"a\"", old, "\"b\"", Whole),
            ("\"a\"", old, "W/\"a\"", Whole),
            ("W/\"a\"", old, "W/\"a\"", Whole),
            ("\"a\"", old, "\"a\", \"b\"", Whole),
            ("\"a\"", old, "*", Whole),
            ("\"a\"", old, &date(60), Part(0..1)),
            ("\"a\"", old, &date(61), Whole),
            ("\"a\"", old, &date(59), Whole),
            ("\"a\"", old, "yesterday", Whole),
            // It may be changed again within the second that its date names.
            ("\"a\"", young, &date(0), Whole),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static("bytes=0-0"));
            headers.insert(IF_RANGE, version.parse().unwrap());
            let plan = plan(&headers, &Method::GET, LENGTH, &validators(etag, age));
            assert_eq!(plan, expected, "{version} of {etag}, {age:?} old");
        }
    }

    /// Whatever is asked, what is sent lies in the file, in parts that do not touch.
    #[test]
    fn no_range_is_answered_with_what_is_not_there() {
        let pieces = [
            "bytes=",
            "0",
            "9",
            "-",
            ",",
            " ",
            "5-6",
            "99",
            "100",
            "-1",
            "18446744073709551615",
            "x",
            "\t",
        ];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed >> 33).unwrap() % below
        };
        for _ in 0..20_000 {
            let mut range = String::from("bytes=");
            for _ in 0..next(24) {
                range.push_str(pieces[next(pieces.len())]);
            }
            let parts = match plan_of(&range, LENGTH) {
                Whole | Unsatisfiable => continue,
                Part(part) => vec![part],
                Parts(parts) => parts,
            };
            let mut sorted = parts.clone();
            sorted.sort_by_key(|part| part.start);
            assert!(
                sorted
                    .iter()
                    .all(|part| part.start < part.end && part.end <= LENGTH),
                "{range}: {parts:?}"
            );
            let are_apart = sorted.windows(2).all(|pair| pair[0].end < pair[1].start);
            assert!(are_apart && parts.len() <= PARTS_MAX, "{range}: {parts:?}");
        }
    }
}
