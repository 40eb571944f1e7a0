//! Secrets that clients hold: the value of the session cookie, and one-time tokens.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tessera_engine::SessionError;

/// 192 bits: nobody finds one by trying, however many there are.
const BYTES: usize = 24;
/// What those are in text.
const TEXT_BYTES: usize = 32;
/// Bytes of a hash that stands for a token where it is kept or shown.
const ID_BYTES: usize = 16;

/// A secret of the system's generator.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Token([u8; BYTES]);

/// What a token is for. A token of one kind is worth nothing as another.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Session,
    Otp,
    /// The pad under which a one-time token keeps that of its session.
    Pad,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

impl Token {
    /// A new one, that no other is like.
    pub(super) fn new() -> Result<Self, SessionError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "the system gives no random numbers: no session can begin");
            SessionError::Unavailable
        })?;
        Ok(Self(bytes))
    }

    /// Reads what a client sent. Whatever is not exactly a token is none.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != TEXT_BYTES {
            return None;
        }
        let mut bytes = [0; BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == BYTES).then_some(Self(bytes))
    }

    /// What the client holds: letters, digits, `-` and `_`.
    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What stands for it in stores, in the log and for operators: who knows it cannot find the token.
    pub(super) fn id(&self, purpose: Purpose) -> String {
        let hash = self.hash(purpose);
        let bytes = hash.iter().take(ID_BYTES);
        bytes.fold(String::with_capacity(2 * ID_BYTES), |mut id, byte| {
            // Writing to a String cannot fail.
            let _ = fmt::Write::write_fmt(&mut id, format_args!("{byte:02x}"));
            id
        })
    }

    /// Another token under a pad that only who holds this one can make. As this one is used once, so is its pad.
    pub(super) fn seal(&self, other: &Self) -> Vec<u8> {
        let pad = self.hash(Purpose::Pad);
        other
            .0
            .iter()
            .zip(pad)
            .map(|(byte, pad)| byte ^ pad)
            .collect()
    }

    /// What [`Token::seal`] sealed.
    pub(super) fn unseal(&self, sealed: &[u8]) -> Option<Self> {
        let sealed: [u8; BYTES] = sealed.try_into().ok()?;
        let open = self.seal(&Self(sealed));
        Some(Self(open.try_into().ok()?))
    }

    fn hash(&self, purpose: Purpose) -> [u8; 32] {
        let purpose: &[u8] = match purpose {
            Purpose::Session => b"tessera session\0",
            Purpose::Otp => b"tessera otp\0",
            Purpose::Pad => b"tessera otp pad\0",
        };
        Sha256::new()
            .chain_update(purpose)
            .chain_update(self.0)
            .finalize()
            .into()
    }
}

/// Whether a text may be the identifier of a session.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_nothing_else_is() {
        let token = Token::new().unwrap();
        let text = token.text();
        assert_eq!(Token::parse(text.as_bytes()), Some(token));
        for wrong in [
            "",
            "x",
            &text[1..],
            &format!("{text}A"),
            &format!("{}=", &text[1..]),
            &format!("{}+", &text[1..]),
            &format!("{}\n", &text[1..]),
            &format!("{}\u{e9}", &text[2..]),
            &"\0".repeat(32),
        ] {
            assert_eq!(Token::parse(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert!(!format!("{token:?}").contains(&text));
    }

    #[test]
    fn hashes_tell_neither_the_token_nor_each_other() {
        let token = Token::new().unwrap();
        let (id, otp) = (token.id(Purpose::Session), token.id(Purpose::Otp));
        assert!(is_id(&id) && is_id(&otp) && id != otp);
        assert!(!is_id(&id.to_uppercase()) && !is_id(&id[1..]) && !is_id(""));
        let other = Token::new().unwrap();
        let sealed = token.seal(&other);
        assert_eq!(token.unseal(&sealed), Some(other));
        assert_ne!(other.unseal(&sealed), Some(other));
        assert_eq!(token.unseal(&sealed[1..]), None);
    }

    /// Over 10^5 tokens: none twice, each bit as often set as not, and no byte better known from the one before.
    #[test]
    fn tokens_cannot_be_guessed() {
        const COUNT: usize = 100_000;
        let tokens: HashSet<Token> = (0..COUNT).map(|_| Token::new().unwrap()).collect();
        assert_eq!(tokens.len(), COUNT);
        let mut set = [0_usize; BYTES * 8];
        let mut values = [0_usize; 256];
        let mut steps = [0_usize; 256];
        for Token(bytes) in &tokens {
            for (index, count) in set.iter_mut().enumerate() {
                *count += usize::from(bytes[index / 8] >> (index % 8) & 1);
            }
            for (byte, next) in bytes.iter().zip(&bytes[1..]) {
                values[usize::from(*byte)] += 1;
                steps[usize::from(next.wrapping_sub(*byte))] += 1;
            }
        }
        // Six standard deviations: half of the square root of the count each. A fair generator misses them once in 10^6.
        let most = 6.0 * (COUNT as f64).sqrt() / 2.0;
        for (bit, count) in set.iter().enumerate() {
            let off = (*count as f64 - COUNT as f64 / 2.0).abs();
            assert!(off < most, "bit {bit} is set {count} times");
        }
        let expected = (COUNT * (BYTES - 1)) as f64 / 256.0;
        for count in values.iter().chain(&steps) {
            let off = (*count as f64 - expected).abs();
            assert!(off < 7.0 * expected.sqrt(), "{count} of {expected}");
        }
    }
}
