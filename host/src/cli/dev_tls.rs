//! `tessera serve --dev-tls`: HTTPS with a certificate of one's own making.

use std::path::Path;

use tessera_host::settings::{HostSettings, Override};
use tessera_host::tls::self_signed::{Made, ensure_pair};
use tessera_host::tls::{CERTIFICATE, KEY};

use super::failure::Failure;

/// Makes the certificate that the host's web server is going to use, unless there is one, says where it is, and
/// switches HTTPS on, whatever the file says; a `--set` of the user's is above it. What comes back is to be told.
pub(super) fn prepare(site: &Path, overrides: &mut Vec<Override>) -> Result<String, Failure> {
    let on = Override::parse("HTTPSEnabled=true").map_err(Failure::usage)?;
    let mut told = String::new();
    // A wrong folder is told with all other faults, when the settings are read.
    if let Some(folder) = HostSettings::certificate_folder(site, overrides) {
        let made = ensure_pair(&folder, &[]).map_err(Failure::other)?;
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        let (certificate, key) = (certificate.display(), key.display());
        told = match made {
            Made::Made => format!(
                "made a certificate for this machine, {certificate}, and its key, {key}; nobody else vouches for it, so \
                 that browsers ask, and curl wants --cacert {certificate}"
            ),
            Made::WasThere => format!("the certificate is {certificate}, its key {key}"),
        };
    }
    overrides.insert(0, on);
    Ok(told)
}

/// Two arguments that do not go together.
pub(super) fn switched_off() -> Failure {
    Failure::usage(
        "--dev-tls: HTTPS is switched off by --set HTTPSEnabled=false: leave out one of the two",
    )
}
