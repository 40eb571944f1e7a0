//! `[outbound]`: the requests that components send to other servers, for the process as a whole.

use crate::settings::kind::file::OptionalFile;
use crate::settings::setting::Effect::ProcessRestart;
use crate::settings::setting::Scope::Host;
use crate::settings::setting::Setting;

pub(in crate::settings) static OUTBOUND_CA_FILE: Setting<OptionalFile> = Setting {
    key: "outbound.ca_file",
    scope: Host,
    effect: ProcessRestart,
    kind: OptionalFile { example: "ca.pem" },
    doc: "A file with certificates, as PEM, of authorities that servers asked by components may have theirs from, beside those that Mozilla trusts; read at the start.",
};
