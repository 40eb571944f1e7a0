//! What components may ask of the session of their client; the host answers through [`Sessions`].

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use parking_lot::Mutex;

use crate::call::Call;
use crate::error::ProcessError;
use crate::state::Exchange;

/// A value of a session's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionValue {
    /// The value.
    pub value: Bytes,
    /// Rises with every write of its key. Never 0.
    pub version: u64,
}

/// What a write of a session's storage expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionExpected {
    /// Whatever is there is replaced.
    Any,
    /// Nothing is there yet.
    Absent,
    /// The value of that version is there.
    Version(u64),
}

/// Why a session cannot do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Another web process wrote the key first; with what is there now.
    #[error("another web process wrote the key first")]
    Conflict(Option<SessionValue>),
    /// Key, value, or the session as a whole is over its limit.
    #[error("the session is over its limit")]
    TooLarge,
    /// It is a legacy session, which keeps the instance, and nothing beside.
    #[error("legacy sessions have neither storage nor privileges")]
    Legacy,
    /// It was ended while this request was answered.
    #[error("the session has ended")]
    Ended,
    /// The head of the response is sent, so that no cookie can be.
    #[error("the head of the response is already sent: no session can begin any more")]
    Late,
    /// The store of sessions fails, or is full; the log says why.
    #[error("the store of sessions is not available")]
    Unavailable,
}

/// What takes its time.
pub type SessionWork<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionError>> + Send + 'a>>;

/// The sessions of the web server that answers a request. Implemented by the host.
pub trait Sessions: Send + Sync + 'static {
    /// The session of a request. Nothing is looked up yet.
    fn begin(self: Arc<Self>, call: &Call) -> Box<dyn Session>;
    /// Whether the request's URL names a session to be continued, which is done before any hook runs.
    fn is_named_by(&self, url: &str) -> bool;
    /// How many web processes belong to the session of an identifier; 0 if it is not known.
    fn process_count(&self, _id: &str) -> u32 {
        0
    }
}

/// The session of one request.
///
/// What only tells ([`Session::id`] and those after it) tells what [`Session::ready`] found.
pub trait Session: Send {
    /// Whether it was looked up.
    fn is_ready(&self) -> bool;
    /// Looks the session up, unless that was done.
    fn ready(&mut self) -> SessionWork<'_, ()>;
    /// Its identifier, also that of a session that is not created yet.
    fn id(&self) -> String;
    /// The name of its user, or empty.
    fn user_name(&self) -> String;
    /// Its privileges, inherited ones included, sorted; a guest has none.
    fn privileges(&self) -> Vec<String>;
    /// Whether it has a privilege.
    fn has_privilege(&self, name: &str) -> bool;
    /// Minutes without a request after which it ends.
    fn idle_timeout(&self) -> u32;
    /// When it ends without another request: ISO 8601, UTC, with milliseconds.
    fn expiration_date(&self) -> String;

    /// Replaces the privileges and, if given, the user name.
    fn set_privileges(
        &mut self,
        privileges: Vec<String>,
        user_name: Option<String>,
    ) -> SessionWork<'_, ()>;
    /// Makes it a guest session again.
    fn clear_privileges(&mut self) -> SessionWork<'_, ()>;
    /// Sets the home page of its client, relative to the HTML root; an empty one goes back to the default.
    fn set_home_page(&mut self, page: String) -> SessionWork<'_, ()>;
    /// Sets the idle timeout in minutes.
    fn set_idle_timeout(&mut self, minutes: u32) -> SessionWork<'_, ()>;
    /// Reads a value of the storage.
    fn get(&mut self, key: String) -> SessionWork<'_, Option<SessionValue>>;
    /// Writes a value if what is there is as expected, and gives its version.
    fn set(&mut self, key: String, value: Bytes, expected: SessionExpected)
    -> SessionWork<'_, u64>;
    /// Removes a value if what is there is as expected.
    fn remove(&mut self, key: String, expected: SessionExpected) -> SessionWork<'_, ()>;
    /// All keys of the storage, sorted.
    fn keys(&mut self) -> SessionWork<'_, Vec<String>>;
    /// Makes a token, good once, that continues this session elsewhere. In seconds.
    fn create_otp(&mut self, lifespan: Option<u32>) -> SessionWork<'_, String>;
    /// Continues the session of a token; false, and nothing changed, if it is no longer good.
    fn restore(&mut self, token: String) -> SessionWork<'_, bool>;
    /// Ends the session.
    fn close(&mut self) -> SessionWork<'_, ()>;

