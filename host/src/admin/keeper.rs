//! Who has the access key: wrong ones are slowed down, wherever they are tried.

use std::path::Path;
use std::time::Duration;

use super::access::{Access, KeyError, KeyOrigin};
use super::throttle::{Slowed, Throttle};
use crate::settings::Secret;

/// Tells those who have the access key from all others.
pub struct Keeper {
    access: Access,
    origin: KeyOrigin,
    throttle: Throttle,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is the one.
    Yes,
    /// There is none, or it is wrong.
    No,
    /// Too many wrong ones were tried: try again after this time.
    Later(Duration),
}

impl Keeper {
    /// Finds or makes the access key of a site; one that is set counts.
    ///
    /// # Errors
    ///
    /// When the files of the key cannot be read or written.
    pub async fn open(state_folder: &Path, set: Option<&Secret>) -> Result<Self, KeyError> {
        let (access, origin) = Access::open(state_folder, set).await?;
        Ok(Self {
            access,
            origin,
            throttle: Throttle::new(),
        })
    }

    /// Where the access key came from; a generated one is in it.
    pub fn origin(&self) -> &KeyOrigin {
        &self.origin
    }

    /// Looks at a key. Who shows none tries none: it is not counted.
    pub async fn admit(&self, key: Option<&str>) -> Admitted {
        let Some(key) = key else {
            return Admitted::No;
        };
        if self.access.admits(key).await {
            return Admitted::Yes;
        }
        match self.throttle.failed().await {
            Slowed::Waited => Admitted::No,
            Slowed::TooMany(delay) => Admitted::Later(delay),
        }
    }
}
