//! The properties of the WebServer class about responses, spelled as the class spells them.

use crate::settings::kind::Flag;
use crate::settings::kind::cors::CorsRules;
use crate::settings::kind::handlers::HandlerList;
use crate::settings::kind::quantity::Number;
use crate::settings::kind::response::{CharacterSet, CompressionLevel};
use crate::settings::kind::rules::RuleList;
use crate::settings::setting::Effect::{Reload, ServerRestart};
use crate::settings::setting::Scope::Both;
use crate::settings::setting::Setting;

pub(in crate::settings) static CHARACTER_SET: Setting<CharacterSet> = Setting {
    key: "characterSet",
    scope: Both,
    effect: Reload,
    kind: CharacterSet,
    doc: "The character set of the texts that components send.",
};

pub(in crate::settings) static COMPRESSION_LEVEL: Setting<CompressionLevel> = Setting {
    key: "HTTPCompressionLevel",
    scope: Both,
    effect: Reload,
    kind: CompressionLevel { default: 1 },
    doc: "How much responses are compressed.",
};

pub(in crate::settings) static COMPRESSION_THRESHOLD: Setting<Number<u64>> = Setting {
    key: "HTTPCompressionThreshold",
    scope: Both,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 2_147_483_647,
        default: 1_024,
        unit: "bytes",
    },
    doc: "The size below which a response is sent as it is.",
};

pub(in crate::settings) static CORS_ENABLED: Setting<Flag> = Setting {
    key: "CORSEnabled",
    scope: Both,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether pages of other hosts may ask; those that CORSSettings does not let are answered with 403.",
};

pub(in crate::settings) static CORS_SETTINGS: Setting<CorsRules> = Setting {
    key: "CORSSettings",
    scope: Both,
    effect: Reload,
    kind: CorsRules,
    doc: "The hosts whose pages may ask, and with which methods; an entry without a host is ignored.",
};

pub(in crate::settings) static HSTS_ENABLED: Setting<Flag> = Setting {
    key: "HSTSEnabled",
    scope: Both,
    effect: ServerRestart,
    kind: Flag { default: false },
    doc: "Whether browsers are told to use HTTPS only; HTTPS must be enabled.",
};

pub(in crate::settings) static HSTS_MAX_AGE: Setting<Number<u64>> = Setting {
    key: "HSTSMaxAge",
    scope: Both,
    effect: Reload,
    kind: Number {
        min: 0,
        max: 2_147_483_647,
        default: 63_072_000,
        unit: "seconds",
    },
    doc: "How long browsers keep to it.",
};

pub(in crate::settings) static RULES: Setting<RuleList> = Setting {
    key: "rules",
    scope: Both,
    effect: Reload,
    kind: RuleList,
    doc: "What is changed in responses by URL: see `rules.md`; they may stand in `HTTPRules.json` instead.",
};

pub(in crate::settings) static HANDLERS: Setting<HandlerList> = Setting {
    key: "handlers",
    scope: Both,
    effect: Reload,
    kind: HandlerList,
    doc: "The web methods that answer URLs by pattern: see `rules.md`; they may stand in `HTTPHandlers.json` instead.",
};
