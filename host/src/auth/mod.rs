//! Who a request is from: the credentials that browsers send, and whether they are right.

mod aged;
mod challenge;
mod digest;
mod digest_check;
mod failures;
mod guard;
mod keyed;
mod nonces;
mod throttle;
mod users;

use std::fmt;

use ::http::HeaderMap;
use ::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) use failures::{Failures, Slowness};
pub use guard::{Admission, Asked, Guard, NoRandomNumbers, Refused};
pub use users::{USERS_FILE, UserTable, UsersError};

/// User name and password of a request; empty if it has none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// `$5`.
    pub user: String,
    /// `$6`.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// The credentials of the Authorization header, if it is one of the BASIC scheme.
    pub fn of(headers: &HeaderMap) -> Self {
        Self::basic(headers).unwrap_or_default()
    }

    fn basic(headers: &HeaderMap) -> Option<Self> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        // Of two that differ, somebody before this server may have believed the other one.
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return None;
        };
        let (scheme, encoded) = field.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some(Self {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_basic_credentials_are_read() {
        for (header, expected) in [
            ("Basic YW5uOnNlY3JldA==", ("ann", "secret")),
            ("basic YW5uOmE6Yg==", ("ann", "a:b")),
            ("Basic YW5u", ("", "")),
            ("Basic ???", ("", "")),
            ("Bearer YW5uOnNlY3JldA==", ("", "")),
            ("Basic", ("", "")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, header.parse().unwrap());
            let found = Credentials::of(&headers);
            assert_eq!(
                (found.user.as_str(), found.password.as_str()),
                expected,
                "{header}"
            );
        }
        assert_eq!(Credentials::of(&HeaderMap::new()), Credentials::default());
    }
}
