//! What lies in the site: certificates and how long they hold, and who may read and write what.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{Access, FlockOperation, access, flock};
use tessera_host::admin::{KEY_FILE, STATE_FOLDER};
use tessera_host::tls::{KEY, ServerTls};

use super::{Finding, Planned};

/// Time before the end of a certificate from which on it is told.
const NOTICE: Duration = Duration::from_secs(30 * 86_400);

/// Whether a host serves the site: it holds the lock.
pub(super) fn is_served(site: &Path) -> bool {
    let lock = File::open(site.join(STATE_FOLDER).join("lock"));
    lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockShared).is_err())
}

/// Whether the certificates can be used, for how long, and who can read their keys.
pub(super) fn certificates(servers: &[Planned]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for server in servers {
        let Some(https) = &server.web.listen.https else {
            continue;
        };
        let folder = &https.tls.certificate_folder;
        match ServerTls::load(&https.tls) {
            Ok(tls) => findings.push(lifetime(&server.name, tls.not_after(), SystemTime::now())),
            Err(error) => findings.push(Finding::bad(
                "certificate",
                format!("of {}: {error}", server.name),
                format!("put cert.pem and key.pem into {}", folder.display()),
            )),
        }
        let key = folder.join(KEY);
        if is_for_others(&key) {
            findings.push(Finding::warning(
                "certificate",
                format!("others can read {}", key.display()),
                format!("chmod 600 {}", key.display()),
            ));
        }
    }
    findings
}

fn lifetime(server: &str, end: Option<SystemTime>, now: SystemTime) -> Finding {
    let Some(end) = end else {
        return Finding::good("certificate", format!("of {server}"));
    };
    let shown = httpdate::fmt_http_date(end);
    let advice = "renew it; the host takes a new one over by itself";
    match end.duration_since(now) {
        Err(_) => Finding::bad(
            "certificate",
            format!("of {server} ended on {shown}"),
            advice,
        ),
        Ok(left) if left < NOTICE => {
            let days = left.as_secs() / 86_400;
            let detail = format!("of {server} ends in {days} days, on {shown}");
            Finding::warning("certificate", detail, advice)
        }
        Ok(_) => Finding::good("certificate", format!("of {server} holds until {shown}")),
    }
}

/// Whether the site can be read and written where it must be, and secrets are nobody else's.
pub(super) fn permissions(site: &Path, servers: &[Planned]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if access(site, Access::WRITE_OK).is_err() {
        findings.push(Finding::bad(
            "files",
            format!("{} cannot be written to", site.display()),
            format!("let the user that runs tessera write there, for {STATE_FOLDER} and Logs"),
        ));
    }
    let state = site.join(STATE_FOLDER);
    for secret in [state.clone(), state.join(KEY_FILE)] {
        if is_for_others(&secret) {
            findings.push(Finding::bad(
                "files",
                format!("others can read {}", secret.display()),
                format!("chmod go-rwx {}", secret.display()),
            ));
        }
    }
    for server in servers {
        let Some(files) = &server.web.files else {
            continue;
        };
        let root = &files.root;
        if root.exists() && access(root, Access::READ_OK | Access::EXEC_OK).is_err() {
            findings.push(Finding::bad(
                "files",
                format!("{} of {} cannot be read", root.display(), server.name),
                "let the user that runs tessera read it",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::good(
            "files",
            "can be read and written, and secrets are kept",
        ));
    }
    findings
}

/// Whether anybody but the owner may read something that is there.
fn is_for_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::State;

    #[test]
    fn a_certificate_is_told_of_before_it_ends() {
        let now = SystemTime::now();
        let day = Duration::from_secs(86_400);
        for (end, state) in [
            (now - day, State::Bad),
            (now + 29 * day, State::Warning),
            (now + 31 * day, State::Good),
        ] {
            assert_eq!(lifetime("shop", Some(end), now).state, state);
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_told_of() {
        let site = tempfile::tempdir().unwrap();
        assert_eq!(
            permissions(site.path(), &[]).pop().unwrap().state,
            State::Good
        );
        let state = site.path().join(STATE_FOLDER);
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(state.join(KEY_FILE), "abc").unwrap();
        fs::set_permissions(state.join(KEY_FILE), fs::Permissions::from_mode(0o644)).unwrap();
        let findings = permissions(site.path(), &[]);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].detail.contains(KEY_FILE), "{findings:?}");
        assert!(!is_served(site.path()));
    }
}
