//! `admin.json`: how the command line finds the running host of a site.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::running::Note;
use crate::private;

const FILE: &str = "admin.json";

/// Where the admin endpoint of a running host is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// The address that was really bound.
    pub address: SocketAddr,
    /// The process.
    pub pid: u32,
    /// The version that runs.
    pub version: String,
}

/// What was written, until the host ends: dropping it takes the file away.
pub(super) struct Published {
    path: PathBuf,
    discovery: Discovery,
    _note: Option<Note>,
}

impl Discovery {
    /// Reads where the host of a site is; `None` when none runs there, or none with an admin endpoint.
    ///
    /// # Errors
    ///
    /// When the file is there but cannot be read, or holds something else.
    pub fn find(state_folder: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(state_folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let discovery: Self = serde_json::from_str(&text).map_err(io::Error::from)?;
        Ok(discovery.is_alive().then_some(discovery))
    }

    /// A host that was killed leaves its file behind. Whoever has its port now must not be sent the key.
    fn is_alive(&self) -> bool {
        let processes = Path::new("/proc");
        let can_be_known = processes.join("self").exists();
        !can_be_known || processes.join(self.pid.to_string()).exists()
    }
}

impl Published {
    pub(super) fn write(state_folder: &Path, address: SocketAddr) -> io::Result<Self> {
        let discovery = Discovery {
            address,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let path = state_folder.join(FILE);
        let text = serde_json::to_string(&discovery).map_err(io::Error::from)?;
        private::write(&path, &text)?;
        // A convenience: without it the site has to be named.
        let note = state_folder.parent().and_then(|site| {
            Note::write(site)
                .inspect_err(|error| tracing::debug!(%error, "the site is not noted as running"))
                .ok()
        });
        Ok(Self {
            path,
            discovery,
            _note: note,
        })
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        // Another host of the same site may have written its own since.
        let is_ours = fs::read_to_string(&self.path).is_ok_and(|text| {
            serde_json::from_str(&text).is_ok_and(|d: Discovery| d == self.discovery)
        });
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), %error, "could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_while_it_runs() {
        let site = tempfile::tempdir().unwrap();
        assert_eq!(Discovery::find(site.path()).unwrap(), None);
        let address = "127.0.0.1:7083".parse().unwrap();
        let published = Published::write(site.path(), address).unwrap();
        let found = Discovery::find(site.path()).unwrap().unwrap();
        assert_eq!((found.address, found.pid), (address, std::process::id()));
        drop(published);
        assert_eq!(Discovery::find(site.path()).unwrap(), None);
    }

    #[test]
    fn what_another_host_wrote_is_left_alone() {
        let site = tempfile::tempdir().unwrap();
        let first = Published::write(site.path(), "127.0.0.1:7080".parse().unwrap()).unwrap();
        let second = Published::write(site.path(), "127.0.0.1:7081".parse().unwrap()).unwrap();
        drop(first);
        let found = Discovery::find(site.path()).unwrap().unwrap();
        assert_eq!(found.address.port(), 7081);
        drop(second);
    }

    #[test]
    fn a_host_that_was_killed_is_not_found() {
        let site = tempfile::tempdir().unwrap();
        // No process id is this high.
        let text = r#"{"address":"127.0.0.1:7080","pid":4294967295,"version":"0.1.0"}"#;
        fs::write(site.path().join(FILE), text).unwrap();
        assert_eq!(Discovery::find(site.path()).unwrap(), None);
        fs::write(site.path().join(FILE), "{").unwrap();
        assert!(Discovery::find(site.path()).is_err());
    }
}
