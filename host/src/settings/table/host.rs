//! Tessera's own tables in `tessera.toml`: the process, admin, the log, the engine.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use tracing::Level;

use super::{minutes, ms, seconds};
use crate::settings::host::LogFormat;
use crate::settings::kind::endpoint::ListenAddress;
use crate::settings::kind::network::Loopback;
use crate::settings::kind::quantity::{Number, Time};
use crate::settings::kind::text::{AccessKey, LogFilter};
use crate::settings::kind::{Choice, Flag};
use crate::settings::setting::Effect::ProcessRestart;
use crate::settings::setting::Scope::Host;
use crate::settings::setting::Setting;

pub(in crate::settings) static SERVER_CONNECTIONS: Setting<Number<u32>> = Setting {
    key: "server.max_connections",
    scope: Host,
    effect: ProcessRestart,
    kind: Number {
        min: 1,
        max: 1_000_000,
        default: 10_000,
        unit: "connections",
    },
    doc: "The open connections at the same time, over all listeners.",
};

pub(in crate::settings) static SERVER_ADDRESS_CONNECTIONS: Setting<Number<u32>> = Setting {
    key: "server.max_connections_per_address",
    scope: Host,
    effect: ProcessRestart,
    kind: Number {
        min: 0,
        max: 1_000_000,
        default: 1_000,
        unit: "connections; 0 means no limit",
    },
    doc: "The open connections of one client's address, or of an IPv6 network (/64); further ones are closed at once. \
          Those of this machine and of trusted proxies are not counted.",
};

pub(in crate::settings) static SERVER_HEADER_TIMEOUT: Setting<Time> = Setting {
    key: "server.header_timeout",
    scope: Host,
    effect: ProcessRestart,
    kind: Time {
        min: ms(100),
        max: minutes(10),
        default: seconds(10),
    },
    doc: "How long a client may take to send the head of a request.",
};

pub(in crate::settings) static SERVER_BODY_TIMEOUT: Setting<Time> = Setting {
    key: "server.body_timeout",
    scope: Host,
    effect: ProcessRestart,
    kind: Time {
        min: ms(100),
        max: minutes(60),
        default: seconds(20),
    },
    doc: "How long a client may send nothing of a body that is waited for.",
};

pub(in crate::settings) static SERVER_SEND_TIMEOUT: Setting<Time> = Setting {
    key: "server.send_timeout",
    scope: Host,
    effect: ProcessRestart,
    kind: Time {
        min: ms(100),
        max: minutes(60),
        default: seconds(30),
    },
    doc: "How long a client may take nothing of a response that waits for it.",
};

pub(in crate::settings) static SERVER_MIN_RATE: Setting<Number<u32>> = Setting {
    key: "server.min_rate",
    scope: Host,
    effect: ProcessRestart,
    kind: Number {
        min: 0,
        max: 1_000_000,
        default: 240,
        unit: "bytes a second, 0 for no minimum",
    },
    doc: "How fast a client must send a body, or take a response, over the time of `body_timeout` or `send_timeout`.",
};

pub(in crate::settings) static SERVER_DRAIN_TIMEOUT: Setting<Time> = Setting {
    key: "server.drain_timeout",
    scope: Host,
    effect: ProcessRestart,
    kind: Time {
        min: ms(0),
        max: minutes(60),
        default: seconds(10),
    },
    doc: "How long requests in flight may take to finish when their web server stops.",
};

pub(in crate::settings) static TLS_HANDSHAKE_TIMEOUT: Setting<Time> = Setting {
    key: "tls.handshake_timeout",
    scope: Host,
    effect: ProcessRestart,
    kind: Time {
        min: ms(100),
        max: minutes(10),
        default: seconds(10),
    },
    doc: "How long a client may take to agree on a TLS connection.",
};

