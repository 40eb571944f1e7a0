//! Which trace a request belongs to, as its fields say it: W3C Trace Context, `traceparent` and `tracestate`.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue};

/// The field with trace, caller and whether it is recorded.
pub(crate) const PARENT: HeaderName = HeaderName::from_static("traceparent");
/// The field with what each tracing system wants to know again.
pub(crate) const STATE: HeaderName = HeaderName::from_static("tracestate");

/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const PARENT_BYTES: usize = 55;
/// What everybody has to pass on, by the specification; what is longer is left out.
const STATE_BYTES_MAX: usize = 512;
const SAMPLED: u8 = 1;

/// A place in a trace: whatever is done next is done for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    /// The trace; never 0.
    pub(crate) trace: u128,
    /// The span; never 0.
    pub(crate) span: u64,
    /// Whether it is recorded.
    pub(crate) is_sampled: bool,
    /// `tracestate`, as it came.
    pub(crate) state: Option<Arc<str>>,
}

impl Context {
    /// The one that the fields of a request name. None where they name none, or more than one, or name it wrongly.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(&PARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        let mut context = Self::parse(value.as_bytes())?;
        context.state = state(headers);
        Some(context)
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let (known, further) = value.split_at_checked(PARENT_BYTES)?;
        let version = number(known.get(..2)?)?;
        let dashes = [2, 35, 52].map(|at| known.get(at) == Some(&b'-'));
        // Later versions may say more behind another dash; version 255 there is none.
        let may_go_on = version > 0 && further.first().is_none_or(|byte| *byte == b'-');
        let is_whole = further.is_empty() || may_go_on;
        if version == 0xff || dashes != [true; 3] || !is_whole {
            return None;
        }
        let trace = number(known.get(3..35)?).filter(|trace| *trace != 0)?;
        let span = number(known.get(36..52)?).filter(|span| *span != 0)?;
        let flags = number(known.get(53..55)?)?;
        Some(Self {
            trace,
            span: u64::try_from(span).ok()?,
            is_sampled: u8::try_from(flags).ok()? & SAMPLED != 0,
            state: None,
        })
    }

    /// As it is handed on: the value of `traceparent`.
    pub(crate) fn parent(&self) -> String {
        let (trace, span, flags) = (self.trace, self.span, u8::from(self.is_sampled));
        format!("00-{trace:032x}-{span:016x}-{flags:02x}")
    }

    /// Has a request say that it belongs here, whatever it said before.
    pub(crate) fn put_into(&self, headers: &mut HeaderMap) {
        if let Ok(parent) = HeaderValue::try_from(self.parent()) {
            headers.insert(PARENT, parent);
        }
        match self.state.as_deref().map(HeaderValue::from_str) {
            Some(Ok(state)) => headers.insert(STATE, state),
            _ => headers.remove(STATE),
        };
    }
}

/// All `tracestate` fields as one, if that is text and not too long.
fn state(headers: &HeaderMap) -> Option<Arc<str>> {
    let mut all = String::new();
    for value in headers.get_all(&STATE) {
        let value = value.to_str().ok()?.trim();
        if !value.is_empty() {
            if !all.is_empty() {
                all.push(',');
            }
            all.push_str(value);
        }
        if all.len() > STATE_BYTES_MAX {
            return None;
        }
    }
    (!all.is_empty()).then(|| all.into())
}

/// A number of lower-case hexadecimal digits, at most 32.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number: u128, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn of(fields: &[(&HeaderName, &str)]) -> Option<Context> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Context::of(&headers)
    }

    #[test]
    fn a_context_is_read_and_handed_on() {
        let context = of(&[(&PARENT, GOOD), (&STATE, "a=1"), (&STATE, " b=2 ")]).unwrap();
        assert_eq!(context.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!(
            (context.span, context.is_sampled),
            (0xb7ad_6b71_6920_3331, true)
        );
        assert_eq!(context.state.as_deref(), Some("a=1,b=2"));
        assert_eq!(context.parent(), GOOD);
        let mut headers = HeaderMap::new();
        headers.append(PARENT, HeaderValue::from_static("old"));
        headers.append(PARENT, HeaderValue::from_static("older"));
        context.put_into(&mut headers);
        assert_eq!(Context::of(&headers), Some(context));
    }

    #[test]
    fn flags_and_later_versions_are_understood_as_far_as_they_are_known() {
        for (value, is_sampled) in [
            (GOOD.replace("-01", "-00"), false),
            (GOOD.replace("-01", "-02"), false),
            (GOOD.replace("-01", "-ff"), true),
            (GOOD.replacen("00", "cc", 1), true),
            (GOOD.replacen("00", "cc", 1) + "-more", true),
        ] {
            let context = of(&[(&PARENT, &value)]).unwrap();
            assert_eq!(context.is_sampled, is_sampled, "{value}");
        }
    }

    #[test]
    fn what_is_wrong_is_none() {
        for value in [
            String::new(),
            GOOD[..54].to_owned(),
            format!("{GOOD}0"),
            format!("{GOOD}-more"),
            GOOD.replacen("00", "ff", 1),
            GOOD.replacen("00", "cc", 1) + "more",
            GOOD.to_uppercase(),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            GOOD.replace('-', "_"),
            GOOD.replace("-01", "-0x"),
        ] {
            assert_eq!(of(&[(&PARENT, &value)]), None, "{value}");
        }
        assert_eq!(of(&[(&PARENT, GOOD), (&PARENT, GOOD)]), None);
        let long = of(&[(&PARENT, GOOD), (&STATE, &"a=1,".repeat(200))]).unwrap();
        assert_eq!(long.state, None);
    }

    #[test]
    fn no_mutation_panics_and_what_is_read_is_what_is_handed_on() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed >> 33).unwrap()
        };
        for _ in 0..20_000 {
            let mut value = GOOD.as_bytes().to_vec();
            for _ in 0..=next() % 3 {
                let at = next() % value.len();
                match next() % 3 {
                    0 => value[at] = u8::try_from(next() % 256).unwrap(),
                    1 => drop(value.remove(at)),
                    _ => value.insert(at, b"0f-g"[next() % 4]),
                }
            }
            if let Some(context) = Context::parse(&value) {
                let parent = context.parent();
                assert_eq!(Context::parse(parent.as_bytes()), Some(context));
                assert_eq!(&parent.as_bytes()[2..53], &value[2..53]);
            }
        }
    }
}
