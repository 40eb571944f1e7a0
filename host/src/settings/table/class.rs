//! The properties of the WebServer class about listening, TLS, files and requests, spelled as the class spells them.

use crate::settings::kind::folder::{CertificateFolder, HomePage, RootFolder};
use crate::settings::kind::network::{AddressList, Port};
use crate::settings::kind::quantity::Number;
use crate::settings::kind::tls::{CipherList, LowestVersion};
use crate::settings::kind::{Flag, OpenFlag};
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

pub(in crate::settings) static HTTPS_ENABLED: Setting<OpenFlag> = Setting {
    key: "HTTPSEnabled",
    scope: Both,
    effect: ServerRestart,
    kind: OpenFlag {
        default: "true if certificateFolder holds cert.pem and key.pem; for a component, if it names HTTPSPort as well",
    },
    doc: "Whether the web server answers HTTPS on its port.",
};

pub(in crate::settings) static HTTPS_PORT: Setting<Port> = Setting {
    key: "HTTPSPort",
    scope: Both,
    effect: ServerRestart,
    kind: Port { standard: 443 },
    doc: "The port for HTTPS; a component that names one gets listeners of its own.",
};

pub(in crate::settings) static ADDRESSES: Setting<AddressList> = Setting {
    key: "IPAddressToListen",
    scope: Both,
    effect: ServerRestart,
    kind: AddressList,
    doc: "The addresses on which the web server listens.",
};

pub(in crate::settings) static CERTIFICATE_FOLDER: Setting<CertificateFolder> = Setting {
    key: "certificateFolder",
    scope: Both,
    effect: ServerRestart,
    kind: CertificateFolder,
    doc: "The folder of the certificate (`cert.pem`) and its private key (`key.pem`); never inside rootFolder.",
};

pub(in crate::settings) static MIN_TLS_VERSION: Setting<LowestVersion> = Setting {
    key: "minTLSVersion",
    scope: Both,
    effect: ServerRestart,
    kind: LowestVersion,
    doc: "The lowest version of TLS that is spoken; the TLS library has none below 1.2.",
};

pub(in crate::settings) static CIPHER_SUITE: Setting<CipherList> = Setting {
    key: "cipherSuite",
    scope: Both,
    effect: ServerRestart,
    kind: CipherList,
    doc: "The cipher suites that are offered; a list without a suite of TLS 1.3 keeps all of those, a list with nothing else leaves TLS 1.3 alone.",
};

pub(in crate::settings) static ROOT_FOLDER: Setting<RootFolder> = Setting {
    key: "rootFolder",
    scope: Both,
    effect: Reload,
    kind: RootFolder {
        default: "WebFolder",
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
        default: 2_000_000,
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

pub(in crate::settings) static HTTP_TRACE: Setting<Flag> = Setting {
    key: "HTTPTrace",
    scope: Both,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether TRACE is answered, with the request as it came; otherwise with 405.",
};
