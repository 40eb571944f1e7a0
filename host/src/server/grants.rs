//! From what the settings grant a component to what the engine gives it: secrets read, stores opened.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tessera_engine::{
    Bucket, FileStore, GrantedFolder, Grants, MemoryStore, RedisStore, Space, Store,
};

use crate::settings::{self, ComponentSettings, StoreKind};

/// Secrets are keys and passwords; what is larger is another file, named by mistake.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// The file of the buckets that outlive the process, in the folder of Tessera's state.
const STORE_FILE: &str = "keyvalue.redb";

/// What a component is granted cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// A secret cannot be read.
    #[error("secrets.{name}: {path}: {reason}", path = path.display())]
    Secret {
        /// Its name.
        name: String,
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Something failed that should not.
    #[error("what the settings grant cannot be read: {0}")]
    Internal(String),
    /// A store cannot be opened.
    #[error("keyvalue.{bucket}: {reason}")]
    Store {
        /// The bucket.
        bucket: String,
        /// What is wrong.
        reason: String,
    },
}

/// The environment variables of a component: those of the settings, and the secrets. Blocks on the file system.
pub fn environment(settings: &ComponentSettings) -> Result<Vec<(String, String)>, GrantError> {
    let written = settings.environment.iter();
    let mut all: Vec<(String, String)> = written
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, path) in &settings.grants.secrets {
        let secret = read_secret(path).map_err(|reason| GrantError::Secret {
            name: name.clone(),
            path: path.clone(),
            reason,
        })?;
        all.push((name.clone(), secret));
    }
    Ok(all)
}

/// The other grants. `environment` holds the secrets, which wasi:config shows as well.
pub fn grants(
    component: &str,
    settings: &ComponentSettings,
    environment: &[(String, String)],
    stores: &Stores,
) -> Result<Grants, GrantError> {
    let is_secret = |name: &str| settings.grants.secrets.contains_key(name);
    let secrets = environment.iter().filter(|(name, _)| is_secret(name));
    let written = settings.grants.config.iter();
    let config = written
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(secrets.cloned())
        .collect();
    let folder = |folder: &settings::FolderGrant| GrantedFolder {
        path: folder.path.clone(),
        guest: folder.guest.clone(),
        write: folder.write,
    };
    let mut buckets = Vec::with_capacity(settings.grants.buckets.len());
    for (name, bucket) in &settings.grants.buckets {
        let store = stores
            .open(&bucket.store)
            .map_err(|reason| GrantError::Store {
                bucket: name.clone(),
                reason,
            })?;
        let space = Space {
            name: space_name(component, name, bucket.share.as_deref()).into(),
            bytes_max: bucket.bytes_max,
        };
        buckets.push((name.clone(), Bucket::new(store, space)));
    }
    Ok(Grants {
        config,
        folders: settings.permissions.folders.iter().map(folder).collect(),
        buckets,
    })
}

/// The name of a bucket in its store. A component's name has no slash, so that no two buckets get the same.
fn space_name(component: &str, bucket: &str, share: Option<&str>) -> String {
    match share {
        Some(share) => format!("shared/{share}"),
        None => format!("own/{component}/{bucket}"),
    }
}

/// Reads the file of a secret, without the line break at its end.
pub(crate) fn read_secret(path: &Path) -> Result<String, String> {
    let failed = |error: io::Error| format!("cannot be read: {error}");
    let open = rustix::fs::open(
        path,
        // A pipe would be waited for.
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    );
    let file = File::from(open.map_err(|error| failed(error.into()))?);
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err("is not a file".to_owned());
    }
    // Read by others, or changed by more than its owner.
    let excess = metadata.mode() & 0o026;
    if excess != 0 {
        return Err(format!(
            "its mode {:o} lets others {} it; run `chmod 600` on it",
            metadata.mode() & 0o777,
            if excess & 0o022 == 0 {
                "read"
            } else {
                "change"
            }
        ));
    }
    let mut bytes = Vec::new();
    let mut bounded = file.take(SECRET_BYTES_MAX + 1);
    bounded.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!("is larger than {SECRET_BYTES_MAX} bytes"));
    }
    let mut secret = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text")?;
    if secret.contains('\0') {
        return Err("holds a NUL character".to_owned());
    }
    if secret.ends_with('\n') {
        secret.pop();
        if secret.ends_with('\r') {
            secret.pop();
        }
    }
    Ok(secret)
}

