//! Tessera's own tables that `tessera.toml` and `settings.toml` both have: keep-alive, the web server, its cache.

use super::{minutes, ms, seconds};
use crate::settings::kind::Flag;
use crate::settings::kind::quantity::{Number, Size, Time};
use crate::settings::setting::Effect::{ProcessRestart, Reload};
use crate::settings::setting::Scope::{Both, Component, Host};
use crate::settings::setting::Setting;
use crate::settings::value::{GIB, KIB, MIB};

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
    effect: Reload,
    kind: Flag { default: true },
    doc: "Whether static files are kept in memory.",
};

pub(in crate::settings) static CACHE_SIZE: Setting<Size> = Setting {
    key: "cache.size",
    scope: Host,
    effect: Reload,
    kind: Size {
        min: 0,
        max: 64 * GIB,
        default: 10 * MIB,
    },
    doc: "The memory for static files that web servers share. Another size begins with an empty cache.",
};

pub(in crate::settings) static CACHE_OWN_SIZE: Setting<Size> = Setting {
    key: "cache.own_size",
    scope: Component,
    effect: Reload,
    kind: Size {
        min: 0,
        max: 64 * GIB,
        default: 0,
    },
    doc: "The memory for a cache that is the component's alone; with 0 it shares the host's.",
};

pub(in crate::settings) static CACHE_OBJECT_SIZE: Setting<Size> = Setting {
    key: "cache.max_object_size",
    scope: Both,
    effect: Reload,
    kind: Size {
        min: 0,
        max: GIB,
        default: 512 * KIB,
    },
    doc: "Larger files are not kept in memory.",
};

pub(in crate::settings) static CACHE_REVALIDATE: Setting<Time> = Setting {
    key: "cache.revalidate",
    scope: Both,
    effect: Reload,
    kind: Time {
        min: ms(0),
        max: minutes(60),
        default: seconds(1),
    },
    doc: "How long a file in memory is believed to be the one on disk, if the system tells of no change.",
};

pub(in crate::settings) static RATE_REQUESTS: Setting<Number<u32>> = Setting {
    key: "rate_limit.requests",
    scope: Both,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 1_000_000,
        default: 0,
        unit: "requests a second; 0 means no limit",
    },
    doc: "The requests that one client may make of this web server in the long run; beyond them it gets 429. A client is an IPv4 address or an IPv6 network of 64 bits, behind a trusted proxy the one that this names.",
};

pub(in crate::settings) static RATE_BURST: Setting<Number<u32>> = Setting {
    key: "rate_limit.burst",
    scope: Both,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 1_000_000,
        default: 0,
        unit: "requests; 0 means as many as in a second",
    },
    doc: "The requests that it may make at once after a while without any.",
};
