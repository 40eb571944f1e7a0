//! Finds the components of a site: `components/NAME.wasm` and `components/NAME/NAME.wasm`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::settings::LIST_FILES;

/// A component as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name: that of the module, without extension.
    pub name: String,
    /// The module.
    pub module: PathBuf,
    /// Its folder, if it has one.
    pub folder: Option<PathBuf>,
    /// What the files looked like when they were found.
    pub fingerprint: Fingerprint,
}

/// What a change of a component's files shows in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    module: FileState,
    settings: Option<FileState>,
    lists: [Option<FileState>; LIST_FILES.len()],
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FileState {
    path: PathBuf,
    inode: u64,
    length: u64,
    modified_nanoseconds: i128,
    changed_nanoseconds: i128,
}

/// Lists the components of a site by name. A folder without a module is no component; of a module and a folder of
/// the same name the folder is taken, and the doubled module is said.
pub fn discover(site: &Path) -> io::Result<Vec<Found>> {
    let components = site.join("components");
    let entries = match fs::read_dir(&components) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        // A name that is not Unicode cannot be one of a server; a dot file is an editor's or a copy on its way.
        let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if file_name.starts_with('.') {
            continue;
        }
        let (name, module, folder) = if path.is_dir() {
            (
                file_name.to_owned(),
                path.join(format!("{file_name}.wasm")),
                Some(path.clone()),
            )
        } else if let Some(name) = file_name.strip_suffix(".wasm") {
            (name.to_owned(), path.clone(), None)
        } else {
            continue;
        };
        // Gone between listing and looking, or a folder without a module: not there.
        let Some(fingerprint) = fingerprint(&module, folder.as_deref()) else {
            continue;
        };
        let this = Found {
            name: name.clone(),
            module,
            folder,
            fingerprint,
        };
        match found.get(&name) {
            Some(Found {
                folder: Some(_), ..
            }) => warn_doubled(&this.module, &name),
            Some(Found { module, .. }) => {
                warn_doubled(module, &name);
                found.insert(name, this);
            }
            None => {
                found.insert(name, this);
            }
        }
    }
    Ok(found.into_values().collect())
}

fn warn_doubled(module: &Path, name: &str) {
    tracing::warn!(module = %module.display(), "ignored: there is a folder {name} of the same component; keep one of them");
}

/// A module by a name that it does not lie under yet; `None` if it is no file.
pub(super) fn found_at(name: &str, module: &Path, folder: Option<PathBuf>) -> Option<Found> {
    Some(Found {
        name: name.to_owned(),
        module: module.to_owned(),
        fingerprint: fingerprint(module, folder.as_deref())?,
        folder,
    })
}

fn fingerprint(module: &Path, folder: Option<&Path>) -> Option<Fingerprint> {
    let beside = |name| folder.and_then(|folder| FileState::of(&folder.join(name)));
    Some(Fingerprint {
        module: FileState::of(module)?,
        settings: beside("settings.toml"),
        lists: LIST_FILES.map(beside),
    })
}

impl FileState {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let nanoseconds = |seconds: i64, nanoseconds: i64| {
            i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
        };
        Some(Self {
            path: path.to_owned(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified_nanoseconds: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed_nanoseconds: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_folders_are_found_by_name() {
        let site = tempfile::tempdir().unwrap();
        assert!(discover(site.path()).unwrap().is_empty());
        let components = site.path().join("components");
        for folder in ["shop", "empty", "both"] {
            fs::create_dir_all(components.join(folder)).unwrap();
        }
        for file in [
            "hello.wasm",
            "shop/shop.wasm",
            "shop/other.wasm",
            "both.wasm",
            "both/both.wasm",
            "notes.txt",
            ".half.wasm",
        ] {
            fs::write(components.join(file), file).unwrap();
        }
        let found = discover(site.path()).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|found| (found.name.as_str(), found.folder.is_some()))
            .collect();
        assert_eq!(names, [("both", true), ("hello", false), ("shop", true)]);
        assert!(found[2].module.ends_with("shop/shop.wasm"));
    }

    #[test]
    fn a_fingerprint_changes_with_module_and_settings() {
        let site = tempfile::tempdir().unwrap();
        let folder = site.path().join("components/shop");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("shop.wasm"), "1").unwrap();
        let first = discover(site.path()).unwrap();
        assert_eq!(first, discover(site.path()).unwrap());
        fs::write(folder.join("settings.toml"), "").unwrap();
        let second = discover(site.path()).unwrap();
        assert_ne!(first, second);
        fs::write(folder.join("HTTPRules.json"), "").unwrap();
        assert_ne!(second, discover(site.path()).unwrap());
        let second = discover(site.path()).unwrap();
        fs::write(folder.join("shop.wasm"), "12").unwrap();
        assert_ne!(second, discover(site.path()).unwrap());
    }
}
