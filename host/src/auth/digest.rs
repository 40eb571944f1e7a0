//! Credentials of the DIGEST scheme (RFC 7616): read, and compared with what a password would give.

use ::http::HeaderMap;
use ::http::header::AUTHORIZATION;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// Longest header value that is read.
const BYTES_MAX: usize = 8 * 1024;
/// Most parameters: the RFC has eleven, and clients may add their own.
const PARAMETERS_MAX: usize = 32;

/// What hashes are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha256,
    Md5,
}

impl Algorithm {
    /// Those that clients may choose from, the best first.
    pub(super) const OFFERED: [Self; 2] = [Self::Sha256, Self::Md5];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// The hash of some texts with colons between them, in hexadecimal digits.
    fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Sha256 => hex(&Sha256::digest(text)),
            Self::Md5 => hex(&Md5::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

/// What a client sent, complete and well-formed; whether it is right is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) user: String,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) uri: String,
    pub(super) algorithm: Algorithm,
    /// As it was sent, since the hash is about it.
    count_text: String,
    /// Of the requests with this nonce, from 1.
    pub(super) count: u32,
    client_nonce: String,
    pub(super) response: String,
}

impl Sent {
    /// The credentials of a request, if it has those of this scheme, once.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return None;
        };
        Self::parse(field.as_bytes())
    }

    /// Reads a header value. What is not exactly as it should be is nothing: no name is guessed from what is half there.
    fn parse(value: &[u8]) -> Option<Self> {
        if value.len() > BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(value).ok()?;
        let (scheme, rest) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut parameters = parameters(rest)?;
        let mut take = |name: &str| {
            let found = parameters.iter().position(|(other, _)| other == name)?;
            Some(parameters.swap_remove(found).1)
        };
        let algorithm = match take("algorithm") {
            // The RFC's default, for clients of before it had a choice.
            None => Algorithm::Md5,
            Some(name) => *Algorithm::OFFERED
                .iter()
                .find(|it| it.name().eq_ignore_ascii_case(&name))?,
        };
        // The ways to send a name that were not offered.
        if take("username*").is_some() || take("userhash").is_some_and(|it| it != "false") {
            return None;
        }
        if take("qop")? != "auth" {
            return None;
        }
        let count_text = take("nc")?;
        let is_count = count_text.len() == 8 && count_text.bytes().all(|b| b.is_ascii_hexdigit());
        let count = u32::from_str_radix(&count_text, 16).ok();
        Some(Self {
            user: take("username")?,
            realm: take("realm")?,
            nonce: take("nonce")?,
            uri: take("uri")?,
            algorithm,
            count: count.filter(|count| is_count && *count > 0)?,
            count_text,
            client_nonce: take("cnonce").filter(|it| !it.is_empty())?,
            response: take("response")?.to_ascii_lowercase(),
        })
    }

    /// Whether the password is the one that the response was made with. Takes the same time for every wrong response.
    pub(super) fn is_made_with(&self, method: &str, password: &str) -> bool {
        let hash = |parts: &[&str]| self.algorithm.hash(parts);
        let secret = hash(&[&self.user, &self.realm, password]);
        let about = hash(&[method, &self.uri]);
        let expected = hash(&[
            &secret,
            &self.nonce,
            &self.count_text,
            &self.client_nonce,
            "auth",
            &about,
        ]);
        expected.as_bytes().ct_eq(self.response.as_bytes()).into()
    }
}

/// Names in lower case, and values without their quotes. None if a name is there twice, or something is no parameter.
fn parameters(text: &str) -> Option<Vec<(String, String)>> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_matches([' ', '\t']);
    loop {
        let (name, behind) = rest.split_once('=')?;
        let name = name.trim_end_matches([' ', '\t']).to_ascii_lowercase();
        if !is_token(&name) || all.len() == PARAMETERS_MAX {
            return None;
        }
        if all.iter().any(|(other, _)| *other == name) {
            return None;
        }
        let behind = behind.trim_start_matches([' ', '\t']);
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = behind.find([',', ' ', '\t']).unwrap_or(behind.len());
                let (value, behind) = behind.split_at_checked(end)?;
                if !is_token(value) {
                    return None;
                }
                (value.to_owned(), behind)
            }
        };
        all.push((name, value));
        let behind = behind.trim_start_matches([' ', '\t']);
        if behind.is_empty() {
            return Some(all);
        }
        rest = behind.strip_prefix(',')?.trim_start_matches([' ', '\t']);
    }
}

/// A text up to its closing quote, and what is behind that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next().filter(|c| !c.is_control())?),
            c if c.is_control() => return None,
            c => value.push(c),
        }
    }
}

fn is_token(text: &str) -> bool {
    let is_in_tokens = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_in_tokens)
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
