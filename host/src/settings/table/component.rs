//! Tessera's own tables in `settings.toml`: mount, pool, limits, permissions, environment, secrets, config, key-value buckets.

use super::{minutes, ms, seconds};
use crate::settings::component::Policy;
use crate::settings::kind::grants::{FolderGrants, SecretFile, Store};
use crate::settings::kind::hosts::HostList;
use crate::settings::kind::network::{HostName, MountPath};
use crate::settings::kind::quantity::{Number, Size, Time};
use crate::settings::kind::text::{ServerNames, Variable};
use crate::settings::kind::{Choice, Flag};
use crate::settings::setting::Effect::Reload;
use crate::settings::setting::Scope::Component;
use crate::settings::setting::Setting;
use crate::settings::value::{GIB, KIB, MIB};

pub(in crate::settings) static MOUNT_PATH: Setting<MountPath> = Setting {
    key: "mount.path",
    scope: Component,
    effect: Reload,
    kind: MountPath,
    doc: "The path under which the host's server hands requests to the component; `/` is every path, those of the host's files too.",
};

pub(in crate::settings) static MOUNT_HOST: Setting<HostName> = Setting {
    key: "mount.host",
    scope: Component,
    effect: Reload,
    kind: HostName,
    doc: "The host name for which it does so.",
};

pub(in crate::settings) static MOUNT_STRIP: Setting<Flag> = Setting {
    key: "mount.strip",
    scope: Component,
    effect: Reload,
    kind: Flag { default: true },
    doc: "Whether the path is taken off what the component sees.",
};

pub(in crate::settings) static POOL_POLICY: Setting<Choice<Policy>> = Setting {
    key: "pool.policy",
    scope: Component,
    effect: Reload,
    kind: Choice {
        default: ("auto", Policy::Auto),
        others: &[
            ("reuse", Policy::Reuse),
            ("fresh", Policy::Fresh),
            ("concurrent", Policy::Concurrent),
            ("session", Policy::Session),
        ],
    },
    doc: "Whether an instance serves one request after another (`reuse`), a single one (`fresh`), or several at a time (`concurrent`, for components of wasi:http 0.3), or those of one legacy session (`session`, which keepSession brings along). `auto` is `reuse`, `fresh` for a component of wasi:http 0.2, and `concurrent` for one of 0.3.",
};

pub(in crate::settings) static POOL_MIN: Setting<Number<u32>> = Setting {
    key: "pool.min",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 1_000,
        default: 0,
        unit: "instances",
    },
    doc: "The instances kept ready however quiet it is; used with `reuse`.",
};

pub(in crate::settings) static POOL_MAX: Setting<Number<u32>> = Setting {
    key: "pool.max",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 1_000,
        default: 10,
        unit: "instances",
    },
    doc: "The idle instances kept for the next requests; used with `reuse`.",
};

pub(in crate::settings) static POOL_CONCURRENCY: Setting<Number<u32>> = Setting {
    key: "pool.concurrency",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 1,
        max: 1_000,
        default: 16,
        unit: "requests",
    },
    doc: "The requests that an instance serves at a time; used with `concurrent`.",
};

pub(in crate::settings) static POOL_REQUESTS: Setting<Number<u64>> = Setting {
    key: "pool.max_requests",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 1_000_000_000,
        default: 1_000,
        unit: "requests; 0 means no limit",
    },
    doc: "The requests after which an instance is retired; used with `reuse` and `concurrent`.",
};

pub(in crate::settings) static POOL_QUEUE_TIMEOUT: Setting<Time> = Setting {
    key: "pool.queue_timeout",
    scope: Component,
    effect: Reload,
    kind: Time {
        min: ms(0),
        max: minutes(1),
        default: seconds(1),
    },
    doc: "How long a request waits for an instance when the engine has none to give.",
};

pub(in crate::settings) static LIMITS_MEMORY: Setting<Size> = Setting {
    key: "limits.memory",
    scope: Component,
    effect: Reload,
    kind: Size {
        min: MIB,
        max: 4 * GIB,
        default: 128 * MIB,
    },
    doc: "The memory of one instance.",
};

pub(in crate::settings) static LIMITS_DEADLINE: Setting<Time> = Setting {
    key: "limits.deadline",
    scope: Component,
    effect: Reload,
    kind: Time {
        min: ms(10),
        max: minutes(60),
        default: seconds(30),
    },
    doc: "The wall-clock time of one web process; past it the request is answered with 504.",
};

pub(in crate::settings) static LIMITS_RESPONSE: Setting<Size> = Setting {
    key: "limits.response_size",
    scope: Component,
    effect: Reload,
    kind: Size {
        min: KIB,
        max: 4 * GIB,
        default: 64 * MIB,
    },
    doc: "The largest response body that a web process may make.",
};

pub(in crate::settings) static LIMITS_OUTBOUND: Setting<Number<u32>> = Setting {
    key: "limits.outbound_calls",
    scope: Component,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 10_000,
        default: 32,
        unit: "requests",
    },
    doc: "The requests that a web process may send to other servers.",
};

pub(in crate::settings) static HOSTS: Setting<HostList> = Setting {
    key: "permissions.hosts",
    scope: Component,
    effect: Reload,
    kind: HostList,
    doc: "The servers that the component may send requests to: `[scheme://]host[:port]`. Without a scheme it is https, without a port that of the scheme, and `:*` is any. `*.example.com` is every name below it, `*` every name. Addresses of private networks and of this machine are refused unless an entry is the address, a network that has it (`10.0.0.0/8`), or `localhost`.",
};

pub(in crate::settings) static COMPONENTS: Setting<ServerNames> = Setting {
    key: "permissions.components",
    scope: Component,
    effect: Reload,
    kind: ServerNames,
    doc: "The servers of this process that the component may send requests to, as http://NAME.tessera.internal/; `host`, the host's, is http://tessera.internal/.",
};

pub(in crate::settings) static CONTROL: Setting<ServerNames> = Setting {
    key: "permissions.control",
    scope: Component,
    effect: Reload,
    kind: ServerNames,
    doc: "The servers that the component may start and stop.",
};

pub(in crate::settings) static FOLDERS: Setting<FolderGrants> = Setting {
    key: "permissions.folders",
    scope: Component,
    effect: Reload,
    kind: FolderGrants,
    doc: "The folders that the component may read, or write as well; links in them lead nowhere else.",
};

pub(in crate::settings) static ENVIRONMENT: Setting<Variable> = Setting {
    key: "environment.*",
    scope: Component,
    effect: Reload,
    kind: Variable,
    doc: "An environment variable that the component can read, under any name.",
};

pub(in crate::settings) static SECRETS: Setting<SecretFile> = Setting {
    key: "secrets.*",
    scope: Component,
    effect: Reload,
    kind: SecretFile,
    doc: "The file of a secret, which the component reads under any name as an environment variable and through wasi:config.",
};

pub(in crate::settings) static CONFIG: Setting<Variable> = Setting {
    key: "config.*",
    scope: Component,
    effect: Reload,
    kind: Variable,
    doc: "A value that the component reads through wasi:config, under any name.",
};

pub(in crate::settings) static KEYVALUE: Setting<Store> = Setting {
    key: "keyvalue.*",
    scope: Component,
    effect: Reload,
    kind: Store,
    doc: "A bucket that the component opens through wasi:keyvalue, under any name, and where its values are kept.",
};
