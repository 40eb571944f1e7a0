//! Which content coding a client wants: Accept-Encoding, RFC 9110, section 12.5.3.

use ::http::header::ACCEPT_ENCODING;
use ::http::{HeaderMap, HeaderValue};

use super::Coding;

/// Most members of the field that are looked at; browsers send four or five.
const MEMBERS_MAX: usize = 32;

/// What a client said of it, read only where it matters: most responses are too small to be compressed, or cannot be.
#[derive(Clone, Debug)]
pub enum Accepting {
    /// Nothing.
    Anything,
    /// In one field, as all clients do.
    Field(HeaderValue),
    /// In several, which were read at once.
    Fields(Accepted),
}

/// What is best for a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// How to compress; none is not at all.
    pub coding: Option<Coding>,
    /// Those that the client likes as much as that one, in the order of [`Coding::BY_PREFERENCE`].
    pub liked: [bool; 3],
    /// Whether the client said that it will not have it uncompressed.
    pub refuses_identity: bool,
}

/// In thousandths.
pub(super) type Weight = u16;

impl Accepting {
    /// Keeps the field.
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(first) = headers.get(ACCEPT_ENCODING) else {
            return Self::Anything;
        };
        let fields = headers.get_all(ACCEPT_ENCODING);
        match fields.iter().nth(1) {
            None => Self::Field(first.clone()),
            Some(_) => Self::Fields(Accepted::of(fields.iter())),
        }
    }

    /// Whether it is possible at all that the client refuses what is not compressed: only a weight can say that.
    pub fn may_refuse_identity(&self) -> bool {
        match self {
            Self::Anything => false,
            Self::Field(field) => field.as_bytes().contains(&b';'),
            Self::Fields(accepted) => accepted.refuses_identity,
        }
    }

    /// Reads it.
    pub fn read(&self) -> Accepted {
        match self {
            Self::Anything => Accepted::default(),
            Self::Field(field) => Accepted::of(std::iter::once(field)),
            Self::Fields(accepted) => *accepted,
        }
    }
}

impl Accepted {
    /// Whether the client likes a coding as much as any.
    pub fn likes(&self, coding: Coding) -> bool {
        let mut all = Coding::BY_PREFERENCE.iter().zip(self.liked);
        all.any(|(one, liked)| *one == coding && liked)
    }

    /// Reads the value of the only field.
    pub fn of_text(field: &str) -> Self {
        Self::of_texts(std::iter::once(field))
    }

    fn of<'a>(fields: impl Iterator<Item = &'a HeaderValue>) -> Self {
        Self::of_texts(fields.filter_map(|field| field.to_str().ok()))
    }

    /// Reads the fields. What is malformed in them counts as not said.
    fn of_texts<'a>(fields: impl Iterator<Item = &'a str>) -> Self {
        // What was said of each in the order of preference, of `*` and of `identity`.
        let mut codings: [Option<Weight>; 3] = [None; 3];
        let (mut others, mut identity) = (None, None);
        let members = fields.flat_map(|field| field.split(','));
        for (name, weight) in members.take(MEMBERS_MAX).filter_map(member) {
            if name == "*" {
                others = Some(weight);
            } else if name.eq_ignore_ascii_case("identity") {
                identity = Some(weight);
            } else if let Some(coding) = Coding::of_token(name) {
                for (said, one) in codings.iter_mut().zip(Coding::BY_PREFERENCE) {
                    if one == coding {
                        *said = Some(weight);
                    }
                }
            }
        }
        let mut best: Option<(Coding, Weight)> = None;
        for (said, coding) in codings.into_iter().zip(Coding::BY_PREFERENCE) {
            let weight = said.or(others).unwrap_or(0);
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((coding, weight));
            }
        }
        // "identity" is acceptable unless it is excluded, but liked only as far as it was said.
        let best = best.filter(|(_, weight)| identity.is_none_or(|identity| *weight >= identity));
        let liked = codings.map(|said| {
            let weight = said.or(others).unwrap_or(0);
            best.is_some_and(|(_, best)| weight == best)
        });
        Self {
            coding: best.map(|(coding, _)| coding),
            liked,
            refuses_identity: identity.or(others) == Some(0),
        }
    }
}

/// A coding and its weight.
fn member(member: &str) -> Option<(&str, Weight)> {
    let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let parameter = parameters.trim();
    if parameter.is_empty() {
        return Some((name, 1000));
    }
    let (key, value) = parameter.split_once('=')?;
    let weight = weight(value.trim())?;
    key.trim()
        .eq_ignore_ascii_case("q")
        .then_some((name, weight))
}

/// `0.5`, with at most three digits after the point.
pub fn weight(text: &str) -> Option<Weight> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.len() > 3 || !is_number(fraction) || !matches!(whole, "0" | "1") {
        return None;
    }
    let mut thousandths = Weight::from(whole == "1") * 1000;
    for (digit, unit) in fraction.bytes().zip([100, 10, 1]) {
        thousandths += Weight::from(digit - b'0') * unit;
    }
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coding::{Brotli, Gzip, Zstd};

    fn accepted(fields: &[&str]) -> Accepted {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(ACCEPT_ENCODING, field.parse().unwrap());
        }
        let accepting = Accepting::of(&headers);
        let accepted = accepting.read();
        assert!(accepting.may_refuse_identity() || !accepted.refuses_identity);
        accepted
    }

    #[test]
    fn the_clients_weights_decide_and_then_our_order() {
        for (field, expected) in [
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("gzip, deflate, br", Some(Brotli)),
            ("gzip", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("GZIP;Q=0.8", Some(Gzip)),
            ("gzip;q=1.0, br;q=0.9, zstd;q=0.999", Some(Gzip)),
            ("br ; q = 0.5,gzip;q=0.4", Some(Brotli)),
            ("gzip;q=0", None),
            ("gzip;q=0.000, br;q=0.001", Some(Brotli)),
            ("*", Some(Zstd)),
            ("zstd;q=0, *", Some(Brotli)),
            ("gzip, *;q=0", Some(Gzip)),
            ("*;q=0", None),
            ("identity", None),
            ("identity, gzip", Some(Gzip)),
            ("identity;q=1, gzip;q=0.5", None),
            ("identity;q=0, gzip;q=0.5", Some(Gzip)),
            ("deflate, compress", None),
            ("", None),
            (",, ,gzip,", Some(Gzip)),
            ("gzip;q=2, br;q=0.0001, zstd;level=3", None),
            ("gzip;q=1.001", None),
            ("gzip;q=-1", None),
            ("gzip;q", None),
        ] {
            assert_eq!(accepted(&[field]).coding, expected, "{field}");
        }
        assert_eq!(accepted(&["gzip;q=0.1", "br;q=0.2"]).coding, Some(Brotli));
        assert_eq!(accepted(&[]), Accepted::default());
    }

    #[test]
    fn identity_is_refused_only_in_so_many_words() {
        for (field, expected) in [
            ("identity;q=0, gzip", true),
            ("*;q=0, gzip", true),
            ("identity;q=0.1, *;q=0, gzip", false),
            ("gzip", false),
            ("", false),
        ] {
            assert_eq!(accepted(&[field]).refuses_identity, expected, "{field}");
        }
    }

    #[test]
    fn a_field_without_end_is_read_only_so_far() {
        let field = "a,".repeat(3_000) + "gzip";
        assert_eq!(accepted(&[&field]).coding, None);
    }
}
