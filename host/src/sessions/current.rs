//! The session of one request.

use std::sync::Arc;

use ::http::HeaderValue;
use bytes::Bytes;
use tessera_engine::{
    SESSION_KEY_BYTES_MAX, Session, SessionError, SessionExpected, SessionValue, SessionWork,
};

use super::record::{PRIVILEGES_MAX, Record, USER_BYTES_MAX};
use super::renewal::is_due;
use super::{
    Held, IDLE_MINUTES, IDLE_MINUTES_MAX, Purpose, ServerSessions, Token, expiration, iso_8601,
    minutes, now, storage,
};
use crate::sessions::otp_key;

/// Shortest lifespan of a one-time token, and the longest, in seconds.
const OTP_SECONDS_MIN: u32 = 10;
const OTP_SECONDS_MAX: u32 = 60 * IDLE_MINUTES_MAX;

/// The session of one request.
pub(super) struct Current {
    home: Arc<ServerSessions>,
    /// What the cookie of the request holds.
    presented: Option<Token>,
    /// What its URL names.
    otp: Option<Token>,
    secured: bool,
    /// When it was looked up.
    began: u64,
    /// The secret of the session, or of the one that would be created; none until it was looked up.
    token: Option<Token>,
    /// What was read of it; none of a guest session that is not created.
    held: Option<Held>,
    /// It was closed, or taken away by others, while the request was answered.
    has_ended: bool,
    is_late: bool,
    cookie: Option<HeaderValue>,
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
    async fn look_up(&mut self) -> Result<Token, SessionError> {
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
    fn take(&mut self, token: Token, held: Held) -> Token {
        self.token = Some(token);
        self.held = Some(held);
        self.has_ended = false;
        self.home.renewed.note(&token);
        self.send_cookie(&token);
        token
    }

    /// The session of a one-time token, which is worth nothing from now on.
    async fn redeem(&self, otp: &Token) -> Result<Option<(Token, Held)>, SessionError> {
        let key = otp_key(otp);
        let Some(sealed) = self.home.vault.read(key.clone()).await? else {
            return Ok(None);
        };
        let token = otp.unseal(&sealed);
        // Of several that come with it at once one gets it.
        let lifetime = minutes(IDLE_MINUTES);
        if !self
            .home
            .vault
            .swap(key, Some(sealed), None, lifetime)
            .await?
        {
            return Ok(None);
        }
        let Some(token) = token else {
            return Ok(None);
        };
        let held = self.home.load(&token).await?;
        Ok(held.map(|held| (token, held)))
    }

    /// Reads again what is there now.
    async fn refresh(&mut self, token: &Token) -> Result<(), SessionError> {
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
    async fn change<T>(
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
    async fn create<T>(
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

    fn send_cookie(&mut self, token: &Token) {
        if let Some(held) = self.held.as_ref().filter(|_| !self.is_late) {
            let idle = minutes(held.record.idle_timeout).as_secs();
            self.cookie = self.home.cookie.set(token, idle, self.secured);
        }
    }

    /// Gives the session another user or other privileges. Where that is more than before it gets a new secret, and the
    /// old one is worth nothing: whoever knew it, or made the client use it, gains nothing.
    async fn assign(
        &mut self,
        privileges: Vec<String>,
        user_name: Option<String>,
    ) -> Result<(), SessionError> {
        let privileges = self.home.roles.known(privileges);
        let user_bytes = user_name.as_ref().map_or(0, String::len);
        if privileges.len() > PRIVILEGES_MAX || user_bytes > USER_BYTES_MAX {
            return Err(SessionError::TooLarge);
        }
        let token = self.look_up().await?;
        if self.held.is_none() && privileges.is_empty() && user_bytes == 0 {
            return Ok(());
        }
        loop {
            if self.has_ended {
                return Err(SessionError::Ended);
            }
            let set = |record: &mut Record| {
                record.privileges.clone_from(&privileges);
                if let Some(name) = &user_name {
                    record.user_name.clone_from(name);
                }
                Ok(())
            };
            let Some(held) = &self.held else {
                return self.create(&token, set).await;
            };
            let mut record = held.record.clone();
            set(&mut record)?;
            let rises = self.home.roles.rises(&held.record.privileges, &privileges)
                || held.record.user_name != record.user_name;
            let done = match rises {
                true => self.move_to_new_token(&token, record).await?,
                false => {
                    let next = Held::new(record);
                    let done = self.home.swap(&token, Some(held), Some(&next)).await?;
                    if done {
                        self.held = Some(next);
                    }
                    done
                }
            };
            if done {
                return Ok(());
            }
            self.refresh(&token).await?;
        }
    }

    /// Moves the session to a new secret if nobody changed it meanwhile, and says whether it did.
    async fn move_to_new_token(
        &mut self,
        old: &Token,
        mut record: Record,
    ) -> Result<bool, SessionError> {
        if self.is_late {
            return Err(SessionError::Late);
        }
        let new = Token::new()?;
        record.renewed = now();
        let next = Held::new(record);
        // There first, so that what fails in between loses nothing. Nobody knows the new one yet.
        if !self.home.swap(&new, None, Some(&next)).await? {
            return Err(SessionError::Unavailable);
        }
        if !self.home.swap(old, self.held.as_ref(), None).await? {
            self.home.vault.remove(super::session_key(&new)).await?;
            return Ok(false);
        }
        self.token = Some(new);
        self.held = Some(next);
        self.home.renewed.note(&new);
        self.send_cookie(&new);
        Ok(true)
    }

    async fn make_otp(&mut self, lifespan: Option<u32>) -> Result<String, SessionError> {
        // A session that is only to be continued elsewhere is one.
        let idle = self.change(|record| Ok(record.idle_timeout)).await?;
        let token = self.look_up().await?;
        let seconds = lifespan.unwrap_or(60 * idle);
        let seconds = seconds.clamp(OTP_SECONDS_MIN, OTP_SECONDS_MAX);
        let otp = Token::new()?;
        let lifetime = std::time::Duration::from_secs(u64::from(seconds));
        let sealed = Bytes::from(otp.seal(&token));
        if !self
            .home
            .vault
            .swap(otp_key(&otp), None, Some(sealed), lifetime)
            .await?
        {
            return Err(SessionError::Unavailable);
        }
        Ok(otp.text())
    }

    async fn continue_with(&mut self, text: &str) -> Result<bool, SessionError> {
        let Some(otp) = Token::parse(text.as_bytes()) else {
            return Ok(false);
        };
        if self.is_late {
            return Err(SessionError::Late);
        }
        self.look_up().await?;
        let Some((token, held)) = self.redeem(&otp).await? else {
            return Ok(false);
        };
        self.take(token, held);
        Ok(true)
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
