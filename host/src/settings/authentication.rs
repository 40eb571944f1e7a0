//! What a component's web server asks of those who come, as the host uses it.

use super::kind::authentication::is_in_realms;
use super::reader::Reader;
use super::table;

/// `[authentication]`: who asks for names and passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    /// By which scheme.
    pub mode: Mode,
    /// What names and passwords are for: ASCII that may stand in quotes.
    pub realm: String,
    /// Whether the users of the site come before On Web Authentication.
    pub users_file: bool,
}

/// How names and passwords are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The component sees to it.
    #[default]
    Custom,
    /// RFC 7617.
    Basic,
    /// RFC 7616.
    Digest,
}

impl Authentication {
    /// Reads that of the component `name`.
    pub(super) fn read(reader: &mut Reader, name: &str) -> Self {
        let mode = reader.value(&table::AUTHENTICATION_MODE);
        let users_file = reader.value(&table::AUTHENTICATION_USERS);
        if users_file && mode != Mode::Basic {
            let reason = "needs the mode \"basic\": a digest cannot be compared with the hashes of that file";
            reader.refuse(
                &[&table::AUTHENTICATION_USERS, &table::AUTHENTICATION_MODE],
                reason,
            );
        }
        let realm = reader.named(&table::AUTHENTICATION_REALM);
        let plain = |c: char| if is_in_realms(c) { c } else { '?' };
        Self {
            mode,
            realm: realm.unwrap_or_else(|| name.chars().map(plain).collect()),
            users_file,
        }
    }
}
