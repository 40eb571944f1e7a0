//! The authorities whose certificates other servers may show: those that Mozilla trusts, and those of `[outbound] ca_file`.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The largest file that is read: more than all authorities that there are.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("[outbound] ca_file: {path}: {reason}", path = path.display())]
pub(crate) struct RootsError {
    path: PathBuf,
    reason: String,
}

/// The roots of the process.
#[derive(Clone, Debug)]
pub(crate) struct Roots(Arc<RootCertStore>);

impl Default for Roots {
    fn default() -> Self {
        Self(Arc::new(public()))
    }
}

fn public() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.into(),
    }
}

impl Roots {
    /// Those of everybody, and those in a file if one is named. Blocks.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, RootsError> {
        let Some(path) = file else {
            return Ok(Self::default());
        };
        let fail = |reason: String| RootsError {
            path: path.to_owned(),
            reason,
        };
        let text = read_bounded(path).map_err(|error| fail(format!("cannot be read: {error}")))?;
        let mut store = public();
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(&text) {
            count += 1;
            let added = certificate
                .map_err(|error| error.to_string())
                .and_then(|certificate| store.add(certificate).map_err(|error| error.to_string()));
            added.map_err(|error| {
                fail(format!("certificate {count} in it cannot be used: {error}"))
            })?;
        }
        match count {
            0 => Err(fail(
                "has no certificate: -----BEGIN CERTIFICATE----- is looked for".to_owned(),
            )),
            _ => Ok(Self(Arc::new(store))),
        }
    }

    pub(super) fn store(&self) -> Arc<RootCertStore> {
        self.0.clone()
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        // A pipe nobody writes to must not hold us.
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut content = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut content)?;
    if content.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!(
            "it has more than {BYTES_MAX} bytes"
        )));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_authorities_is_read_or_it_is_said_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let certificate = rcgen::generate_simple_self_signed(vec!["ca.test".to_owned()]).unwrap();
        let certificate = certificate.cert.pem();
        let read = |content: &str| {
            std::fs::write(&path, content).unwrap();
            let roots = Roots::read(Some(&path));
            roots
                .map(|roots| roots.0.len() - public().len())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(&certificate), Ok(1));
        assert_eq!(
            read(&format!("a comment\n{certificate}{certificate}")),
            Ok(2)
        );
        for (content, expected) in [
            ("", "has no certificate"),
            ("text", "has no certificate"),
            (&certificate[..100], "certificate 1 in it cannot be used"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "certificate 1 in it cannot be used",
            ),
        ] {
            let error = read(content).unwrap_err();
            assert!(error.contains(expected), "{content:?}: {error}");
        }
        let none = Roots::read(Some(&folder.path().join("none"))).unwrap_err();
        assert!(none.to_string().contains("cannot be read"), "{none}");
        let none = Roots::read(Some(folder.path())).unwrap_err();
        assert!(none.to_string().contains("not a file"), "{none}");
        assert_eq!(Roots::read(None).unwrap().0.len(), public().len());
    }
}
