//! The session of one request.

use std::sync::Arc;

use ::http::HeaderValue;
use bytes::Bytes;
use tessera_engine::{
    SESSION_KEY_BYTES_MAX, Session, SessionError, SessionExpected, SessionValue, SessionWork,
};

use super::record::Record;
use super::renewal::is_due;
use super::{
    Held, IDLE_MINUTES, IDLE_MINUTES_MAX, Purpose, ServerSessions, Token, expiration, iso_8601,
    minutes, now, storage,
};

/// The session of one request.
pub(super) struct Current {
    pub(super) home: Arc<ServerSessions>,
    /// What the cookie of the request holds.
    pub(super) presented: Option<Token>,
    /// What its URL names.
    pub(super) otp: Option<Token>,
    pub(super) secured: bool,
    /// When it was looked up.
    pub(super) began: u64,
    /// The secret of the session, or of the one that would be created; none until it was looked up.
    pub(super) token: Option<Token>,
    /// What was read of it; none of a guest session that is not created.
    pub(super) held: Option<Held>,
    /// It was closed, or taken away by others, while the request was answered.
    pub(super) has_ended: bool,
    pub(super) is_late: bool,
    pub(super) cookie: Option<HeaderValue>,
}

impl Current {
    pub(super) fn new(
        home: Arc<ServerSessions>,
        presented: Option<Token>,
        otp: Option<Token>,
        secured: bool,
    ) -> Self {
        Self {
            home,
            presented,
            otp,
            secured,
            began: now(),
            token: None,
            held: None,
            has_ended: false,
            is_late: false,
            cookie: None,
        }
    }

    /// What the request came with decides: a one-time token, a cookie, or neither. An identifier that a client made up
    /// never becomes one of a session.
    pub(super) async fn look_up(&mut self) -> Result<Token, SessionError> {
        if let Some(token) = self.token {
            return Ok(token);
        }
        // Whatever it comes to, nothing is left to be renewed when the request is answered.
        if let Some(token) = &self.presented {
            self.home.renewed.note(token);
        }
        if let Some(otp) = self.otp
            && let Some((token, held)) = self.redeem(&otp).await?
        {
            return Ok(self.take(token, held));
        }
        if let Some(token) = self.presented {
            self.held = self.home.load(&token).await?;
            if self.held.is_some() {
                self.token = Some(token);
                self.renew(&token).await?;
                return Ok(token);
            }
        }
        let token = Token::new()?;
        self.token = Some(token);
        Ok(token)
    }

    /// Sends the cookie again before it ends. One that could not be written in time is renewed by the next request.
    async fn renew(&mut self, token: &Token) -> Result<(), SessionError> {
        let Some(held) = self.held.as_ref().filter(|held| is_due(&held.record)) else {
            return Ok(());
        };
        let next = Held::new(Record {
            renewed: now(),
            ..held.record.clone()
        });
        if self.home.swap(token, Some(held), Some(&next)).await? {
            self.held = Some(next);
            self.send_cookie(token);
        } else {
            self.refresh(token).await?;
        }
        Ok(())
    }

    /// Continues another session, found by a one-time token.
    pub(super) fn take(&mut self, token: Token, held: Held) -> Token {
        self.token = Some(token);
        self.held = Some(held);
        self.has_ended = false;
        self.home.renewed.note(&token);
        self.send_cookie(&token);
        token
    }

    /// Reads again what is there now.
    pub(super) async fn refresh(&mut self, token: &Token) -> Result<(), SessionError> {
        if self.held.is_none() || self.has_ended {
            return Ok(());
        }
        self.held = self.home.load(token).await?;
        self.has_ended = self.held.is_none();
        Ok(())
    }

    /// The session as it is now, looked up or read again.
    async fn latest(&mut self) -> Result<Option<&Record>, SessionError> {
        match self.token {
            Some(token) => self.refresh(&token).await?,
            None => drop(self.look_up().await?),
        }
        Ok(self.held.as_ref().map(|held| &held.record))
    }

    /// Changes the session, again if another web process was quicker; creates it if there is none. Each round that fails
    /// is another one's success, so that it ends; if not, by the deadline.
    pub(super) async fn change<T>(
        &mut self,
        mut change: impl FnMut(&mut Record) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let token = self.look_up().await?;
        let mut is_fresh = false;
        loop {
            if self.has_ended {
                return Err(SessionError::Ended);
            }
            let Some(held) = &self.held else {
                return self.create(&token, change).await;
            };
            let mut record = held.record.clone();
            match change(&mut record) {
                // What was read when the request began may be old.
                Err(SessionError::Conflict(_)) if !is_fresh => {}
                Err(error) => return Err(error),
                Ok(result) => {
                    let next = Held::new(record);
                    if self.home.swap(&token, Some(held), Some(&next)).await? {
                        self.held = Some(next);
                        return Ok(result);
                    }
                }
            }
            self.refresh(&token).await?;
            is_fresh = true;
        }
    }

    /// Begins a session: from now on the client has a cookie.
    pub(super) async fn create<T>(
        &mut self,
        token: &Token,
        mut change: impl FnMut(&mut Record) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        if self.is_late {
            return Err(SessionError::Late);
        }
        let now = now();
        let mut record = Record {
            created: now,
            renewed: now,
            idle_timeout: IDLE_MINUTES,
            ..Record::default()
        };
        let result = change(&mut record)?;
        let next = Held::new(record);
        if !self.home.swap(token, None, Some(&next)).await? {
            // Somebody has the same random number, or wrote to the store by hand.
            return Err(SessionError::Unavailable);
        }
        self.held = Some(next);
        self.home.renewed.note(token);
        self.send_cookie(token);
        Ok(result)
    }

