//! Tessera's own tables that `tessera.toml` and `settings.toml` both have: keep-alive, the web server, its cache.

use super::{minutes, ms, seconds};
use crate::settings::kind::Flag;
use crate::settings::kind::quantity::{Number, Size, Time};
use crate::settings::setting::Effect::{NotYet, ProcessRestart, Reload};
use crate::settings::setting::Scope::{Both, Host};
use crate::settings::setting::Setting;
use crate::settings::value::{GIB, MIB};

pub(in crate::settings) static KEEP_ALIVE_ENABLED: Setting<Flag> = Setting {
    key: "keep_alive.enabled",
    scope: Both,
    effect: Reload,
    kind: Flag { default: true },
    doc: "Whether an HTTP/1 connection is kept after the response to its first request.",
};

pub(in crate::settings) static KEEP_ALIVE_REQUESTS: Setting<Number<u64>> = Setting {
    key: "keep_alive.max_requests",
    scope: Both,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 1_000_000_000,
        default: 100,
        unit: "requests; 0 means no limit",
    },
    doc: "The requests of one HTTP/1 connection.",
};

pub(in crate::settings) static KEEP_ALIVE_TIMEOUT: Setting<Time> = Setting {
    key: "keep_alive.timeout",
    scope: Both,
    effect: Reload,
    kind: Time {
        min: ms(100),
        max: minutes(60),
        default: seconds(15),
    },
    doc: "How long a connection is kept while no request comes.",
};

pub(in crate::settings) static LAUNCH: Setting<Flag> = Setting {
    key: "web.launch_at_startup",
    scope: Both,
    effect: ProcessRestart,
    kind: Flag { default: true },
    doc: "Whether the web server starts with the process, or when its component is dropped in.",
};

pub(in crate::settings) static EXTENDED_CHARACTERS: Setting<Flag> = Setting {
    key: "web.send_extended_characters",
    scope: Both,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether characters outside ASCII are sent in HTML as they are, and not as entities.",
};

pub(in crate::settings) static SYNC_URLS: Setting<Flag> = Setting {
    key: "web.allow_4dsync",
    scope: Both,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether /4DSYNC URLs reach the component.",
};

pub(in crate::settings) static CACHE_ENABLED: Setting<Flag> = Setting {
    key: "cache.enabled",
    scope: Both,
    effect: NotYet,
    kind: Flag { default: true },
    doc: "Whether static files are kept in memory.",
};

pub(in crate::settings) static CACHE_SIZE: Setting<Size> = Setting {
    key: "cache.size",
    scope: Host,
    effect: NotYet,
    kind: Size {
        min: 0,
        max: 64 * GIB,
        default: 10 * MIB,
    },
    doc: "The memory for the static files of all web servers.",
};
