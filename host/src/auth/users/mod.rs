//! The users of a site: looked up as they are in their file, their passwords compared off the serving threads.

mod file;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordVerifier};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::aged::Aged;
use super::keyed::{Fingerprint, Key};
use crate::private;
pub use file::{USERS_FILE, UserTable, UsersError};

/// How long the file is believed to be what it was.
const INTERVAL: Duration = Duration::from_millis(500);
/// Passwords that are compared at a time: each takes a processor for some tens of milliseconds, and 19 MiB.
const AT_A_TIME: usize = 2;
/// Requests that wait for that; further ones are told to come back.
const WAITING_MAX: usize = 64;
/// How long the outcome of a comparison is remembered.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Outcomes that are remembered at least.
const OUTCOMES: usize = 8_192;

/// What the users file says of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// No user of the file.
    Unknown,
}

/// Why it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Silent;

/// The users of a site.
#[derive(Debug)]
pub(super) struct Users {
    folder: PathBuf,
    /// Held while the file is looked at.
    looked: tokio::sync::Mutex<Looked>,
    key: Key,
    outcomes: Mutex<Aged<Fingerprint, (Instant, bool)>>,
    comparing: Arc<Semaphore>,
    waiting: Semaphore,
    /// Compared with where there is no such user, so that this takes as long.
    nobody: Arc<OnceLock<String>>,
}

#[derive(Debug, Default)]
struct Looked {
    at: Option<Instant>,
    stamp: Stamp,
    table: Option<Arc<UserTable>>,
}

/// What changes with a file: length, i-node, and times in nanoseconds. None where there is no file.
type Stamp = Option<(u64, u64, i64, i64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    let it = std::fs::metadata(path).ok()?;
    Some((
        it.len(),
        it.ino(),
        it.mtime(),
        it.mtime_nsec(),
        it.ctime(),
        it.ctime_nsec(),
    ))
}

impl Users {
    /// Those of a site whose folder of state this is.
    pub(super) fn new(folder: &Path, key: Key) -> Self {
        Self {
            folder: folder.to_owned(),
            looked: tokio::sync::Mutex::default(),
            key,
            outcomes: Mutex::new(Aged::new(OUTCOMES)),
            comparing: Arc::new(Semaphore::new(AT_A_TIME)),
            waiting: Semaphore::new(WAITING_MAX),
            nobody: Arc::default(),
        }
    }

    /// Whether they are the credentials of a user. An unknown name takes as long as a wrong password.
    pub(super) async fn verify(&self, name: &str, password: &str) -> Result<Verdict, Silent> {
        let table = self.table().await.ok_or(Silent)?;
        let hash = table.hash(name);
        let parts = [name, password, hash.unwrap_or_default()].map(str::as_bytes);
        let fingerprint = self.key.of(&parts);
        let is_right = match self.remembered(&fingerprint) {
            Some(is_right) => is_right,
            None => {
                let is_right = self.compare(hash, password).await?;
                let outcome = (Instant::now(), is_right);
                self.outcomes.lock().insert(fingerprint, outcome);
                is_right
            }
        };
        Ok(match (hash, is_right) {
            (None, _) => Verdict::Unknown,
            (Some(_), true) => Verdict::Right,
            (Some(_), false) => Verdict::Wrong,
        })
    }

    fn remembered(&self, fingerprint: &Fingerprint) -> Option<bool> {
        let mut outcomes = self.outcomes.lock();
        let (at, is_right) = outcomes.get(fingerprint)?;
        (at.elapsed() < REMEMBERED).then_some(*is_right)
    }