    pub(super) fn send_cookie(&mut self, token: &Token) {
        if let Some(held) = self.held.as_ref().filter(|_| !self.is_late) {
            let idle = minutes(held.record.idle_timeout).as_secs();
            self.cookie = self.home.cookie.set(token, idle, self.secured);
        }
    }

    /// What was read stays to be read until the request is answered.
    async fn end(&mut self) -> Result<(), SessionError> {
        let token = self.look_up().await?;
        if self.held.is_none() || self.has_ended {
            return Ok(());
        }
        self.home.vault.remove(super::session_key(&token)).await?;
        self.has_ended = true;
        if !self.is_late {
            self.cookie = self.home.cookie.clear(self.secured);
        }
        Ok(())
    }

    fn record(&self) -> Option<&Record> {
        self.held.as_ref().map(|held| &held.record)
    }

    fn given(&self) -> &[String] {
        self.record().map_or(&[], |record| &record.privileges)
    }
}

impl Session for Current {
    fn is_ready(&self) -> bool {
        self.token.is_some()
    }

    fn ready(&mut self) -> SessionWork<'_, ()> {
        Box::pin(async move { self.look_up().await.map(drop) })
    }

    fn id(&self) -> String {
        let id = |token: Token| token.id(Purpose::Session);
        self.token.map_or_else(String::new, id)
    }

    fn user_name(&self) -> String {
        let name = |record: &Record| record.user_name.clone();
        self.record().map_or_else(String::new, name)
    }

    fn privileges(&self) -> Vec<String> {
        let all = self.home.roles.with_included(self.given());
        all.into_iter().map(str::to_owned).collect()
    }

    fn has_privilege(&self, name: &str) -> bool {
        self.home.roles.with_included(self.given()).contains(name)
    }

    fn idle_timeout(&self) -> u32 {
        self.record()
            .map_or(IDLE_MINUTES, |record| record.idle_timeout)
    }

    fn expiration_date(&self) -> String {
        iso_8601(expiration(self.began, self.idle_timeout()))
    }

    fn set_privileges(
        &mut self,
        privileges: Vec<String>,
        user_name: Option<String>,
    ) -> SessionWork<'_, ()> {
        Box::pin(self.assign(privileges, user_name))
    }

    fn clear_privileges(&mut self) -> SessionWork<'_, ()> {
        Box::pin(async move {
            let record = self.latest().await?;
            let is_guest =
                |record: &Record| record.privileges.is_empty() && record.user_name.is_empty();
            if record.is_none_or(is_guest) {
                return Ok(());
            }
            let clear = |record: &mut Record| {
                record.privileges.clear();
                record.user_name.clear();
                Ok(())
            };
            self.change(clear).await
        })
    }

    fn set_home_page(&mut self, page: String) -> SessionWork<'_, ()> {
        Box::pin(async move {
            let record = self.latest().await?;
            if record.map_or("", |record| &record.home_page) == page {
                return Ok(());
            }
            let set = |record: &mut Record| {
                record.home_page.clone_from(&page);
                Ok(())
            };
            self.change(set).await
        })
    }

    fn set_idle_timeout(&mut self, minutes: u32) -> SessionWork<'_, ()> {
        let minutes = minutes.clamp(IDLE_MINUTES, IDLE_MINUTES_MAX);
        Box::pin(async move {
            let set = |record: &mut Record| {
                record.idle_timeout = minutes;
                record.renewed = now();
                Ok(())
            };
            self.change(set).await?;
            let token = self.look_up().await?;
            self.send_cookie(&token);
            Ok(())
        })
    }

    fn get(&mut self, key: String) -> SessionWork<'_, Option<SessionValue>> {
        Box::pin(async move {
            let record = self.latest().await?;
            Ok(record.and_then(|record| record.storage.get(&key).cloned()))
        })
    }

    fn set(
        &mut self,
        key: String,
        value: Bytes,
        expected: SessionExpected,
    ) -> SessionWork<'_, u64> {
        Box::pin(async move {
            if key.len() > SESSION_KEY_BYTES_MAX {
                return Err(SessionError::TooLarge);
            }
            self.change(|record| storage::set(record, &key, &value, expected))
                .await
        })
    }

    fn remove(&mut self, key: String, expected: SessionExpected) -> SessionWork<'_, ()> {
        Box::pin(async move {
            // Nothing is created in order to remove something from it.
            if self.latest().await?.is_none() && !self.has_ended {
                return storage::remove(&mut Record::default(), &key, expected);
            }
            self.change(|record| storage::remove(record, &key, expected))
                .await
        })
    }

    fn keys(&mut self) -> SessionWork<'_, Vec<String>> {
        Box::pin(async move {
            let record = self.latest().await?;
            Ok(record.map_or_else(Vec::new, |record| record.storage.keys().cloned().collect()))
        })
    }

    fn create_otp(&mut self, lifespan: Option<u32>) -> SessionWork<'_, String> {
        Box::pin(self.make_otp(lifespan))
    }

    fn restore(&mut self, token: String) -> SessionWork<'_, bool> {
        Box::pin(async move { self.continue_with(&token).await })
    }

    fn close(&mut self) -> SessionWork<'_, ()> {
        Box::pin(self.end())
    }

    fn head_is_sent(&mut self) {
        self.is_late = true;
    }

    fn take_cookie(&mut self) -> Option<HeaderValue> {
        self.cookie.take()
    }
}
