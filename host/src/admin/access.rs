//! The access key: where it comes from, how it is kept, and whether a request has it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::private;
use crate::settings::Secret;

/// The clear key, for the command line of the same user.
pub const KEY_FILE: &str = "access-key";
/// What the host itself keeps of the key.
const HASH_FILE: &str = "access-key.hash";

/// Random bytes of a generated key: well above the 128 bits that nobody guesses.
const KEY_BYTES: usize = 24;
/// Longer keys are refused before anything is computed; settings allow 256.
const PRESENTED_BYTES_MAX: usize = 256;

/// Where the key of this run came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// `[admin] access_key`.
    Settings,
    /// Generated just now: the one moment to show it.
    Generated(Secret),
    /// Made by an earlier start.
    Kept,
}

/// The access key could not be read, made or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file of the key cannot be read or written.
    #[error("{path}: the access key cannot be kept: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of the hash holds something else.
    #[error("{path}: not the hash of an access key: remove the file to have a new key made")]
    Hash {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers, or too little memory for the hash.
    #[error("the access key cannot be made: {0}")]
    Make(String),
}

/// Tells requests that have the key from those that have not.
///
/// Argon2 is made to be slow, so it runs for the first good request only. From then on the key is known by a
/// fingerprint that takes microseconds.
pub(super) struct Access {
    hash: Arc<str>,
    known: OnceLock<Fingerprint>,
    salt: [u8; 16],
    /// One at a time: whoever tries many keys at once must not get all the processors.
    verifying: Arc<Semaphore>,
}

type Fingerprint = [u8; 32];

impl Access {
    /// Finds the key of a site, or makes one. Writes what it keeps into `state_folder`.
    pub(super) async fn open(
        state_folder: &Path,
        set: Option<&Secret>,
    ) -> Result<(Self, KeyOrigin), KeyError> {
        let (folder, set) = (state_folder.to_owned(), set.cloned());
        let opening = tokio::task::spawn_blocking(move || open(&folder, set.as_ref()));
        opening
            .await
            .map_err(|panic| KeyError::Make(panic.to_string()))?
    }

    fn new(hash: &str, clear: Option<&str>) -> Result<Self, KeyError> {
        let mut salt = [0; 16];
        fill(&mut salt)?;
        let access = Self {
            hash: hash.into(),
            known: OnceLock::new(),
            salt,
            verifying: Arc::new(Semaphore::new(1)),
        };
        if let Some(fingerprint) = clear.and_then(|clear| access.fingerprint(clear)) {
            let _ = access.known.set(fingerprint);
        }
        Ok(access)
    }

    /// Whether this is the key. Takes the same time for every wrong one. When dropped midway, the
    /// computation that has begun ends by itself.
    pub(super) async fn admits(&self, presented: &str) -> bool {
        if presented.len() > PRESENTED_BYTES_MAX {
            return false;
        }
        let Some(fingerprint) = self.fingerprint(presented) else {
            return false;
        };
        if let Some(known) = self.known.get() {
            return known.ct_eq(&fingerprint).into();
        }
        let Ok(permit) = self.verifying.clone().acquire_owned().await else {
            return false;
        };
        // Another request may have shown the key meanwhile.
        if let Some(known) = self.known.get() {
            return known.ct_eq(&fingerprint).into();
        }
        let (hash, presented) = (self.hash.clone(), presented.to_owned());
        let verifying = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, even if nobody waits for the result any more.
            let _permit = permit;
            PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(presented.as_bytes(), &hash)
                    .is_ok()
            })
        });
        let is_key = verifying.await.unwrap_or(false);
        if is_key {
            let _ = self.known.set(fingerprint);
        }
        is_key
    }

    /// A keyed hash for comparing in memory: Argon2 at its least cost.
    fn fingerprint(&self, key: &str) -> Option<Fingerprint> {
        let least = Params::new(Params::MIN_M_COST, Params::MIN_T_COST, 1, None).ok()?;
        let mut fingerprint = Fingerprint::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, least)
            .hash_password_into(key.as_bytes(), &self.salt, &mut fingerprint)
            .ok()?;
        Some(fingerprint)
    }
}

