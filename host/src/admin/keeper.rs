//! Who has the access key: wrong ones are slowed down, wherever they are tried.

use std::time::Duration;

use super::access::Access;
use super::throttle::{Slowed, Throttle};

/// Tells those who have the access key from all others.
pub struct Keeper {
    access: Access,
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
    pub(super) fn new(access: Access) -> Self {
        Self {
            access,
            throttle: Throttle::new(),
        }
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
