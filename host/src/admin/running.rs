//! Which sites run under this user, so that a command in some other folder finds the one there is.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::private;

/// Lists the sites that run under this user and have an admin endpoint.
pub fn running_sites() -> Vec<PathBuf> {
    folder().map(|folder| listed(&folder)).unwrap_or_default()
}

/// Says that a site runs, until dropped.
pub(super) struct Note(PathBuf);

impl Note {
    pub(super) fn write(site: &Path) -> io::Result<Self> {
        let path = folder()?.join(std::process::id().to_string());
        private::write(&path, &site.to_string_lossy())?;
        Ok(Self(path))
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // One that stays is passed over: no process has its number, or one that is no host.
        let _ = fs::remove_file(&self.0);
    }
}

/// The folder of the notes, this user's and nobody else's.
fn folder() -> io::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let folder = match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) => PathBuf::from(folder).join("tessera"),
        None => std::env::temp_dir().join(format!("tessera-{user}")),
    };
    private::make_folder(&folder)?;
    let metadata = fs::symlink_metadata(&folder)?;
    // In a folder that all may write to, another user may have made it first.
    if !metadata.is_dir() || metadata.uid() != user || private::is_exposed(&folder) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is not this user's alone", folder.display()),
        ));
    }
    Ok(folder)
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut sites: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| Path::new("/proc").join(entry.file_name()).exists())
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .map(PathBuf::from)
        .filter(|site| site.is_dir())
        .collect();
    sites.sort();
    sites.dedup();
    sites
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sites_of_living_processes_are_listed() {
        let place = tempfile::tempdir().unwrap();
        let site = place.path().join("site");
        let notes = place.path().join("notes");
        for folder in [&site, &notes] {
            fs::create_dir(folder).unwrap();
        }
        let living = std::process::id().to_string();
        for (name, text) in [
            (living.as_str(), &*site.to_string_lossy()),
            ("4194305", "/"),
        ] {
            fs::write(notes.join(name), text).unwrap();
        }
        assert_eq!(listed(&notes), [site]);
        assert!(listed(&place.path().join("missing")).is_empty());
    }
}
