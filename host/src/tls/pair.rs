//! From PEM to a certificate chain with its key, checked, and what the certificate says of itself.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::error::{Fault, TlsError};
use super::files::{Contents, Files};

/// A certificate chain and the key of its first certificate.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) certified: CertifiedKey,
    /// The DNS names of the first certificate, in lower case.
    pub(super) names: Arc<[String]>,
    pub(super) not_after: Option<SystemTime>,
}

impl Pair {
    /// Reads what the files hold; `files` are for the messages.
    pub(super) fn parse(
        contents: &Contents,
        files: &Files,
        provider: &CryptoProvider,
    ) -> Result<Self, TlsError> {
        let of_certificate = |fault| TlsError::File {
            path: files.certificate.clone(),
            fault,
        };
        let of_key = |fault| TlsError::File {
            path: files.key.clone(),
            fault,
        };
        let chain = certificates(&contents.certificate).map_err(of_certificate)?;
        let key = private_key(&contents.key).map_err(of_key)?;
        let (names, not_after) = match chain.first() {
            Some(leaf) => facts(leaf).map_err(of_certificate)?,
            None => return Err(of_certificate(Fault::NoCertificate)),
        };
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| of_key(Fault::UnusableKey(said(error))))?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            // Unknown: the key does not tell its public half, which is none of those the provider makes.
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(Error::InconsistentKeys(_)) => return Err(of_key(Fault::Mismatch)),
            Err(error) => {
                return Err(of_certificate(Fault::UnusableCertificate(
                    error.to_string(),
                )));
            }
        }
        Ok(Self {
            certified,
            names,
            not_after,
        })
    }
}

/// The error in words; the library calls general ones unexpected.
fn said(error: Error) -> String {
    match error {
        Error::General(text) => text,
        error => error.to_string(),
    }
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let text = sections(text)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let chain = chain.map_err(damaged)?;
    if chain.is_empty() {
        return Err(Fault::NoCertificate);
    }
    Ok(chain)
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, Fault> {
    let text = sections(text)?;
    // The first is how PKCS#8 says it, the second how OpenSSL's own formats did.
    if holds(text, b"BEGIN ENCRYPTED PRIVATE KEY") || holds(text, b"Proc-Type: 4,ENCRYPTED") {
        return Err(Fault::EncryptedKey);
    }
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => Fault::NoKey,
        error => damaged(error),
    })
}

/// The text from its first PEM section on.
fn sections(text: &[u8]) -> Result<&[u8], Fault> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if holds(text, b"-----BEGIN ") {
        Ok(text)
    } else {
        Err(Fault::NotPem)
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn damaged(error: pem::Error) -> Fault {
    Fault::DamagedPem(match error {
        // The library would show the lines as lists of numbers.
        pem::Error::MissingSectionEnd { .. } => "a section has no -----END line".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a -----BEGIN line is not complete".to_owned(),
        pem::Error::Base64Decode(_) => "a section is not base64".to_owned(),
        error => error.to_string(),
    })
}

/// The names of a certificate, and when it ends.
fn facts(leaf: &CertificateDer<'_>) -> Result<(Arc<[String]>, Option<SystemTime>), Fault> {
    let certificate = webpki::EndEntityCert::try_from(leaf)
        .map_err(|error| Fault::UnusableCertificate(error.to_string()))?;
    let names = certificate
        .valid_dns_names()
        .map(str::to_ascii_lowercase)
        .collect();
    Ok((names, not_after(&certificate)))
}

/// Asks whether the certificate is valid at the end of time: the refusal says when it stops being so.
fn not_after(certificate: &webpki::EndEntityCert<'_>) -> Option<SystemTime> {
    let end_of_time = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    let usage = webpki::KeyUsage::server_auth();
    match certificate.verify_for_usage(&[], &[], &[], end_of_time, usage, None, None) {
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            UNIX_EPOCH.checked_add(Duration::from_secs(not_after.as_secs()))
        }
        _ => None,
    }
}
