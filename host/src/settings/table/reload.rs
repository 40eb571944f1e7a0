//! `[reload]` of a component: what a new version of it must pass.

use crate::settings::kind::Flag;
use crate::settings::kind::probe::ProbePath;
use crate::settings::kind::quantity::Number;
use crate::settings::setting::Effect::Reload;
use crate::settings::setting::Scope::Component;
use crate::settings::setting::Setting;

pub(in crate::settings) static RELOAD_NEW_IMPORTS: Setting<Flag> = Setting {
    key: "reload.accept_new_imports",
    scope: Component,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether a version that imports interfaces which the one before did not takes over by itself; else it waits for `tessera reload --accept NAME`.",
};

pub(in crate::settings) static RELOAD_PROBE: Setting<ProbePath> = Setting {
    key: "reload.probe",
    scope: Component,
    effect: Reload,
    kind: ProbePath,
    doc: "A URL of the component that a new version is asked for before it takes over; any status but 2xx and 3xx refuses it.",
};

pub(in crate::settings) static RELOAD_TRIAL: Setting<Number<u64>> = Setting {
    key: "reload.trial_requests",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 1_000_000,
        default: 0,
        unit: "requests; 0 means no trial",
    },
    doc: "The first requests of a new version, during which traps bring the version before it back.",
};

pub(in crate::settings) static RELOAD_TRAPS: Setting<Number<u64>> = Setting {
    key: "reload.rollback_after_traps",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 1,
        max: 1_000_000,
        default: 1,
        unit: "traps",
    },
    doc: "The traps among `trial_requests` that bring the version before back.",
};
