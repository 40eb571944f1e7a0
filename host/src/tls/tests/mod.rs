//! What the tests of TLS share: pairs, folders that hold them, settings.

mod handshake;
mod pairs;
mod refresh;
mod self_signed;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use crate::settings::{Tls, TlsVersion};

use super::{CERTIFICATE, KEY};

/// A certificate with its key.
struct Pair {
    certificate: String,
    key: String,
    der: CertificateDer<'static>,
    key_der: Vec<u8>,
}

fn pair(names: &[&str]) -> Pair {
    pair_of(&rcgen::PKCS_ECDSA_P256_SHA256, names)
}

fn pair_of(algorithm: &'static SignatureAlgorithm, names: &[&str]) -> Pair {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    Pair {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().clone(),
        key_der: key.serialize_der(),
    }
}

/// A folder for a pair; gone when dropped.
struct Folder(TempDir);

impl Folder {
    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(pair: &Pair) -> Self {
        let folder = Self::empty();
        folder.put(pair);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn put(&self, pair: &Pair) {
        fs::write(self.at(CERTIFICATE), &pair.certificate).unwrap();
        fs::write(self.at(KEY), &pair.key).unwrap();
    }

    fn settings(&self) -> Tls {
        Tls {
            certificate_folder: self.path().to_owned(),
            min_version: TlsVersion::Tls12,
            cipher_suites: None,
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        text.push_str(str::from_utf8(line).unwrap());
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// The key within PKCS#8, which for RSA is PKCS#1 and for curves SEC1: version, algorithm and an octet string.
fn inner_key(pkcs8: &[u8]) -> &[u8] {
    let (sequence, _) = element(pkcs8);
    let (_, rest) = element(sequence);
    let (_, rest) = element(rest);
    element(rest).0
}

/// The content of a DER element, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match der[1] {
        short @ ..0x80 => (usize::from(short), 2),
        long => {
            let count = usize::from(long & 0x7f);
            let bytes = der[2..2 + count].iter();
            let length = bytes.fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, 2 + count)
        }
    };
    der[start..].split_at(length)
}

fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}