/// The key-value stores of a process: one of each kind, and one for each Redis server.
#[derive(Debug)]
pub struct Stores {
    memory: Arc<MemoryStore>,
    /// None where everything is kept in memory, because nothing is served: a check leaves no trace.
    folder: Option<PathBuf>,
    opened: Mutex<Opened>,
}

#[derive(Debug, Default)]
struct Opened {
    file: Option<Arc<FileStore>>,
    /// By URL. A server that no component uses any more is left.
    redis: Vec<(String, Weak<RedisStore>)>,
}

impl Stores {
    /// Stores of a site; `folder` is that of Tessera's state.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
            ..Self::for_a_check()
        }
    }

    /// Stores that keep nothing and connect to nothing.
    pub fn for_a_check() -> Self {
        Self {
            memory: Arc::default(),
            folder: None,
            opened: Mutex::default(),
        }
    }

    /// The store of a kind, opened when it is first needed. Blocks on the file system; a Redis server is not waited for.
    fn open(&self, kind: &StoreKind) -> Result<Arc<dyn Store>, String> {
        let mut opened = self.opened.lock();
        match (kind, &self.folder) {
            (StoreKind::Redis(url), folder) => {
                let url = url.expose();
                opened.redis.retain(|(_, store)| store.strong_count() > 0);
                let known = opened.redis.iter().find(|(known, _)| known == url);
                if let Some(store) = known.and_then(|(_, store)| store.upgrade()) {
                    return Ok(store);
                }
                let runtime = tokio::runtime::Handle::current();
                let store = Arc::new(RedisStore::open(url, runtime)?);
                if folder.is_none() {
                    return Ok(self.memory.clone());
                }
                opened.redis.push((url.to_owned(), Arc::downgrade(&store)));
                Ok(store)
            }
            (StoreKind::File, Some(folder)) => {
                if let Some(store) = &opened.file {
                    return Ok(store.clone());
                }
                let path = folder.join(STORE_FILE);
                let store = FileStore::open(&path)
                    .map_err(|error| format!("{} cannot be opened: {error}", path.display()))?;
                let store = Arc::new(store);
                opened.file = Some(store.clone());
                Ok(store)
            }
            (StoreKind::Memory | StoreKind::File, _) => Ok(self.memory.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_a_small_text_of_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let read = |content: &[u8], mode: u32| {
            let _ = fs::remove_file(&path);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            read_secret(&path)
        };
        for (content, expected) in [
            ("hunter2", "hunter2"),
            ("hunter2\n", "hunter2"),
            ("hunter2\r\n", "hunter2"),
            ("a\n\n", "a\n"),
            ("", ""),
            (" a ", " a "),
        ] {
            assert_eq!(read(content.as_bytes(), 0o600), Ok(expected.to_owned()));
        }
        assert!(read(b"x", 0o440).is_ok());
        for (mode, word) in [
            (0o604, "read"),
            (0o644, "read"),
            (0o620, "change"),
            (0o602, "change"),
        ] {
            let error = read(b"hunter2", mode).unwrap_err();
            assert!(error.contains(&format!("lets others {word} it")), "{error}");
        }
        assert_eq!(read(b"\xff", 0o600), Err("is not UTF-8 text".into()));
        assert_eq!(read(b"a\0b", 0o600), Err("holds a NUL character".into()));
        let most = vec![b'x'; 64 * 1024];
        assert!(read(&most, 0o600).is_ok());
        let error = read(&[most, vec![b'x']].concat(), 0o600).unwrap_err();
        assert!(error.contains("larger than 65536"), "{error}");
        assert_eq!(read_secret(folder.path()), Err("is not a file".into()));
        let error = read_secret(&folder.path().join("none")).unwrap_err();
        assert!(error.contains("No such file"), "{error}");
    }

    #[test]
    fn no_two_buckets_have_one_name() {
        let names = [
            space_name("a", "b/c", None),
            space_name("a", "b", None),
            space_name("b", "a", None),
            space_name("shared", "x", None),
            space_name("a", "b", Some("x")),
        ];
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        assert_eq!(
            space_name("a", "b", Some("x")),
            space_name("c", "d", Some("x"))
        );
    }

    #[tokio::test]
    async fn a_check_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let stores = Stores::for_a_check();
        stores.open(&StoreKind::File).unwrap();
        let stores = Stores::new(folder.path().to_owned());
        stores.open(&StoreKind::Memory).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let store = stores.open(&StoreKind::File).unwrap();
        assert!(Arc::ptr_eq(&store, &stores.open(&StoreKind::File).unwrap()));
        assert!(folder.path().join(STORE_FILE).exists());
    }
}
