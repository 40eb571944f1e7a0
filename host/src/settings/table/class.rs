//! The properties of the WebServer class, spelled as the class spells them.

use crate::settings::kind::Flag;
use crate::settings::kind::network::{AddressList, Port};
use crate::settings::kind::quantity::Number;
use crate::settings::kind::text::{Folder, HomePage};
use crate::settings::setting::Effect::{Reload, ServerRestart};
use crate::settings::setting::Scope::Both;
use crate::settings::setting::Setting;

pub(in crate::settings) static HTTP_ENABLED: Setting<Flag> = Setting {
    key: "HTTPEnabled",
    scope: Both,
    effect: ServerRestart,
    kind: Flag { default: true },
    doc: "Whether the web server answers HTTP on its port.",
};

pub(in crate::settings) static HTTP_PORT: Setting<Port> = Setting {
    key: "HTTPPort",
    scope: Both,
    effect: ServerRestart,
    kind: Port { standard: 80 },
    doc: "The port for HTTP; a component that names one gets listeners of its own.",
};

pub(in crate::settings) static ADDRESSES: Setting<AddressList> = Setting {
    key: "IPAddressToListen",
    scope: Both,
    effect: ServerRestart,
    kind: AddressList,
    doc: "The addresses on which the web server listens.",
};

pub(in crate::settings) static ROOT_FOLDER: Setting<Folder> = Setting {
    key: "rootFolder",
    scope: Both,
    effect: Reload,
    kind: Folder {
        default: "WebFolder",
        reserved: &["components", "Logs"],
    },
    doc: "The folder of the static files; nothing outside it is ever sent.",
};

pub(in crate::settings) static HOME_PAGE: Setting<HomePage> = Setting {
    key: "defaultHomepage",
    scope: Both,
    effect: Reload,
    kind: HomePage {
        default: "index.html",
    },
    doc: "The page that answers `/`; with none, `/` goes to On Web Connection.",
};

pub(in crate::settings) static REQUEST_SIZE: Setting<Number<u64>> = Setting {
    key: "maxRequestSize",
    scope: Both,
    effect: Reload,
    kind: Number {
        min: 500_000,
        max: 2_147_483_647,
        default: 2_147_483_647,
        unit: "bytes",
    },
    doc: "The largest request body; the highest value means no limit.",
};

pub(in crate::settings) static PROCESSES: Setting<Number<u32>> = Setting {
    key: "maxConcurrentProcesses",
    scope: Both,
    effect: Reload,
    kind: Number {
        min: 10,
        max: 32_000,
        default: 100,
        unit: "web processes",
    },
    doc: "The web processes at the same time; past it a request is answered with 503.",
};
