//! What a component is granted beside answering requests: configuration, folders, key-value buckets.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime_wasi::{FsPerms, WasiCtxBuilder};
use wasmtime_wasi_config::WasiConfigVariables;

use crate::error::LoadError;
use crate::store::Bucket;

/// What a component is granted. The default is nothing.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// What it reads through wasi:config.
    pub config: Vec<(String, String)>,
    /// The folders that it may use.
    pub folders: Vec<GrantedFolder>,
    /// The buckets that it opens through wasi:keyvalue, by name.
    pub buckets: Vec<(String, Bucket)>,
}

/// A folder that a component may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedFolder {
    /// Where it is on this machine.
    pub path: PathBuf,
    /// Where the component sees it.
    pub guest: String,
    /// Whether the component may change what is in it.
    pub write: bool,
}

/// The grants as instances use them.
pub(crate) struct Granted {
    pub(crate) config: WasiConfigVariables,
    pub(crate) buckets: Vec<(String, Bucket)>,
    folders: Vec<GrantedFolder>,
}

/// What a component imports, by the beginning of the name, that it cannot use without a setting.
const NEEDS: [(&str, &str); 1] = [("wasi:keyvalue/", "name its buckets in [keyvalue]")];
/// An import that is of no use without a setting; many components look there and do without.
const CONFIG: &str = "wasi:config/";

impl Granted {
    /// Looks whether the grants are what the component needs, and can be had.
    pub(crate) fn new(
        component: &str,
        grants: Grants,
        imports: &[String],
    ) -> Result<Self, LoadError> {
        let has_config = !grants.config.is_empty();
        for import in imports {
            for (prefix, setting) in NEEDS {
                if import.starts_with(prefix) && grants.buckets.is_empty() {
                    return Err(LoadError::NotGranted {
                        import: import.clone(),
                        setting,
                    });
                }
            }
            if import.starts_with(CONFIG) && !has_config {
                tracing::warn!(
                    component,
                    import,
                    "finds no values there: [config] and [secrets] of its settings are empty"
                );
            }
        }
        let mut folders = Vec::with_capacity(grants.folders.len());
        for folder in grants.folders {
            folders.push(real(folder)?);
        }
        Ok(Self {
            config: grants.config.into_iter().collect(),
            buckets: grants.buckets,
            folders,
        })
    }

    /// Opens the folders for an instance.
    pub(crate) fn open_folders(&self, component: &Arc<str>, builder: &mut WasiCtxBuilder) {
        for folder in &self.folders {
            let permissions = if folder.write {
                FsPerms::ReadWrite
            } else {
                FsPerms::ReadOnly
            };
            let opened = builder.preopened_dir(&folder.path, &folder.guest, permissions);
            if let Err(error) = opened {
                // It was there when the component was loaded; the instance does without.
                let folder = folder.path.display();
                tracing::error!(component = &**component, %folder, error = %format_args!("{error:#}"), "the folder of [permissions] folders cannot be opened");
            }
        }
    }
}

/// The folder as it is on disk: what a link in its path leads to is fixed when the component is loaded.
fn real(folder: GrantedFolder) -> Result<GrantedFolder, LoadError> {
    let failed = |source| LoadError::Folder {
        path: folder.path.clone(),
        source,
    };
    let path = folder.path.canonicalize().map_err(failed)?;
    // Reading it now tells what the first request would be told otherwise.
    std::fs::read_dir(&path).map_err(failed)?;
    if folder.write && is_read_only(&path) {
        return Err(failed(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)));
    }
    Ok(GrantedFolder { path, ..folder })
}

fn is_read_only(path: &std::path::Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Space};

    fn bucket() -> Bucket {
        let space = Space {
            name: "own/a/b".into(),
            bytes_max: 1,
        };
        Bucket::new(Arc::new(MemoryStore::default()), space)
    }

    #[test]
    fn an_import_without_its_grant_names_the_setting() {
        let imports = ["wasi:keyvalue/store@0.2.0-draft2".to_owned()];
        let refused = Granted::new("a", Grants::default(), &imports)
            .err()
            .unwrap()
            .to_string();
        assert_eq!(
            refused,
            "imports wasi:keyvalue/store@0.2.0-draft2, which it was not granted: name its buckets in [keyvalue] of its settings"
        );
        let buckets = vec![("b".to_owned(), bucket())];
        let grants = Grants {
            buckets,
            ..Grants::default()
        };
        assert!(Granted::new("a", grants, &imports).is_ok());
    }

    #[test]
    fn a_folder_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let granted = |path: PathBuf| {
            let folders = vec![GrantedFolder {
                path,
                guest: "/data".into(),
                write: true,
            }];
            Granted::new(
                "a",
                Grants {
                    folders,
                    ..Grants::default()
                },
                &[],
            )
        };
        assert!(granted(folder.path().to_owned()).is_ok());
        for wrong in [file, folder.path().join("none")] {
            let error = granted(wrong.clone()).err().unwrap().to_string();
            let expected = format!("[permissions] folders: {}", wrong.display());
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
