//! `[authentication]` in `settings.toml`.

use crate::settings::authentication::Mode;
use crate::settings::kind::authentication::Realm;
use crate::settings::kind::{Choice, Flag};
use crate::settings::setting::Effect::Reload;
use crate::settings::setting::Scope::Component;
use crate::settings::setting::Setting;

pub(in crate::settings) static AUTHENTICATION_MODE: Setting<Choice<Mode>> = Setting {
    key: "authentication.mode",
    scope: Component,
    effect: Reload,
    kind: Choice {
        default: ("custom", Mode::Custom),
        others: &[("basic", Mode::Basic), ("digest", Mode::Digest)],
    },
    doc: "Who asks for names and passwords: the component itself (`custom`), or the host by BASIC or DIGEST credentials. With those, requests that On Web Authentication does not accept are refused with a challenge, and all are where there is no such hook.",
};

pub(in crate::settings) static AUTHENTICATION_REALM: Setting<Realm> = Setting {
    key: "authentication.realm",
    scope: Component,
    effect: Reload,
    kind: Realm,
    doc: "What browsers say that a name and a password are for.",
};

pub(in crate::settings) static AUTHENTICATION_USERS: Setting<Flag> = Setting {
    key: "authentication.users_file",
    scope: Component,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether the users of the site (`tessera user add`) are looked up before On Web Authentication is called; with `basic` only.",
};
