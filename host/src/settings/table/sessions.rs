//! The properties of the WebServer class about sessions, spelled as the class spells them, and `[sessions]`.

use crate::settings::kind::cookie::{CookieDomain, CookiePath};
use crate::settings::kind::quantity::{Restorable, Size};
use crate::settings::kind::sessions::{RoleTable, SessionStore};
use crate::settings::kind::{Choice, Flag};
use crate::settings::setting::Effect::Reload;
use crate::settings::setting::Scope::Both;
use crate::settings::setting::Setting;
use crate::settings::value::{GIB, KIB, MIB};

/// A year; a session that is silent for longer is forgotten by everybody.
const MINUTES_MAX: u32 = 525_600;

pub(in crate::settings) static SCALABLE_SESSION: Setting<Flag> = Setting {
    key: "scalableSession",
    scope: Both,
    effect: Reload,
    kind: Flag { default: true },
    doc: "Whether the web server has scalable sessions.",
};

pub(in crate::settings) static KEEP_SESSION: Setting<Flag> = Setting {
    key: "keepSession",
    scope: Both,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether it has legacy sessions, each of which keeps an instance of the component; needs scalableSession = false. With both false it has no sessions.",
};

pub(in crate::settings) static PROCESS_TIMEOUT: Setting<Restorable> = Setting {
    key: "inactiveProcessTimeout",
    scope: Both,
    effect: Reload,
    kind: Restorable {
        max: MINUTES_MAX,
        default: 480,
        unit: "minutes",
    },
    doc: "How long the instance of a silent legacy session is kept; then On Web Close Process is called. Not shown with scalable sessions.",
};

pub(in crate::settings) static SESSION_TIMEOUT: Setting<Restorable> = Setting {
    key: "inactiveSessionTimeout",
    scope: Both,
    effect: Reload,
    kind: Restorable {
        max: MINUTES_MAX,
        default: 480,
        unit: "minutes",
    },
    doc: "How long the cookie of a silent legacy session lasts, and with it the session; not shown with scalable sessions.",
};

pub(in crate::settings) static MAX_SESSIONS: Setting<Restorable> = Setting {
    key: "maxSessions",
    scope: Both,
    effect: Reload,
    kind: Restorable {
        max: 32_000,
        default: 100,
        unit: "sessions",
    },
    doc: "The legacy sessions that keep an instance at the same time, at most maxConcurrentProcesses; for one more, that which was silent for longest is closed. Not shown with scalable sessions.",
};

pub(in crate::settings) static COOKIE_DOMAIN: Setting<CookieDomain> = Setting {
    key: "sessionCookieDomain",
    scope: Both,
    effect: Reload,
    kind: CookieDomain,
    doc: "The domain of the session cookie.",
};

pub(in crate::settings) static COOKIE_PATH: Setting<CookiePath> = Setting {
    key: "sessionCookiePath",
    scope: Both,
    effect: Reload,
    kind: CookiePath,
    doc: "The path of the session cookie.",
};

pub(in crate::settings) static COOKIE_SAME_SITE: Setting<Choice<&'static str>> = Setting {
    key: "sessionCookieSameSite",
    scope: Both,
    effect: Reload,
    kind: Choice {
        default: ("Strict", "Strict"),
        others: &[("Lax", "Lax"), ("None", "None")],
    },
    doc: "Whether the session cookie is sent with requests from the pages of other sites.",
};

pub(in crate::settings) static SESSION_STORE: Setting<SessionStore> = Setting {
    key: "sessions.store",
    scope: Both,
    effect: Reload,
    kind: SessionStore,
    doc: "Where scalable sessions are kept. In a file they outlive the process; one that is killed loses what was changed in the last 100 ms. Hosts that share a Redis server share the sessions of web servers of one name.",
};

pub(in crate::settings) static SESSIONS_SIZE: Setting<Size> = Setting {
    key: "sessions.size",
    scope: Both,
    effect: Reload,
    kind: Size {
        min: 64 * KIB,
        max: 64 * GIB,
        default: 256 * MIB,
    },
    doc: "The most bytes of all sessions of the web server together; past it requests that need a new one are answered with 503. A Redis server has limits of its own instead.",
};

pub(in crate::settings) static SESSION_SIZE: Setting<Size> = Setting {
    key: "sessions.session_size",
    scope: Both,
    effect: Reload,
    kind: Size {
        min: KIB,
        max: MIB,
        default: 64 * KIB,
    },
    doc: "The most bytes of one session.",
};

pub(in crate::settings) static SESSION_ROLES: Setting<RoleTable> = Setting {
    key: "sessions.roles",
    scope: Both,
    effect: Reload,
    kind: RoleTable,
    doc: "The privileges that sessions may have, each with those that it includes. Others cannot be given to a session.",
};

pub(in crate::settings) static SESSION_ADDRESS: Setting<Flag> = Setting {
    key: "sessionIPAddressValidation",
    scope: Both,
    effect: Reload,
    kind: Flag { default: true },
    doc: "Whether a legacy session is held to the address that it began from; requests from others are answered with 400.",
};
