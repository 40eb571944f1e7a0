//! The users file: a line for each user, `name:hash`, the hash one of Argon2id as a PHC string.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use argon2::password_hash::{PasswordHash, PasswordHasher, SaltString};
use argon2::{Argon2, Params};
use rustix::fs::FlockOperation;

use crate::private;

/// The file, in the folder that Tessera keeps of a site.
pub const USERS_FILE: &str = "users";
/// Bytes of a file: some hundred thousand users.
const FILE_BYTES_MAX: u64 = 32 << 20;
const NAME_BYTES_MAX: usize = 255;
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=1024;
/// What one look at a password may cost, in KiB and passes: a line that somebody else made must not stop the server.
const MEMORY_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
/// What stands above the users.
const HEAD: &str = "# Users of this site, made by `tessera user add`: name:Argon2id hash.\n";

/// The users file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// It cannot be read or written.
    #[error("{path}: the users file cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of its lines is wrong.
    #[error("{path}:{line}: {fault}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what to do. Never shows a hash.
        fault: String,
    },
    /// The name cannot be one of a user.
    #[error(
        "{0:?} cannot be the name of a user: 1 to {NAME_BYTES_MAX} bytes without colons and control characters, no blank at either end, no # at the beginning"
    )]
    Name(String),
    /// The password cannot be one.
    #[error("a password has 8 to 1024 bytes, and no control characters")]
    Password,
    /// There is such a user.
    #[error("there is a user {0:?} already: `tessera user passwd` changes the password")]
    Exists(String),
    /// There is no such user.
    #[error("there is no user {0:?}: `tessera user list` shows all")]
    Missing(String),
    /// The system gives no random numbers, or too little memory for the hash.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// All users, by name, with their hashes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserTable {
    users: BTreeMap<String, String>,
}

impl fmt::Debug for UserTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.users.keys()).finish()
    }
}

impl UserTable {
    /// Reads the file in a site's folder of state; no file is no users.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is over 32 MiB, or has a line that is wrong.
    pub fn load(state_folder: &Path) -> Result<Self, UsersError> {
        let path = state_folder.join(USERS_FILE);
        let failed = |source| UsersError::File {
            path: path.clone(),
            source,
        };
        let length = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        if length > FILE_BYTES_MAX {
            return Err(failed(io::Error::other("it is over 32 MiB")));
        }
        let text = fs::read_to_string(&path).map_err(failed)?;
        Self::parse(&text).map_err(|(line, fault)| UsersError::Line { path, line, fault })
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut users = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fault = |fault: String| (index + 1, fault);
            let (name, hash) = line
                .split_once(':')
                .ok_or_else(|| fault("not a user: a line is name:hash".to_owned()))?;
            check_name(name).map_err(|error| fault(error.to_string()))?;
            if !is_usable(hash) {
                return Err(fault(format!(
                    "{name:?} has no usable Argon2id hash (at most 256 MiB and 16 passes): `tessera user passwd` makes one"
                )));
            }
            if users.insert(name.to_owned(), hash.to_owned()).is_some() {
                return Err(fault(format!("{name:?} is there twice: remove one line")));
            }
        }
        Ok(Self { users })
    }

    /// Writes the file anew, in one step, for nobody else to read.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn save(&self, state_folder: &Path) -> Result<(), UsersError> {
        let path = state_folder.join(USERS_FILE);
        let mut text = HEAD.to_owned();
        for (name, hash) in &self.users {
            text.extend([name, ":", hash, "\n"]);
        }
        private::write(&path, &text).map_err(|source| UsersError::File { path, source })
    }

    /// Reads the file, changes what is in it, and writes it, while no other process does so. Makes the folder.
    ///
    /// # Errors
    ///
    /// Those of [`UserTable::load`], of `work`, and of [`UserTable::save`]; the file then stays as it was.
    pub fn update(
        state_folder: &Path,
        work: impl FnOnce(&mut Self) -> Result<(), UsersError>,
    ) -> Result<(), UsersError> {
        let failed = |source| UsersError::File {
            path: state_folder.to_owned(),
            source,
        };
        private::make_folder(state_folder).map_err(failed)?;
        let folder = fs::File::open(state_folder).map_err(failed)?;
        rustix::fs::flock(&folder, FlockOperation::LockExclusive)
            .map_err(|error| failed(error.into()))?;
        let mut table = Self::load(state_folder)?;
        work(&mut table)?;
        table.save(state_folder)
    }

    /// The hash of a user.
    pub(super) fn hash(&self, name: &str) -> Option<&str> {
        self.users.get(name).map(String::as_str)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// For a name that there is, or that cannot be one, and for a password that cannot be one.
    pub fn add(&mut self, name: &str, password: &str) -> Result<(), UsersError> {
        check_name(name)?;
        if self.users.contains_key(name) {
            return Err(UsersError::Exists(name.to_owned()));
        }
        self.users.insert(name.to_owned(), hashed(password)?);
        Ok(())
    }

    /// Changes the password of a user.
    ///
    /// # Errors
    ///
    /// For a name that there is not, and for a password that cannot be one.
    pub fn change(&mut self, name: &str, password: &str) -> Result<(), UsersError> {
        let missing = || UsersError::Missing(name.to_owned());
        let hash = self.users.get_mut(name).ok_or_else(missing)?;
        *hash = hashed(password)?;
        Ok(())
    }

    /// Takes a user away.
    ///
    /// # Errors
    ///
    /// For a name that there is not.
    pub fn remove(&mut self, name: &str) -> Result<(), UsersError> {
        let removed = self.users.remove(name);
        removed
            .map(drop)
            .ok_or_else(|| UsersError::Missing(name.to_owned()))
    }
}

