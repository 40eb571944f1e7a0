//! `session`, in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::current;
use crate::session::{Expected, SessionError, Stored};

/// The session of a client; clones are the same session.
#[derive(Clone, Default)]
pub(crate) struct Session(pub(crate) Rc<RefCell<State>>);

/// What a session holds.
pub(crate) struct State {
    pub(crate) id: String,
    pub(crate) user_name: String,
    pub(crate) privileges: Vec<String>,
    pub(crate) idle_minutes: u32,
    pub(crate) storage: BTreeMap<String, Stored>,
    pub(crate) is_closed: bool,
    last_version: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            id: new_id(),
            user_name: String::new(),
            privileges: Vec::new(),
            idle_minutes: 60,
            storage: BTreeMap::new(),
            is_closed: false,
            last_version: 0,
        }
    }
}

impl State {
    fn check(&self, key: &str, expected: Expected) -> Result<(), SessionError> {
        let now = self.storage.get(key);
        let as_expected = match expected {
            Expected::Any => true,
            Expected::Absent => now.is_none(),
            Expected::Version(version) => now.is_some_and(|stored| stored.version == version),
        };
        as_expected
            .then_some(())
            .ok_or_else(|| SessionError::Conflict(now.cloned()))
    }

    /// Stores a value if what is there is as expected, and returns its version.
    pub(crate) fn write(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Expected,
    ) -> Result<u64, SessionError> {
        self.check(key, expected)?;
        self.last_version += 1;
        let stored = Stored {
            value: value.to_vec(),
            version: self.last_version,
        };
        self.storage.insert(key.to_owned(), stored);
        Ok(self.last_version)
    }
}

thread_local! {
    // Tokens outlive the exchange that made them.
    static TOKENS: RefCell<BTreeMap<String, Session>> = const { RefCell::new(BTreeMap::new()) };
}

fn new_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", LAST.fetch_add(1, Ordering::Relaxed) + 1)
}

fn session<R>(act: impl FnOnce(&mut State) -> R) -> R {
    current(|exchange| act(&mut exchange.session.0.borrow_mut()))
}

pub(crate) fn id() -> String {
    session(|state| state.id.clone())
}

pub(crate) fn user_name() -> String {
    session(|state| state.user_name.clone())
}

pub(crate) fn is_guest() -> bool {
    session(|state| state.privileges.is_empty())
}

pub(crate) fn has_privilege(name: &str) -> bool {
    session(|state| state.privileges.iter().any(|privilege| privilege == name))
}

pub(crate) fn get_privileges() -> Vec<String> {
    session(|state| state.privileges.clone())
}

pub(crate) fn set_privileges(
    privileges: &[String],
    user_name: Option<&str>,
) -> Result<(), SessionError> {
    session(|state| {
        let rises = privileges
            .iter()
            .any(|privilege| !state.privileges.contains(privilege));
        if rises {
            state.id = new_id();
        }
        state.privileges = privileges.to_vec();
        if let Some(name) = user_name {
            state.user_name = name.to_owned();
        }
    });
    Ok(())
}

pub(crate) fn clear_privileges() -> Result<(), SessionError> {
    session(|state| state.privileges.clear());
    Ok(())
}

pub(crate) fn idle_timeout() -> u32 {
    session(|state| state.idle_minutes)
}

pub(crate) fn set_idle_timeout(minutes: u32) -> Result<(), SessionError> {
    session(|state| state.idle_minutes = minutes.max(60));
    Ok(())
}

pub(crate) fn expiration_date() -> String {
    // Tests compare texts, so time stands still.
    "2000-01-01T01:00:00.000Z".to_owned()
}

/// Sessions are scalable ones here.
pub(crate) fn process_count(_: &str) -> u32 {
    0
}

pub(crate) fn get(key: &str) -> Result<Option<Stored>, SessionError> {
    Ok(session(|state| state.storage.get(key).cloned()))
}

pub(crate) fn set(key: &str, value: &[u8], expected: Expected) -> Result<u64, SessionError> {
    session(|state| state.write(key, value, expected))
}

pub(crate) fn remove(key: &str, expected: Expected) -> Result<(), SessionError> {
    session(|state| {
        state.check(key, expected)?;
        state.storage.remove(key);
        Ok(())
    })
}

pub(crate) fn keys() -> Result<Vec<String>, SessionError> {
    Ok(session(|state| state.storage.keys().cloned().collect()))
}

pub(crate) fn create_otp(_lifespan: Option<u32>) -> Result<String, SessionError> {
    let token = format!("token-{}", new_id());
    let session = current(|exchange| exchange.session.clone());
    TOKENS.with_borrow_mut(|tokens| tokens.insert(token.clone(), session));
    Ok(token)
}

pub(crate) fn restore(token: &str) -> Result<bool, SessionError> {
    let found = TOKENS.with_borrow_mut(|tokens| tokens.remove(token));
    Ok(found.is_some_and(|session| {
        current(|exchange| exchange.session = session);
        true
    }))
}

pub(crate) fn close() -> Result<(), SessionError> {
    session(|state| state.is_closed = true);
    Ok(())
}
