//! Who the user of a session is, and what that one may.

use tessera_engine::SessionError;

use super::current::Current;
use super::record::{PRIVILEGES_MAX, Record, USER_BYTES_MAX};
use super::{Held, Token, now, session_key};

impl Current {
    /// Gives the session another user or other privileges. Where that is more than before it gets a new secret, and the
    /// old one is worth nothing: whoever knew it, or made the client use it, gains nothing.
    pub(super) async fn assign(
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
            self.home.vault.remove(session_key(&new)).await?;
            return Ok(false);
        }
        self.token = Some(new);
        self.held = Some(next);
        self.home.renewed.note(&new);
        self.send_cookie(&new);
        Ok(true)
    }
}
