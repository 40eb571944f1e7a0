//! The bytes of a component, and what they are known by.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A component as it was read, with its digest: made once, for whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    wasm: &'a [u8],
    digest: Digest,
}

/// The SHA-256 of a component in hexadecimal: what tells its versions apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl<'a> Module<'a> {
    /// Of a file's content.
    pub fn of(wasm: &'a [u8]) -> Self {
        Self {
            wasm,
            digest: Digest(Sha256::digest(wasm).into()),
        }
    }

    /// What its versions are told apart by.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn wasm(&self) -> &'a [u8] {
        self.wasm
    }
}

impl Digest {
    /// Its first half, which is enough for the name of a file.
    pub(crate) fn half(self) -> String {
        let mut hex = self.to_string();
        hex.truncate(self.0.len());
        hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_sha256() {
        let digest = Module::of(b"abc").digest();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), expected);
        assert_eq!(digest.half(), expected[..32]);
    }
}
