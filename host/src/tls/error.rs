//! What can be wrong with a certificate, its key, or what the settings want of TLS.

use std::io;
use std::path::PathBuf;

use super::files::{BYTES_MAX, CERTIFICATE, KEY};

/// A web server object cannot speak TLS; says which file it is about and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the two files.
    #[error("{}: {fault}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
    /// No suite that `cipherSuite` names can be used.
    #[error("cipherSuite: {0}")]
    Suites(String),
    /// The library failed for a reason of its own: no random numbers, for example.
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}

impl TlsError {
    /// Whether a file is not there at all, as when a site has no certificate yet.
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::File {
                fault: Fault::Missing,
                ..
            }
        )
    }
}

/// What is wrong with a certificate or key file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is none.
    #[error(
        "there is no such file; HTTPS needs {CERTIFICATE} and {KEY} in the folder that certificateFolder names, and \
         `tessera serve --dev-tls` makes a pair for development"
    )]
    Missing,
    /// The system does not let us read it.
    #[error("cannot be read: {0}; the user that runs Tessera must be able to read it")]
    Unreadable(io::Error),
    /// A folder, a device, a pipe.
    #[error("is not a regular file; put a PEM file there, or a link to one")]
    NotAFile,
    /// Beyond any certificate chain.
    #[error(
        "is larger than {BYTES_MAX} bytes, which no certificate or key is; put a PEM file there"
    )]
    TooLarge,
    /// Not a single PEM section: DER, perhaps.
    #[error(
        "is not PEM: no line begins with -----BEGIN; `openssl x509 -inform der` or `openssl pkey -inform der` \
         converts DER"
    )]
    NotPem,
    /// PEM that is damaged.
    #[error("is damaged PEM ({0}); copy the file again")]
    DamagedPem(String),
    /// PEM, but of something else.
    #[error(
        "holds no certificate; a section that begins with -----BEGIN CERTIFICATE----- is needed"
    )]
    NoCertificate,
    /// PEM, but of something else.
    #[error(
        "holds no private key; a section that begins with -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE \
         KEY is needed"
    )]
    NoKey,
    /// A key with a password.
    #[error(
        "the private key is encrypted, and nobody is there to type its password; decrypt it with `openssl pkey -in \
         {KEY} -out decrypted.pem` and protect the file instead"
    )]
    EncryptedKey,
    /// The first certificate is not an X.509 v3 certificate.
    #[error(
        "the first certificate cannot be used ({0}); ask its issuer for an X.509 version 3 certificate"
    )]
    UnusableCertificate(String),
    /// A kind or size of key that the library does not have.
    #[error(
        "the private key cannot be used ({0}); RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, and Ed25519 can"
    )]
    UnusableKey(String),
    /// The two files are not of one pair.
    #[error(
        "the private key does not belong to the first certificate of {CERTIFICATE}; put the pair in place that was \
         issued together, the server's own certificate before those of its issuers"
    )]
    Mismatch,
}
