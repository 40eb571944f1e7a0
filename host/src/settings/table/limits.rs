//! What keeps one component from taking what others need: further limits of a web process, of its pool, and of all.

use super::{minutes, ms, seconds};
use crate::settings::kind::quantity::{Number, Size, Time};
use crate::settings::setting::Effect::{ProcessRestart, Reload};
use crate::settings::setting::Scope::{Component, Host};
use crate::settings::setting::Setting;
use crate::settings::value::{GIB, KIB, MIB};

pub(in crate::settings) static POOL_GROWTH: Setting<Size> = Setting {
    key: "pool.max_growth",
    scope: Component,
    effect: Reload,
    kind: Size {
        min: 64 * KIB,
        max: 4 * GIB,
        default: 32 * MIB,
    },
    doc: "An instance that holds so much more memory than when it was made is retired after its request; used with `reuse`.",
};

pub(in crate::settings) static POOL_QUEUE: Setting<Number<u32>> = Setting {
    key: "pool.queue",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 10_000,
        default: 100,
        unit: "requests",
    },
    doc: "The requests that wait for an instance when the engine has none to give; one more is answered with 503 at once.",
};

pub(in crate::settings) static LIMITS_CPU: Setting<Time> = Setting {
    key: "limits.cpu_time",
    scope: Component,
    effect: Reload,
    kind: Time {
        min: ms(10),
        max: minutes(60),
        default: seconds(10),
    },
    doc: "The time that a web process may compute; what it waits is not counted. Past it the request is answered with 504. Not with `concurrent`, whose requests share an instance: the deadline holds them.",
};

pub(in crate::settings) static LIMITS_STREAM: Setting<Time> = Setting {
    key: "limits.stream_time",
    scope: Component,
    effect: Reload,
    kind: Time {
        min: ms(10),
        max: minutes(24 * 60),
        default: minutes(60),
    },
    doc: "The wall-clock time of a response that a web process sends piece by piece (`send-raw-data`). Its `deadline` holds until the first piece, and anew for each further one.",
};

pub(in crate::settings) static LIMITS_TABLES: Setting<Number<u32>> = Setting {
    key: "limits.table_elements",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 10,
        max: 100_000,
        default: 100_000,
        unit: "elements",
    },
    doc: "The elements of all tables of one instance: references to functions and objects.",
};

pub(in crate::settings) static LIMITS_HANDLES: Setting<Number<u32>> = Setting {
    key: "limits.handles",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 10,
        max: 100_000,
        default: 1_000,
        unit: "handles",
    },
    doc: "The handles that one instance may hold: streams, pollables, requests and the like.",
};

pub(in crate::settings) static LIMITS_CALL: Setting<Size> = Setting {
    key: "limits.call_size",
    scope: Component,
    effect: Reload,
    kind: Size {
        min: 64 * KIB,
        max: 4 * GIB,
        default: 64 * MIB,
    },
    doc: "The bytes that the component may pass to the host in one call; a response of `response_size` always may be.",
};

pub(in crate::settings) static ENGINE_PRESSURE: Setting<Number<u32>> = Setting {
    key: "engine.memory_pressure",
    scope: Host,
    effect: ProcessRestart,
    kind: Number {
        min: 1,
        max: 100,
        default: 90,
        unit: "per cent",
    },
    doc: "How much of the memory of the machine or control group may be in use before files and idle instances make room.",
};
