//! What is wrong with settings: every fault with its place, key, value and remedy.

use std::fmt;
use std::path::PathBuf;

use super::overrides::Origin;

/// All faults found in the settings of one web server object; displayed one per line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    faults: Vec<Fault>,
}

impl SettingsError {
    /// Wraps faults, in the order in which an operator reads the file; the overrides come last.
    pub(super) fn new(mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.place.rank());
        Self { faults }
    }

    /// Wraps what is in the way of settings that are right by themselves; `reasons` holds at least one.
    pub(crate) fn not_to_be_had(origin: Origin, reasons: Vec<String>) -> Self {
        let fault = |reason| Fault::of_place(Place::Given(origin), reason);
        Self::new(reasons.into_iter().map(fault).collect())
    }

    /// Lists the faults; there is at least one.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

/// One thing that is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    pub(super) place: Place,
    pub(super) kind: FaultKind,
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
    pub(super) reason: String,
}

impl Fault {
    /// Makes a fault of a place as a whole: a file that cannot be read, a line that is not TOML.
    pub(super) fn of_place(place: Place, reason: impl Into<String>) -> Self {
        Self {
            place,
            kind: FaultKind::BadValue,
            key: None,
            value: None,
            reason: reason.into(),
        }
    }

    /// Says where the fault was written.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Says what kind of fault it is; whatever is wrong in a file is [`FaultKind::File`].
    pub fn kind(&self) -> FaultKind {
        match self.place {
            Place::File { .. } | Place::ComponentName(_) => FaultKind::File,
            Place::Override | Place::Given(_) => self.kind,
        }
    }

    /// Names the key, with its table: `limits.memory`.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Shows the value as it was written; a secret is hidden.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Says what is allowed, or what is unknown.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.place, &self.key, &self.value) {
            (Place::Override, Some(key), Some(value)) => write!(f, "--set {key}={value}: ")?,
            (place, Some(key), Some(value)) => write!(f, "{place}: {key} = {value}: ")?,
            (place, Some(key), None) => write!(f, "{place}: {key}: ")?,
            (place, None, _) => write!(f, "{place}: ")?,
        }
        f.write_str(&self.reason)
    }
}

/// What kind of fault it is, for those who tell faults by a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The property is only shown, or only the operator may set it.
    ReadOnly,
    /// There is no such setting, or it is of the other kind of server.
    UnknownSetting,
    /// The value is of a wrong type or not allowed, by itself or beside the others.
    BadValue,
    /// The setting belongs to the process and holds only from its start.
    ProcessSetting,
    /// A file, or what is written in it, is wrong.
    File,
}

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a settings file.
    File {
        /// The file, as the site was named.
        path: PathBuf,
        /// Line, counted from 1; none when the file as a whole is meant.
        line: Option<u32>,
        /// Column in characters, counted from 1; given for what is not TOML at all.
        column: Option<u32>,
    },
    /// In the name of the component.
    ComponentName(String),
    /// On the command line, after `--set`.
    Override,
    /// Given to a server of a process that runs.
    Given(Origin),
}

impl Place {
    /// What is above what: a value of a higher layer hides one of a lower.
    pub(super) fn layer(&self) -> u8 {
        self.rank().0
    }

    fn rank(&self) -> (u8, u32, u32) {
        match self {
            Self::ComponentName(_) => (0, 0, 0),
            Self::File { line, column, .. } => (1, line.unwrap_or(0), column.unwrap_or(0)),
            Self::Override => (2, 0, 0),
            Self::Given(Origin::Session) => (3, 0, 0),
            Self::Given(Origin::Start | Origin::Guest) => (4, 0, 0),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => {
                write!(f, "{}", path.display())?;
                for position in [line, column].into_iter().flatten() {
                    write!(f, ":{position}")?;
                }
                Ok(())
            }
            Self::ComponentName(name) => write!(f, "component {name:?}"),
            Self::Override => f.write_str("--set"),
            Self::Given(origin) => origin.fmt(f),
        }
    }
}

/// Makes what an operator wrote fit to be shown: one line, no control characters, not too long.
pub(super) fn shown(written: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    let mut text = String::new();
    for (count, character) in written.trim().chars().enumerate() {
        if count == CHARACTERS_MAX {
            text.push('…');
            break;
        }
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}
