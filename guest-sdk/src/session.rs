//! The session of the client whose request is being answered.
//!
//! A client without a session has a guest session, which is only created when something is written into it.

use std::fmt;

#[cfg(feature = "json")]
use crate::error::Error;
use crate::host::session as host;

/// A stored value with the version that a compare-and-swap names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The value.
    pub value: Vec<u8>,
    /// Rises with every write of this key. Never 0.
    pub version: u64,
}

/// What a write expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there is replaced.
    Any,
    /// Nothing is there yet.
    Absent,
    /// The value of that version is there.
    Version(u64),
}

impl Expected {
    fn after(current: Option<&Stored>) -> Self {
        current.map_or(Self::Absent, |stored| Self::Version(stored.version))
    }
}

/// Why the session cannot do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// The server keeps no sessions.
    Disabled,
    /// Another web process wrote the key first; holds what is there now.
    Conflict(Option<Stored>),
    /// Key, value, or the session as a whole is over its limit.
    TooLarge,
    /// The store does not answer.
    Unavailable(String),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("the server keeps no sessions"),
            Self::Conflict(_) => f.write_str("another web process wrote the session's key first"),
            Self::TooLarge => f.write_str("the session is larger than its limit"),
            Self::Unavailable(why) => write!(f, "the store of sessions does not answer: {why}"),
        }
    }
}

impl std::error::Error for SessionError {}

/// The session's identifier; empty if the server keeps no sessions.
pub fn id() -> String {
    host::id()
}

/// Name of the user; empty until [`set_privileges`] sets one.
pub fn user_name() -> String {
    host::user_name()
}

/// Whether the session has no privilege.
pub fn is_guest() -> bool {
    host::is_guest()
}

/// Whether the session has this privilege, directly or by inheritance.
pub fn has_privilege(name: &str) -> bool {
    host::has_privilege(name)
}

/// All privileges of the session, inherited ones included.
pub fn privileges() -> Vec<String> {
    host::get_privileges()
}

/// Replaces the privileges and, if given, the user name. The session gets a new identifier when privileges rise.
pub fn set_privileges(privileges: &[&str], user_name: Option<&str>) -> Result<(), SessionError> {
    let privileges: Vec<String> = privileges.iter().map(|&name| name.to_owned()).collect();
    host::set_privileges(&privileges, user_name)
}

/// Makes the session a guest session again.
pub fn clear_privileges() -> Result<(), SessionError> {
    host::clear_privileges()
}

/// Minutes without a request after which the session ends.
pub fn idle_timeout_minutes() -> u32 {
    host::idle_timeout()
}

/// Sets the idle timeout in minutes; below 60 counts as 60.
pub fn set_idle_timeout_minutes(minutes: u32) -> Result<(), SessionError> {
    host::set_idle_timeout(minutes)
}

/// When the session ends without another request: ISO 8601, UTC, with milliseconds.
pub fn expiration_date() -> String {
    host::expiration_date()
}

/// How many web processes belong to the session of an identifier of this web server: of a legacy session 1 while it keeps
/// an instance; 0 if it is not known, and with scalable sessions.
pub fn process_count(id: &str) -> u32 {
    host::process_count(id)
}

/// The bytes stored under a key, with their version.
pub fn load(key: &str) -> Result<Option<Stored>, SessionError> {
    host::get(key)
}

/// Stores bytes if what is there is as expected, and returns their version.
pub fn store(key: &str, value: &[u8], expected: Expected) -> Result<u64, SessionError> {
    host::set(key, value, expected)
}

/// Removes what is stored under a key if it is as expected.
pub fn remove(key: &str, expected: Expected) -> Result<(), SessionError> {
    host::remove(key, expected)
}

/// Changes the bytes of a key as often as it takes: if another web process wrote them meanwhile, `change` is
/// called again with what is there now. Returns what the last call returned.
pub fn swap<R>(
    key: &str,
    mut change: impl FnMut(Option<&[u8]>) -> (Vec<u8>, R),
) -> Result<R, SessionError> {
    let mut current = host::get(key)?;
    loop {
        let (next, result) = change(current.as_ref().map(|stored| stored.value.as_slice()));
        match host::set(key, &next, Expected::after(current.as_ref())) {
            Ok(_) => return Ok(result),
            // Each conflict is another web process's success, so the wait ends; if not, by the deadline.
            Err(SessionError::Conflict(now)) => current = now,
            Err(error) => return Err(error),
        }
    }
}

/// The value stored under a key, from JSON.
#[cfg(feature = "json")]
pub fn get<T: serde::de::DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    match host::get(key)? {
        Some(stored) => Ok(Some(serde_json::from_slice(&stored.value)?)),
        None => Ok(None),
    }
}

/// Stores a value under a key as JSON, in place of what is there.
#[cfg(feature = "json")]
pub fn set<T: serde::Serialize + ?Sized>(key: &str, value: &T) -> Result<(), Error> {
    host::set(key, &serde_json::to_vec(value)?, Expected::Any)?;
    Ok(())
}

/// Changes the value of a key, `T::default()` if there is none, without losing the change of another web process:
/// `change` is called again with the other's value if one was faster.
///
/// ```
/// # use tessera_guest::{session, test};
/// # test::get("/").connect(|| {
/// let visits = session::update("visits", |visits: &mut u32| {
///     *visits += 1;
///     *visits
/// })?;
/// # assert_eq!(visits, 1);
/// # Ok::<_, tessera_guest::Error>(())
/// # });
/// ```
#[cfg(feature = "json")]
pub fn update<T, R>(key: &str, mut change: impl FnMut(&mut T) -> R) -> Result<R, Error>
where
    T: Default + serde::Serialize + serde::de::DeserializeOwned,
{
    let mut current = host::get(key)?;
    loop {
        let mut value = match &current {
            Some(stored) => serde_json::from_slice(&stored.value)?,
            None => T::default(),
        };
        let result = change(&mut value);
        let next = serde_json::to_vec(&value)?;
        match host::set(key, &next, Expected::after(current.as_ref())) {
            Ok(_) => return Ok(result),
            Err(SessionError::Conflict(now)) => current = now,
            Err(error) => return Err(error.into()),
        }
    }
}

/// All keys of the session's storage, sorted.
pub fn keys() -> Result<Vec<String>, SessionError> {
    host::keys()
}

/// A token, good once, that opens this session elsewhere. In seconds; below 10 counts as 10, none as the idle timeout.
pub fn create_otp(lifespan_seconds: Option<u32>) -> Result<String, SessionError> {
    host::create_otp(lifespan_seconds)
}

/// Continues the session of a token in place of the current one; false if the token is no longer good.
pub fn restore(token: &str) -> Result<bool, SessionError> {
    host::restore(token)
}

/// Ends the session after this request.
pub fn close() -> Result<(), SessionError> {
    host::close()
}
