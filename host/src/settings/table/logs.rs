//! `logRecording`, `debugLog` and the table `[weblog]`: what a web server writes of its requests.

use crate::settings::kind::Flag;
use crate::settings::kind::logs::{FieldList, RotationText};
use crate::settings::kind::quantity::{Levels, Number};
use crate::settings::setting::Effect::Reload;
use crate::settings::setting::Scope::Both;
use crate::settings::setting::Setting;

pub(in crate::settings) static DEBUG_LOG: Setting<Levels> = Setting {
    key: "debugLog",
    scope: Both,
    effect: Reload,
    kind: Levels {
        default: (0, "none"),
        others: &[
            (1, "without bodies"),
            (3, "with the bodies of responses"),
            (5, "with the bodies of requests"),
            (7, "with both"),
        ],
    },
    doc: "What is written to the log of requests and responses, HTTPDebugLog: see `logs.md`.",
};

pub(in crate::settings) static LOG_RECORDING: Setting<Levels> = Setting {
    key: "logRecording",
    scope: Both,
    effect: Reload,
    kind: Levels {
        default: (0, "none"),
        others: &[(1, "CLF"), (2, "DLF"), (3, "ELF"), (4, "WLF"), (5, "JSON")],
    },
    doc: "The format of the access log, logweb.txt: see `logs.md`.",
};

pub(in crate::settings) static WEBLOG_FIELDS: Setting<FieldList> = Setting {
    key: "weblog.fields",
    scope: Both,
    effect: Reload,
    kind: FieldList,
    doc: "The fields of the access log in their order, where it is ELF or WLF.",
};

pub(in crate::settings) static WEBLOG_ROTATION: Setting<RotationText> = Setting {
    key: "weblog.rotation",
    scope: Both,
    effect: Reload,
    kind: RotationText,
    doc: "When the access log is moved to `Logweb Archives` and a new one begun, in local time.",
};

pub(in crate::settings) static WEBLOG_KEEP: Setting<Number<u32>> = Setting {
    key: "weblog.keep",
    scope: Both,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 100_000,
        default: 50,
        unit: "files, 0 for all",
    },
    doc: "The newest archives of the access log, and the newest debug logs, that are kept.",
};

pub(in crate::settings) static WEBLOG_MASK: Setting<Flag> = Setting {
    key: "weblog.mask_secrets",
    scope: Both,
    effect: Reload,
    kind: Flag { default: true },
    doc: "Whether the debug log has `***` in place of credentials, cookies and session tokens.",
};