    /// The head of the response is sent: from now on no cookie can be.
    fn head_is_sent(&mut self);
    /// The cookie that the response is to have since the last call, if that has changed.
    fn take_cookie(&mut self) -> Option<HeaderValue>;
}

/// Longest key of a session's storage, in bytes.
pub const SESSION_KEY_BYTES_MAX: usize = 256;
/// Largest value of a session's storage, in bytes; the host may set a lower limit for the session as a whole.
pub const SESSION_VALUE_BYTES_MAX: usize = 1 << 20;

/// The cookie of a response that is sent while its web process goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct CookieCell(Arc<Mutex<CookieState>>);

#[derive(Debug, Default)]
struct CookieState {
    cookie: Option<HeaderValue>,
    is_sent: bool,
}

impl CookieCell {
    pub(crate) fn put(&self, cookie: HeaderValue) {
        self.0.lock().cookie = Some(cookie);
    }

    /// Whether a cookie would come too late.
    pub(crate) fn is_sent(&self) -> bool {
        self.0.lock().is_sent
    }

    /// The cookie of the head that is sent now.
    pub(crate) fn send(&self) -> Option<HeaderValue> {
        let mut state = self.0.lock();
        state.is_sent = true;
        state.cookie.take()
    }
}

/// What an exchange knows of the session of its client.
#[derive(Default)]
pub(crate) struct CurrentSession {
    /// Once the guest has asked for it.
    pub(crate) session: Option<Box<dyn Session>>,
    /// The store failed: a handler that fails as well does so for this.
    pub(crate) has_failed: bool,
    /// Where the cookie goes if the head of the answer may be sent before the web process ends.
    pub(crate) early: Option<CookieCell>,
}

impl Exchange {
    /// The session of the request, begun if it was not; none where the server keeps no sessions.
    pub(crate) fn session(&mut self) -> Option<&mut Box<dyn Session>> {
        if self.current.session.is_none() {
            let sessions = self.call.sessions.clone()?;
            self.current.session = Some(sessions.begin(&self.call));
        }
        self.current.session.as_mut()
    }

    /// Takes over what an operation did to the cookie, and remembers that the store failed.
    pub(crate) fn note_session<T>(&mut self, result: &Result<T, SessionError>) {
        self.current.has_failed |= matches!(result, Err(SessionError::Unavailable));
        let session = self.current.session.as_mut();
        let Some(cookie) = session.and_then(|session| session.take_cookie()) else {
            return;
        };
        match &self.current.early {
            Some(early) => early.put(cookie),
            None => self.answer.session_cookie = Some(cookie),
        }
    }

    /// The head of the answer may be sent before the web process ends: the cookie goes to where it is found then.
    pub(crate) fn expect_early_cookie(&mut self) -> Option<CookieCell> {
        let cell = self.call.sessions.is_some().then(CookieCell::default);
        self.current.early.clone_from(&cell);
        cell
    }

    /// Continues the session that the URL names, before any hook runs.
    pub(crate) async fn restore_session(&mut self) -> Result<(), ProcessError> {
        let sessions = self.call.sessions.as_ref();
        if !sessions.is_some_and(|sessions| sessions.is_named_by(&self.call.url)) {
            return Ok(());
        }
        let Some(session) = self.session() else {
            return Ok(());
        };
        let result = session.ready().await;
        self.note_session(&result);
        result.map_err(|_| ProcessError::NoSessions)
    }

    /// What a result comes to: a handler that failed because the store of sessions did is not to blame.
    pub(crate) fn with_sessions(
        &self,
        result: Result<(), ProcessError>,
    ) -> Result<(), ProcessError> {
        match result {
            Err(ProcessError::Failed { .. }) if self.current.has_failed => {
                Err(ProcessError::NoSessions)
            }
            result => result,
        }
    }
}

/// What a web process ends with that asked for what cannot be told without the store.
#[derive(Debug, thiserror::Error)]
#[error("the store of sessions is not available")]
pub(crate) struct NoSessions;