pub(in crate::settings) static ADMIN_ENABLED: Setting<Flag> = Setting {
    key: "admin.enabled",
    scope: Host,
    effect: ProcessRestart,
    kind: Flag { default: true },
    doc: "Whether there is an admin endpoint; `tessera list` and its like need it.",
};

pub(in crate::settings) static ADMIN_ADDRESS: Setting<Loopback> = Setting {
    key: "admin.address",
    scope: Host,
    effect: ProcessRestart,
    kind: Loopback {
        default: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7080)),
    },
    doc: "Where admin listens; it is plain HTTP, so only this machine can reach it.",
};

pub(in crate::settings) static ADMIN_ACCESS_KEY: Setting<AccessKey> = Setting {
    key: "admin.access_key",
    scope: Host,
    effect: ProcessRestart,
    kind: AccessKey,
    doc: "The key that admin asks for; it is shown nowhere.",
};

pub(in crate::settings) static ADMIN_HEALTH_ADDRESS: Setting<ListenAddress> = Setting {
    key: "admin.health_address",
    scope: Host,
    effect: ProcessRestart,
    kind: ListenAddress,
    doc: "Where `/healthz` and `/readyz` are answered for other machines, without a key and as plain HTTP; the other routes of \
          admin are not there. None by default; it is also there where admin is switched off.",
};

pub(in crate::settings) static ADMIN_HEALTH_METRICS: Setting<Flag> = Setting {
    key: "admin.health_metrics",
    scope: Host,
    effect: ProcessRestart,
    kind: Flag { default: false },
    doc: "Whether `/metrics` is at `health_address`, too. It asks for the access key, which plain HTTP shows to the network.",
};

pub(in crate::settings) static LOG_LEVEL: Setting<LogFilter> = Setting {
    key: "log.level",
    scope: Host,
    effect: ProcessRestart,
    kind: LogFilter { default: "info" },
    doc: "What is logged: a level, or levels for parts of the program after it.",
};

pub(in crate::settings) static LOG_FORMAT: Setting<Choice<LogFormat>> = Setting {
    key: "log.format",
    scope: Host,
    effect: ProcessRestart,
    kind: Choice {
        default: ("text", LogFormat::Text),
        others: &[("json", LogFormat::Json)],
    },
    doc: "How a line of the log is written: for people or for programs.",
};

pub(in crate::settings) static LOG_DIAGNOSTIC: Setting<Choice<Option<Level>>> = Setting {
    key: "log.diagnostic",
    scope: Host,
    effect: ProcessRestart,
    kind: Choice {
        default: ("off", None),
        others: &[
            ("error", Some(Level::ERROR)),
            ("warn", Some(Level::WARN)),
            ("info", Some(Level::INFO)),
            ("debug", Some(Level::DEBUG)),
            ("trace", Some(Level::TRACE)),
        ],
    },
    doc: "What the diagnostic log has, a file in `Logs`: see `logs.md`.",
};

pub(in crate::settings) static ENGINE_INSTANCES: Setting<Number<u32>> = Setting {
    key: "engine.max_instances",
    scope: Host,
    effect: ProcessRestart,
    kind: Number {
        min: 1,
        max: 100_000,
        default: 1_000,
        unit: "instances",
    },
    doc: "The instances of all components together.",
};

pub(in crate::settings) static ENGINE_CORE_DUMPS: Setting<Number<u32>> = Setting {
    key: "engine.core_dumps",
    scope: Host,
    effect: ProcessRestart,
    kind: Number {
        min: 0,
        max: 100,
        default: 0,
        unit: "files, 0 for none",
    },
    doc: "The core dumps of traps that are kept, the last ones, in `.tessera/dumps`. They hold all that the instance had in memory.",
};

pub(in crate::settings) static ENGINE_CODE_CACHE: Setting<Flag> = Setting {
    key: "engine.code_cache",
    scope: Host,
    effect: ProcessRestart,
    kind: Flag { default: true },
    doc: "Whether compiled code is kept in `.tessera/` for the next start.",
};
