//! What can be in the way of a start, with stable codes.

use serde::Serialize;

use super::load::ModuleError;
use crate::listen::{BindError, BindFailure};
use crate::settings::{FaultKind, SettingsError};

/// A stable code of an error of `start`; the reference lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The web server runs already.
    AlreadyRunning,
    /// The property is read-only.
    ReadOnly,
    /// There is no such setting.
    UnknownSetting,
    /// The value is of a wrong type or not allowed.
    BadValue,
    /// The setting belongs to the process and holds only from its start.
    ProcessSetting,
    /// The settings file is wrong.
    SettingsFile,
    /// The port is in use.
    PortInUse,
    /// The port needs privileges.
    PortDenied,
    /// This machine does not have the address.
    NoSuchAddress,
    /// The port cannot be opened for another reason.
    Listen,
    /// The certificate or its key is missing or wrong.
    Certificate,
    /// The component cannot be loaded.
    Component,
    /// The place on the host's server belongs to another component.
    MountTaken,
    /// The component's file is gone.
    Removed,
    /// The process is ending, or something failed that should not.
    Internal,
}

impl ErrorCode {
    /// Every code, in the order of the reference.
    pub const ALL: &[Self] = &[
        Self::AlreadyRunning,
        Self::ReadOnly,
        Self::UnknownSetting,
        Self::BadValue,
        Self::ProcessSetting,
        Self::SettingsFile,
        Self::PortInUse,
        Self::PortDenied,
        Self::NoSuchAddress,
        Self::Listen,
        Self::Certificate,
        Self::Component,
        Self::MountTaken,
        Self::Removed,
        Self::Internal,
    ];

    /// `errCode`.
    pub fn number(self) -> u32 {
        match self {
            Self::AlreadyRunning => 1001,
            Self::Removed => 1002,
            Self::Internal => 1099,
            Self::ReadOnly => 1101,
            Self::UnknownSetting => 1102,
            Self::BadValue => 1103,
            Self::ProcessSetting => 1104,
            Self::SettingsFile => 1105,
            Self::PortInUse => 1201,
            Self::PortDenied => 1202,
            Self::NoSuchAddress => 1203,
            Self::Listen => 1204,
            Self::Certificate => 1301,
            Self::Component => 1401,
            Self::MountTaken => 1402,
        }
    }

    /// `componentSignature`: the part of the host that raised it.
    pub fn signature(self) -> &'static str {
        match self.number() / 100 {
            10 => "server",
            11 => "settings",
            12 => "listen",
            13 => "tls",
            _ => "engine",
        }
    }

    /// One sentence for the reference.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::AlreadyRunning => "The web server runs already.",
            Self::Removed => "The component's module is not in `components/` any more.",
            Self::Internal => "The process is ending, or something failed that should not.",
            Self::ReadOnly => "The property is read-only.",
            Self::UnknownSetting => "There is no such setting.",
            Self::BadValue => "The value is of a wrong type, or not allowed.",
            Self::ProcessSetting => {
                "The setting belongs to the process: it holds from its next start."
            }
            Self::SettingsFile => "The settings file is wrong.",
            Self::PortInUse => "The port is in use.",
            Self::PortDenied => "The port needs privileges.",
            Self::NoSuchAddress => "This machine does not have the address.",
            Self::Listen => "The port cannot be opened for another reason.",
            Self::Certificate => "The certificate or its key is missing or wrong.",
            Self::Component => "The component cannot be loaded.",
            Self::MountTaken => "Another component is mounted there.",
        }
    }
}

/// One error of `start`, as the documents' result object has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlError {
    /// The kind of error.
    pub code: ErrorCode,
    /// What is wrong, and what to do.
    pub message: String,
}

impl ControlError {
    /// An error of a kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl ControlError {
    /// The module of a component is not there.
    pub(super) fn removed(component: &str) -> Self {
        let message = format!(
            "there is no module of {component:?} in components/: put one there, and it starts by itself"
        );
        Self::new(ErrorCode::Removed, message)
    }

    /// The version on disk failed its trial, and nobody has asked for it again.
    pub(super) fn taken_back(component: &str) -> Self {
        let message = format!(
            "the module of {component:?} on disk was taken back, for it trapped; replace it, or ask for it with `tessera \
             reload {component}`, and change this setting then"
        );
        Self::new(ErrorCode::Component, message)
    }

    /// One error for each fault of the settings.
    pub(super) fn of_settings(error: &SettingsError) -> Vec<Self> {
        let code = |kind| match kind {
            FaultKind::ReadOnly => ErrorCode::ReadOnly,
            FaultKind::UnknownSetting => ErrorCode::UnknownSetting,
            FaultKind::BadValue => ErrorCode::BadValue,
            FaultKind::ProcessSetting => ErrorCode::ProcessSetting,
            FaultKind::File => ErrorCode::SettingsFile,
        };
        let faults = error.faults().iter();
        faults
            .map(|fault| Self::new(code(fault.kind()), fault.to_string()))
            .collect()
    }
}

impl From<BindError> for ControlError {
    fn from(error: BindError) -> Self {
        let code = match error.failure() {
            BindFailure::InUse => ErrorCode::PortInUse,
            BindFailure::Denied => ErrorCode::PortDenied,
            BindFailure::NoSuchAddress => ErrorCode::NoSuchAddress,
            BindFailure::Other => ErrorCode::Listen,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ModuleError> for ControlError {
    fn from(error: ModuleError) -> Self {
        Self::new(ErrorCode::Component, error.to_string())
    }
}

/// What setting session options did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Keys that are in use now.
    pub live: Vec<String>,
    /// Keys that hold from the next start of the web server.
    pub pending: Vec<String>,
}
