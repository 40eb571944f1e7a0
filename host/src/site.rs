//! The folder of a site: its state, its lock, its name.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::files;
use crate::settings::HostSettings;

/// A site cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The folder of the state, or the home page, could not be made.
    #[error(
        "{path}: cannot be made: {source}; the user that runs tessera must be able to write there"
    )]
    Folder {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another host serves the site.
    #[error(
        "{0} is served already by another tessera process: stop that one first, or serve a copy of the site"
    )]
    AlreadyServed(PathBuf),
}

/// Makes `.tessera/`, and on the first start the home page.
pub(crate) fn prepare(settings: &HostSettings) -> Result<PathBuf, SiteError> {
    use std::os::unix::fs::DirBuilderExt;
    let state = settings.site.join(".tessera");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| SiteError::Folder { path, source }
    };
    let first_start = !state.exists();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&state)
        .map_err(failed(&state))?;
    if first_start && let Some(files) = &settings.web.files {
        files::create_home_page(files).map_err(failed(&files.root))?;
    }
    Ok(state)
}

/// Keeps a second host from the site: they would write over each other's state. The system lets go of the lock with the
/// process, however that ends.
pub(crate) fn lock(site: &Path, state: &Path) -> Result<File, SiteError> {
    let path = state.join("lock");
    let failed = |source| SiteError::Folder {
        path: path.clone(),
        source,
    };
    let file = File::create(&path).map_err(failed)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(SiteError::AlreadyServed(site.to_owned())),
        Err(error) => Err(failed(error.into())),
    }
}

/// The host's server is named as the site's folder.
pub(crate) fn name(site: &Path) -> String {
    let path = site.canonicalize().unwrap_or_else(|_| site.to_owned());
    path.file_name().map_or_else(
        || "host".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
