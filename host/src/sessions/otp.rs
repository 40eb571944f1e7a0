//! One-time tokens, by which a session goes on elsewhere.

use std::time::Duration;

use bytes::Bytes;
use tessera_engine::SessionError;

use super::current::Current;
use super::{Held, IDLE_MINUTES, IDLE_MINUTES_MAX, Token, minutes, otp_key};

/// Shortest lifespan of a one-time token, and the longest, in seconds.
const SECONDS_MIN: u32 = 10;
const SECONDS_MAX: u32 = 60 * IDLE_MINUTES_MAX;

impl Current {
    pub(super) async fn make_otp(&mut self, lifespan: Option<u32>) -> Result<String, SessionError> {
        // A session that is only to be continued elsewhere is one.
        let idle = self.change(|record| Ok(record.idle_timeout)).await?;
        let token = self.look_up().await?;
        let seconds = lifespan.unwrap_or(60 * idle);
        let seconds = seconds.clamp(SECONDS_MIN, SECONDS_MAX);
        let otp = Token::new()?;
        let lifetime = Duration::from_secs(u64::from(seconds));
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

    pub(super) async fn continue_with(&mut self, text: &str) -> Result<bool, SessionError> {
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

    /// The session of a one-time token, which is worth nothing from now on.
    pub(super) async fn redeem(&self, otp: &Token) -> Result<Option<(Token, Held)>, SessionError> {
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
}