    async fn compare(&self, hash: Option<&str>, password: &str) -> Result<bool, Silent> {
        let Ok(_waiting) = self.waiting.try_acquire() else {
            tracing::warn!(
                "more passwords are to be compared than {WAITING_MAX}: requests are refused"
            );
            return Err(Silent);
        };
        let permit = self.comparing.clone().acquire_owned().await;
        let permit = permit.map_err(|_| Silent)?;
        let (hash, password) = (hash.map(str::to_owned), password.to_owned());
        let nobody = self.nobody.clone();
        let comparing = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, even if nobody waits for the result any more.
            let _permit = permit;
            match hash {
                Some(hash) => is_of(&password, &hash),
                None => {
                    let made = || file::hashed("nobody has this password").unwrap_or_default();
                    is_of(&password, nobody.get_or_init(made));
                    false
                }
            }
        });
        comparing.await.map_err(|_| Silent)
    }

    /// All users, as the file has them now. None if it cannot be read, and never could.
    async fn table(&self) -> Option<Arc<UserTable>> {
        let mut looked = self.looked.lock().await;
        if looked.at.is_some_and(|at| at.elapsed() < INTERVAL) {
            return looked.table.clone();
        }
        let (folder, before, first) = (self.folder.clone(), looked.stamp, looked.at.is_none());
        let looking = tokio::task::spawn_blocking(move || {
            let path = folder.join(USERS_FILE);
            let now = stamp(&path);
            if !first && now == before {
                return None;
            }
            if private::is_exposed(&path) {
                tracing::warn!(file = %path.display(), "others on this machine can read the hashes of passwords: chmod 600 it");
            }
            Some((now, UserTable::load(&folder)))
        });
        match looking.await.ok()? {
            None => {}
            Some((stamp, Ok(table))) => {
                looked.stamp = stamp;
                looked.table = Some(Arc::new(table));
            }
            Some((stamp, Err(error))) => {
                looked.stamp = stamp;
                let kept = match looked.table {
                    Some(_) => "the users from before are kept",
                    None => "requests with a name and a password are refused until it is mended",
                };
                tracing::error!("{error}; {kept}");
            }
        }
        looked.at = Some(Instant::now());
        looked.table.clone()
    }
}

fn is_of(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        let compared = Argon2::default().verify_password(password.as_bytes(), &hash);
        compared.is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(folder: &Path) -> Users {
        Users::new(folder, Key::new().unwrap())
    }

    fn save(folder: &Path, all: &[(&str, &str)]) {
        let mut table = UserTable::default();
        for (name, password) in all {
            table.add(name, password).unwrap();
        }
        table.save(folder).unwrap();
    }

    #[tokio::test]
    async fn credentials_are_right_wrong_or_unknown() {
        let site = tempfile::tempdir().unwrap();
        save(site.path(), &[("ann", "correct horse")]);
        let users = users(site.path());
        for _ in 0..2 {
            for (name, password, expected) in [
                ("ann", "correct horse", Verdict::Right),
                ("ann", "correct horsf", Verdict::Wrong),
                ("ann", "", Verdict::Wrong),
                ("Ann", "correct horse", Verdict::Unknown),
                ("eve", "correct horse", Verdict::Unknown),
            ] {
                let verdict = users.verify(name, password).await;
                assert_eq!(verdict, Ok(expected), "{name} {password}");
            }
        }
        // Each was compared once.
        assert_eq!(users.outcomes.lock().len(), 5);
    }

    #[tokio::test]
    async fn a_changed_file_counts_and_a_wrong_one_does_not() {
        let site = tempfile::tempdir().unwrap();
        let users = users(site.path());
        let verify = async |password| users.verify("ann", password).await;
        let forget = async || users.looked.lock().await.at = Some(Instant::now() - INTERVAL);
        assert_eq!(verify("correct horse").await, Ok(Verdict::Unknown));
        save(site.path(), &[("ann", "correct horse")]);
        forget().await;
        assert_eq!(verify("correct horse").await, Ok(Verdict::Right));
        save(site.path(), &[("ann", "battery staple")]);
        forget().await;
        assert_eq!(verify("correct horse").await, Ok(Verdict::Wrong));
        assert_eq!(verify("battery staple").await, Ok(Verdict::Right));
        std::fs::write(site.path().join(USERS_FILE), "not users").unwrap();
        forget().await;
        assert_eq!(verify("battery staple").await, Ok(Verdict::Right));
        std::fs::remove_file(site.path().join(USERS_FILE)).unwrap();
        forget().await;
        assert_eq!(verify("battery staple").await, Ok(Verdict::Unknown));
    }

    #[tokio::test]
    async fn a_file_that_was_never_right_lets_nobody_pass_as_unknown() {
        let site = tempfile::tempdir().unwrap();
        std::fs::write(site.path().join(USERS_FILE), "not users").unwrap();
        assert_eq!(
            users(site.path()).verify("ann", "12345678").await,
            Err(Silent)
        );
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let site = tempfile::tempdir().unwrap();
        let users = users(site.path());
        let all = u32::try_from(WAITING_MAX).unwrap();
        let _all = users.waiting.try_acquire_many(all).unwrap();
        assert_eq!(users.verify("ann", "12345678").await, Err(Silent));
    }
}
