//! The table `[files]`: what static files answer beside what is there.

use crate::settings::kind::Flag;
use crate::settings::kind::folder::HomePage;
use crate::settings::setting::Effect::Reload;
use crate::settings::setting::Scope::{Both, Host};
use crate::settings::setting::Setting;

pub(in crate::settings) static FILES_LISTING: Setting<Flag> = Setting {
    key: "files.listing",
    scope: Both,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether a folder without a home page is listed, as HTML or, for those who prefer it, JSON.",
};

pub(in crate::settings) static FILES_CLEAN_URLS: Setting<Flag> = Setting {
    key: "files.clean_urls",
    scope: Both,
    effect: Reload,
    kind: Flag { default: false },
    doc: "Whether `/about` is answered with `about.html` where no file is named `about`.",
};

pub(in crate::settings) static FILES_FALLBACK: Setting<HomePage> = Setting {
    key: "files.fallback",
    scope: Host,
    effect: Reload,
    kind: HomePage { default: "" },
    doc: "The page for browsers that go to an address without a file and without an extension, as single-page applications need it.",
};