fn open(folder: &Path, set: Option<&Secret>) -> Result<(Access, KeyOrigin), KeyError> {
    let (hash_path, key_path) = (folder.join(HASH_FILE), folder.join(KEY_FILE));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| KeyError::File { path, source }
    };
    private::make_folder(folder).map_err(failed(folder))?;
    let kept = match fs::read_to_string(&hash_path) {
        Ok(hash) => Some(hash.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(&hash_path)(error)),
    };
    if let (Some(hash), None) = (&kept, set) {
        let access = Access::new(hash, None)?;
        if PasswordHash::new(hash).is_err() {
            return Err(KeyError::Hash { path: hash_path });
        }
        if private::is_exposed(&key_path) {
            tracing::warn!(file = %key_path.display(), "others on this machine can read the access key: chmod 600 it");
        }
        return Ok((access, KeyOrigin::Kept));
    }

    let (key, origin) = match set {
        Some(key) => (key.clone(), KeyOrigin::Settings),
        None => {
            let key = generate()?;
            (key.clone(), KeyOrigin::Generated(key))
        }
    };
    let is_kept = |hash: &String| {
        PasswordHash::new(hash).is_ok()
            && !private::is_exposed(&key_path)
            && fs::read_to_string(&key_path).is_ok_and(|clear| clear.trim() == key.expose())
    };
    let hash = match kept.filter(is_kept) {
        Some(hash) => hash,
        None => {
            let hash = slow_hash(key.expose())?;
            // The clear key first: a hash alone would stand for a key that nobody has.
            private::write(&key_path, &format!("{}\n", key.expose())).map_err(failed(&key_path))?;
            private::write(&hash_path, &format!("{hash}\n")).map_err(failed(&hash_path))?;
            hash
        }
    };
    Ok((Access::new(&hash, Some(key.expose()))?, origin))
}

fn generate() -> Result<Secret, KeyError> {
    let mut bytes = [0; KEY_BYTES];
    fill(&mut bytes)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

fn slow_hash(key: &str) -> Result<String, KeyError> {
    let made = |error: argon2::password_hash::Error| KeyError::Make(error.to_string());
    let mut salt = [0; 16];
    fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(made)?;
    let hash = Argon2::default()
        .hash_password(key.as_bytes(), &salt)
        .map_err(made)?;
    Ok(hash.to_string())
}

fn fill(bytes: &mut [u8]) -> Result<(), KeyError> {
    getrandom::fill(bytes).map_err(|error| KeyError::Make(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_generated_key_is_shown_once_and_kept_as_a_hash() {
        let site = tempfile::tempdir().unwrap();
        let folder = site.path().join(".tessera");
        let (access, origin) = Access::open(&folder, None).await.unwrap();
        let KeyOrigin::Generated(key) = origin else {
            panic!("{origin:?}")
        };
        assert_eq!(key.expose().len(), 32);
        assert_eq!(
            (mode(&folder.join(KEY_FILE)), mode(&folder.join(HASH_FILE))),
            (0o600, 0o600)
        );
        let hash = fs::read_to_string(folder.join(HASH_FILE)).unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains(key.expose()));
        assert!(access.admits(key.expose()).await);

        // The second start, after the operator took the clear key away.
        fs::remove_file(folder.join(KEY_FILE)).unwrap();
        let (access, origin) = Access::open(&folder, None).await.unwrap();
        assert_eq!(origin, KeyOrigin::Kept);
        assert!(!access.admits("wrong").await);
        assert!(access.known.get().is_none());
        assert!(access.admits(key.expose()).await);
        assert!(access.known.get().is_some());
        for wrong in ["", "wrong", &key.expose()[1..], &"x".repeat(100_000)] {
            assert!(!access.admits(wrong).await, "{wrong:?}");
        }
        assert!(access.admits(key.expose()).await);
    }

    #[tokio::test]
    async fn a_key_that_is_set_replaces_the_one_before() {
        let site = tempfile::tempdir().unwrap();
        let (_, first) = Access::open(site.path(), None).await.unwrap();
        let KeyOrigin::Generated(first) = first else {
            panic!("{first:?}")
        };
        let set = Secret::new("correct-horse");
        for _ in 0..2 {
            let (access, origin) = Access::open(site.path(), Some(&set)).await.unwrap();
            assert_eq!(origin, KeyOrigin::Settings);
            assert!(access.admits("correct-horse").await);
            assert!(!access.admits(first.expose()).await);
        }
        let kept = fs::read_to_string(site.path().join(KEY_FILE)).unwrap();
        assert_eq!(kept, "correct-horse\n");
        assert_eq!(mode(&site.path().join(KEY_FILE)), 0o600);
    }

    #[tokio::test]
    async fn a_spoilt_hash_is_an_error_that_says_what_to_do() {
        let site = tempfile::tempdir().unwrap();
        fs::write(site.path().join(HASH_FILE), "hello").unwrap();
        let error = Access::open(site.path(), None).await.err().unwrap();
        assert!(error.to_string().contains("remove the file"), "{error}");
    }
}
