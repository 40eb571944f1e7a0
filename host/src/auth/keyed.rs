//! Fingerprints that nobody else can make: HMAC-SHA-256 (RFC 2104) under a key of this process.

use std::fmt;

use sha2::{Digest, Sha256};

/// Bytes of a block of SHA-256.
const BLOCK_BYTES: usize = 64;
/// Bytes of a fingerprint: 128 bits, which nobody finds two equal ones of.
const BYTES: usize = 16;

/// What stands for a secret in memory.
pub(super) type Fingerprint = [u8; BYTES];

/// A key of the system's generator.
#[derive(Clone)]
pub(super) struct Key([u8; BLOCK_BYTES]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

impl Key {
    /// A new one. None if the system gives no random numbers.
    pub(super) fn new() -> Option<Self> {
        let mut key = [0; BLOCK_BYTES];
        let (random, _) = key.split_at_mut(32);
        getrandom::fill(random).ok()?;
        Some(Self(key))
    }

    /// The fingerprint of some texts, which no others have: their lengths count, too.
    pub(super) fn of(&self, parts: &[&[u8]]) -> Fingerprint {
        let mut inner = Sha256::new();
        inner.update(self.0.map(|byte| byte ^ 0x36));
        for part in parts {
            inner.update((part.len() as u64).to_be_bytes());
            inner.update(part);
        }
        self.truncated(inner)
    }

    fn truncated(&self, inner: Sha256) -> Fingerprint {
        let whole = self.outer(inner);
        let mut fingerprint = Fingerprint::default();
        for (byte, from) in fingerprint.iter_mut().zip(whole) {
            *byte = from;
        }
        fingerprint
    }

    fn outer(&self, inner: Sha256) -> [u8; 32] {
        let outer = Sha256::new()
            .chain_update(self.0.map(|byte| byte ^ 0x5c))
            .chain_update(inner.finalize());
        outer.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hmac_of_rfc_4231() {
        // Test case 2, without the lengths that `of` puts in.
        let mut key = Key([0; BLOCK_BYTES]);
        key.0[..4].copy_from_slice(b"Jefe");
        let inner = Sha256::new()
            .chain_update(key.0.map(|byte| byte ^ 0x36))
            .chain_update(b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let found: String = key
            .outer(inner)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn parts_are_told_apart() {
        let key = Key::new().unwrap();
        let all = [
            key.of(&[b"ab", b"c"]),
            key.of(&[b"a", b"bc"]),
            key.of(&[b"abc"]),
            key.of(&[b"abc", b""]),
            Key::new().unwrap().of(&[b"abc"]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
        assert_eq!(key.of(&[b"abc"]), key.of(&[b"abc"]));
    }
}
