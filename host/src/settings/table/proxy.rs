//! `[proxy]`: the proxies in front, and what is believed of what they say.

use crate::http::ClientField;
use crate::settings::kind::network::NetworkList;
use crate::settings::kind::{Choice, Flag};
use crate::settings::setting::Effect::ProcessRestart;
use crate::settings::setting::Scope::Host;
use crate::settings::setting::Setting;

pub(in crate::settings) static PROXY_TRUSTED: Setting<NetworkList> = Setting {
    key: "proxy.trusted",
    scope: Host,
    effect: ProcessRestart,
    kind: NetworkList,
    doc: "The addresses of proxies in front, who may say which client a connection or a request is from.",
};

pub(in crate::settings) static PROXY_HEADER: Setting<Choice<Option<ClientField>>> = Setting {
    key: "proxy.header",
    scope: Host,
    effect: ProcessRestart,
    kind: Choice {
        default: ("none", None),
        others: &[
            ("x-forwarded-for", Some(ClientField::XForwardedFor)),
            ("forwarded", Some(ClientField::Forwarded)),
        ],
    },
    doc: "The field in which those proxies name the client of a request; with `x-forwarded-for` goes \
          `X-Forwarded-Proto`.",
};

pub(in crate::settings) static PROXY_PROTOCOL: Setting<Flag> = Setting {
    key: "proxy.protocol",
    scope: Host,
    effect: ProcessRestart,
    kind: Flag { default: false },
    doc: "Whether those proxies begin each connection with a header of the PROXY protocol, version 1 or 2.",
};
