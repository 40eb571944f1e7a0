//! `[traces]`: what is recorded of requests for a collector of traces, for the process as a whole.

use super::{minutes, ms, seconds};
use crate::settings::kind::Flag;
use crate::settings::kind::file::OptionalFile;
use crate::settings::kind::quantity::{Number, Time};
use crate::settings::kind::traces::{Collector, Fraction, ServiceName};
use crate::settings::setting::Effect::ProcessRestart;
use crate::settings::setting::Scope::Host;
use crate::settings::setting::Setting;

pub(in crate::settings) static TRACES_ENDPOINT: Setting<Collector> = Setting {
    key: "traces.endpoint",
    scope: Host,
    effect: ProcessRestart,
    kind: Collector,
    doc: "Where spans are sent to, as OTLP over HTTP (JSON); nothing is traced without it: see `traces.md`.",
};

pub(in crate::settings) static TRACES_SAMPLE: Setting<Fraction> = Setting {
    key: "traces.sample",
    scope: Host,
    effect: ProcessRestart,
    kind: Fraction { default: 1.0 },
    doc: "Which part of the requests is recorded, by chance.",
};

pub(in crate::settings) static TRACES_TRUST: Setting<Flag> = Setting {
    key: "traces.trust_parents",
    scope: Host,
    effect: ProcessRestart,
    kind: Flag { default: false },
    doc: "Whether a request that names a trace (`traceparent`) is recorded if it says so, and only then, instead of by chance. \
          For hosts that only proxies of one's own can reach: clients can say what they like.",
};

pub(in crate::settings) static TRACES_HEADERS: Setting<OptionalFile> = Setting {
    key: "traces.headers_file",
    scope: Host,
    effect: ProcessRestart,
    kind: OptionalFile {
        example: "collector.txt",
    },
    doc: "A file with header fields for the collector, lines of `Name: value`, that only its owner and group can read; read at \
          the start.",
};

pub(in crate::settings) static TRACES_TIMEOUT: Setting<Time> = Setting {
    key: "traces.timeout",
    scope: Host,
    effect: ProcessRestart,
    kind: Time {
        min: ms(100),
        max: minutes(1),
        default: seconds(10),
    },
    doc: "How long the collector may take to answer; what it has not taken by then is lost.",
};

pub(in crate::settings) static TRACES_QUEUE: Setting<Number<u32>> = Setting {
    key: "traces.queue",
    scope: Host,
    effect: ProcessRestart,
    kind: Number {
        min: 1,
        max: 100_000,
        default: 4_096,
        unit: "spans",
    },
    doc: "How many spans wait to be sent; further ones are lost, and counted.",
};

pub(in crate::settings) static TRACES_SERVICE: Setting<ServiceName> = Setting {
    key: "traces.service_name",
    scope: Host,
    effect: ProcessRestart,
    kind: ServiceName { default: "tessera" },
    doc: "What the collector knows the process by: `service.name`.",
};