/// Names travel before a colon (RFC 7617), and stand in the file alike.
fn check_name(name: &str) -> Result<(), UsersError> {
    let is_name = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.trim() == name
        && !name.starts_with('#')
        && !name.contains(|c: char| c == ':' || c.is_control());
    match is_name {
        true => Ok(()),
        false => Err(UsersError::Name(name.to_owned())),
    }
}

fn is_usable(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let is_whole =
        hash.algorithm.as_str() == "argon2id" && hash.hash.is_some() && hash.salt.is_some();
    let params = Params::try_from(&hash);
    is_whole && params.is_ok_and(|it| it.m_cost() <= MEMORY_MAX && it.t_cost() <= PASSES_MAX)
}

/// Argon2id with the least that OWASP asks for (19 MiB, two passes), which takes some tens of milliseconds.
pub(super) fn hashed(password: &str) -> Result<String, UsersError> {
    let is_password =
        PASSWORD_BYTES.contains(&password.len()) && !password.contains(char::is_control);
    if !is_password {
        return Err(UsersError::Password);
    }
    let made = |error: argon2::password_hash::Error| UsersError::Hash(error.to_string());
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| UsersError::Hash(error.to_string()))?;
    let salt = SaltString::encode_b64(&salt).map_err(made)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(made)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_added_changed_listed_and_removed() {
        let site = tempfile::tempdir().unwrap();
        let mut table = UserTable::load(site.path()).unwrap();
        table.add("bob", "correct horse").unwrap();
        table.add("J\u{f6}rg M.", "battery staple").unwrap();
        assert!(matches!(
            table.add("bob", "12345678"),
            Err(UsersError::Exists(_))
        ));
        assert!(matches!(
            table.change("eve", "12345678"),
            Err(UsersError::Missing(_))
        ));
        table.save(site.path()).unwrap();
        let path = site.path().join(USERS_FILE);
        assert!(!private::is_exposed(&path));
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("bob:$argon2id$v=19$m=19456,t=2,p=1$"),
            "{text}"
        );
        assert!(!text.contains("correct"), "{text}");

        let mut again = UserTable::load(site.path()).unwrap();
        assert_eq!(again, table);
        let before = again.hash("bob").unwrap().to_owned();
        again.change("bob", "correct horse").unwrap();
        assert_ne!(again.hash("bob"), Some(before.as_str()));
        again.remove("bob").unwrap();
        assert!(again.remove("bob").is_err());
        assert_eq!(again.names().collect::<Vec<_>>(), ["J\u{f6}rg M."]);
        assert!(!format!("{again:?}").contains("argon2"));
    }

    #[test]
    fn what_cannot_be_a_name_or_a_password_is_refused() {
        let mut table = UserTable::default();
        for name in ["", " a", "a ", "a:b", "a\nb", "#a", &"a".repeat(256)] {
            assert!(
                matches!(table.add(name, "12345678"), Err(UsersError::Name(_))),
                "{name:?}"
            );
        }
        for password in ["", "1234567", "1234567\n8", &"a".repeat(1025)] {
            assert!(
                matches!(table.add("a", password), Err(UsersError::Password)),
                "{password:?}"
            );
        }
        assert_eq!(table, UserTable::default());
    }

    #[test]
    fn a_wrong_line_is_named_and_its_hash_is_not_shown() {
        let good = hashed("12345678").unwrap();
        let parse = |text: &str| UserTable::parse(text).map(|table| table.users.len());
        assert_eq!(
            parse(&format!("# all\n\nann:{good}\r\nbob:{good}\n")),
            Ok(2)
        );
        for (text, line, words) in [
            ("ann".to_owned(), 1, "name:hash"),
            (format!("ann:{good}\nbob:secret"), 2, "tessera user passwd"),
            (format!("ann:{good}\n\nann:{good}"), 3, "twice"),
            (format!(" ann:{good}"), 1, "cannot be the name"),
            (
                format!("ann:{}", good.replace("argon2id", "argon2i")),
                1,
                "Argon2id",
            ),
            (
                format!("ann:{}", good.replace("m=19456", "m=4000000")),
                1,
                "256 MiB",
            ),
            (format!("ann:{}", good.replace("t=2", "t=99")), 1, "256 MiB"),
            (
                "ann:$argon2id$v=19$m=19456,t=2,p=1".to_owned(),
                1,
                "Argon2id",
            ),
        ] {
            let (found, fault) = parse(&text).unwrap_err();
            assert_eq!(found, line, "{text}");
            assert!(fault.contains(words) && !fault.contains("$"), "{fault}");
        }
    }
}
