//! A self-signed pair for development: what `tessera serve --dev-tls` uses when a site has no certificate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use super::files::{CERTIFICATE, KEY};
use crate::private;

/// How long a pair is valid: less than the 366 days that scanners and the 398 that browsers allow.
const VALID: Duration = Duration::from_secs(365 * DAY);
/// How far back it begins to be valid, for machines whose clock is behind.
const BACKDATED: Duration = Duration::from_secs(DAY);
const DAY: u64 = 24 * 60 * 60;

const KEY_MODE: u32 = 0o600;
const CERTIFICATE_MODE: u32 = 0o644;

/// What every pair is made for.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Whether there was something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// A pair was written.
    Made,
    /// There was one, of whatever kind; it is as it was.
    WasThere,
}

/// No pair could be made.
#[derive(Debug, thiserror::Error)]
pub enum SelfSignedError {
    /// One file is there without the other.
    #[error(
        "{} is there, but {} is not; a file that is there is never replaced: put the other one beside it, or remove it \
         for a new pair",
        there.display(), missing.display()
    )]
    Half {
        /// The file that is there.
        there: PathBuf,
        /// The file that is not.
        missing: PathBuf,
    },
    /// A name that no certificate can hold.
    #[error(
        "a certificate cannot be made for {names:?}: {source}; give DNS names in ASCII, or addresses"
    )]
    Names {
        /// The names asked for.
        names: Vec<String>,
        /// Why not.
        source: rcgen::Error,
    },
    /// The files could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Makes sure that a folder, made as needed, holds `cert.pem` and `key.pem`: for `localhost`, 127.0.0.1, ::1 and
/// `names`, DNS names or addresses; ECDSA P-256, valid for a year. The key is readable by its owner only. Blocks on the
/// file system.
pub fn ensure_pair(folder: &Path, names: &[String]) -> Result<Made, SelfSignedError> {
    let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
    // A link that leads nowhere is there, too: somebody meant something by it.
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    match (is_there(&certificate), is_there(&key)) {
        (true, true) => return Ok(Made::WasThere),
        (true, false) => return Err(half(certificate, key)),
        (false, true) => return Err(half(key, certificate)),
        (false, false) => {}
    }
    let pair = generate(names).map_err(|source| SelfSignedError::Names {
        names: names.to_vec(),
        source,
    })?;
    let write = |path: &Path, content: &str, mode| {
        put(path, content, mode).map_err(|source| SelfSignedError::Write {
            path: path.to_owned(),
            source,
        })
    };
    fs::create_dir_all(folder).map_err(|source| SelfSignedError::Write {
        path: folder.to_owned(),
        source,
    })?;
    // The certificate last: who sees it finds the key that belongs to it.
    write(&key, &pair.key, KEY_MODE)?;
    write(&certificate, &pair.certificate, CERTIFICATE_MODE).inspect_err(|_| {
        // Alone it would be in the way of the next attempt.
        let _ = fs::remove_file(&key);
    })?;
    Ok(Made::Made)
}

fn half(there: PathBuf, missing: PathBuf) -> SelfSignedError {
    SelfSignedError::Half { there, missing }
}

/// Both files as PEM.
struct Generated {
    certificate: String,
    key: String,
}

fn generate(names: &[String]) -> Result<Generated, rcgen::Error> {
    let mut all: Vec<String> = LOOPBACK.map(str::to_owned).into();
    for name in names {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    let mut parameters = CertificateParams::new(all)?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Tessera development certificate");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    parameters.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(BACKDATED);
    parameters.not_after = parameters.not_before + VALID;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    Ok(Generated {
        certificate: parameters.self_signed(&key)?.pem(),
        key: key.serialize_pem(),
    })
}

/// Writes a file in one step, with its mode from the first moment, and only where there is none.
fn put(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    // Unlike a rename, a second link never replaces what is there.
    private::in_one_step(path, content, mode, |passing| fs::hard_link(passing, path))
}
