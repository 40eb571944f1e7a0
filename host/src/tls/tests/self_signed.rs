//! The pair for development.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::tls::self_signed::{Made, ensure_pair};
use crate::tls::{CERTIFICATE, KEY, ServerTls};

use super::{Folder, provider};

#[test]
fn a_pair_is_made_where_there_is_none() {
    let root = Folder::empty();
    let folder = root.at("certificates");
    let names = ["shop.test", "192.0.2.7", "localhost"].map(str::to_owned);
    assert_eq!(ensure_pair(&folder, &names).unwrap(), Made::Made);

    let mut settings = root.settings();
    settings.certificate_folder.clone_from(&folder);
    let server = ServerTls::load(&settings).unwrap();
    assert_eq!(
        *server.names(),
        ["localhost", "shop.test"].map(str::to_owned)
    );
    let days = |count: u64| Duration::from_secs(count * 24 * 60 * 60);
    let ends = server.not_after().unwrap();
    let now = SystemTime::now();
    assert!(ends > now + days(360) && ends < now + days(365), "{ends:?}");

    let mode = |name| {
        fs::metadata(folder.join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(KEY), 0o600);
    assert_eq!(mode(CERTIFICATE) & 0o600, 0o600);
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        2,
        "nothing else is left"
    );
}

#[test]
fn a_client_that_trusts_it_takes_it_for_each_of_its_names() {
    let folder = Folder::empty();
    ensure_pair(folder.path(), &["shop.test".to_owned()]).unwrap();
    let certificate = CertificateDer::from_pem_file(folder.at(CERTIFICATE)).unwrap();
    let mut trusted = rustls::RootCertStore::empty();
    trusted.add(certificate.clone()).unwrap();
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(trusted), Arc::new(provider()))
            .build()
            .unwrap();
    let is_taken = |name: &str| {
        let name = ServerName::try_from(name).unwrap();
        verifier
            .verify_server_cert(&certificate, &[], &name, &[], UnixTime::now())
            .is_ok()
    };
    for name in ["localhost", "127.0.0.1", "::1", "shop.test"] {
        assert!(is_taken(name), "{name}");
    }
    assert!(!is_taken("other.test"));
}

#[test]
fn what_is_there_is_never_touched() {
    let folder = Folder::empty();
    fs::write(folder.at(CERTIFICATE), "mine").unwrap();
    let error = ensure_pair(folder.path(), &[]).unwrap_err().to_string();
    assert!(
        error.contains(CERTIFICATE) && error.contains(KEY),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    fs::write(folder.at(KEY), "mine, too").unwrap();
    assert_eq!(ensure_pair(folder.path(), &[]).unwrap(), Made::WasThere);
    fs::remove_file(folder.at(CERTIFICATE)).unwrap();
    let error = ensure_pair(folder.path(), &[]).unwrap_err().to_string();
    assert!(error.contains("remove it"), "{error}");
    assert_eq!(fs::read_to_string(folder.at(KEY)).unwrap(), "mine, too");

    // A link to where the operator will put it.
    fs::remove_file(folder.at(KEY)).unwrap();
    std::os::unix::fs::symlink("/nowhere/key.pem", folder.at(KEY)).unwrap();
    ensure_pair(folder.path(), &[]).unwrap_err();
}

#[test]
fn what_cannot_be_made_says_why() {
    let folder = Folder::empty();
    let error = ensure_pair(folder.path(), &["größe.test".to_owned()]).unwrap_err();
    assert!(error.to_string().contains("ASCII"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    fs::write(folder.at("file"), "").unwrap();
    let error = ensure_pair(&folder.at("file"), &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot be written"), "{error}");
}
