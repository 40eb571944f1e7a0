//! The folder that a command is about.

use std::path::{Path, PathBuf};

use super::failure::Failure;

/// The folder of a site, as an argument.
#[derive(clap::Args)]
pub(super) struct Site {
    /// The folder of the site.
    #[arg(value_name = "SITE", default_value = ".")]
    pub(super) folder: PathBuf,
}

/// Makes sure that there is such a folder.
pub(super) fn existing(folder: &Path) -> Result<&Path, Failure> {
    let shown = folder.display();
    match folder.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(folder),
        Ok(_) if is_module(folder) => Err(Failure::usage(format!(
            "{shown} is a component, not the folder of a site: copy it into the site's components folder, or look into it with `tessera check {shown}`"
        ))),
        Ok(_) => Err(Failure::usage(format!(
            "{shown} is a file: name the folder of a site"
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::usage(format!(
            "there is no folder {shown}: name the folder of a site, or make one with `mkdir -p {shown}`"
        ))),
        Err(error) => Err(Failure::usage(format!("{shown} cannot be opened: {error}"))),
    }
}

/// Whether a path names a component.
pub(super) fn is_module(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "wasm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_folder() {
        let place = tempfile::tempdir().unwrap();
        assert!(existing(place.path()).is_ok());
        for (name, expected) in [
            ("file", "is a file"),
            ("hello.wasm", "tessera check"),
            ("missing", "there is no folder"),
        ] {
            let path = place.path().join(name);
            if name != "missing" {
                std::fs::write(&path, "").unwrap();
            }
            let failure = existing(&path).unwrap_err();
            assert!(failure.message().contains(expected), "{failure:?}");
        }
    }
}
