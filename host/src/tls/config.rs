//! From settings and a pair to what the TLS library works with.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CipherSuite, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

use crate::settings::{Tls, TlsVersion};

use super::error::TlsError;

/// The name of HTTP/2 in ALPN.
pub(super) const HTTP2: &[u8] = b"h2";
/// What is spoken inside TLS, the preferred first. Clients that name nothing of it are refused (RFC 7301), so that the
/// oldest version has to be here as well.
const PROTOCOLS: [&[u8]; 3] = [HTTP2, b"http/1.1", b"http/1.0"];

/// Sessions of clients that know no tickets; a session is some hundred bytes.
const SESSIONS_MAX: usize = 1024;

/// What connections are resumed by; it outlives a certificate, so that replacing one does not make every client
/// shake hands in full.
#[derive(Clone, Debug)]
pub(super) struct Resumption {
    tickets: Arc<dyn ProducesTickets>,
    sessions: Arc<dyn StoresServerSessions>,
}

impl Resumption {
    /// Makes a key for tickets, which the library replaces every six hours.
    pub(super) fn new() -> Result<Self, TlsError> {
        Ok(Self {
            tickets: aws_lc_rs::Ticketer::new()?,
            sessions: ServerSessionMemoryCache::new(SESSIONS_MAX),
        })
    }
}

/// The cryptography with the suites of the settings, in their order.
pub(super) fn provider(settings: &Tls) -> Result<Arc<CryptoProvider>, TlsError> {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(wanted) = &settings.cipher_suites {
        provider.cipher_suites = wanted.iter().map(supported).collect::<Result<_, _>>()?;
    }
    let versions = versions(settings);
    let is_usable =
        |suite: &SupportedCipherSuite| versions.iter().any(|one| *one == suite.version());
    if !provider.cipher_suites.iter().any(is_usable) {
        return Err(TlsError::Suites(
            "names no suite of TLS 1.3, the only version that minTLSVersion = 4 leaves; add one, \
             for example TLS_AES_128_GCM_SHA256"
                .to_owned(),
        ));
    }
    Ok(Arc::new(provider))
}

fn supported(wanted: &CipherSuite) -> Result<SupportedCipherSuite, TlsError> {
    let all = aws_lc_rs::ALL_CIPHER_SUITES;
    let found = all.iter().find(|suite| suite.suite() == *wanted);
    found.copied().ok_or_else(|| {
        TlsError::Suites(format!(
            "{wanted:?} is not a suite that the TLS library has; leave it out"
        ))
    })
}

fn versions(settings: &Tls) -> &'static [&'static SupportedProtocolVersion] {
    static TLS13_ONLY: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];
    static TLS12_TOO: [&SupportedProtocolVersion; 2] =
        [&rustls::version::TLS13, &rustls::version::TLS12];
    match settings.min_version {
        TlsVersion::Tls12 => &TLS12_TOO,
        TlsVersion::Tls13 => &TLS13_ONLY,
    }
}

/// Puts it all together.
pub(super) fn build(
    settings: &Tls,
    provider: Arc<CryptoProvider>,
    certified: CertifiedKey,
    resumption: &Resumption,
) -> Result<ServerConfig, TlsError> {
    fits_key(&provider, &certified, versions(settings))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(settings))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    // So that a client cannot be talked into the weakest suite that both have, and an order that was written counts.
    config.ignore_client_order = true;
    config.ticketer = resumption.tickets.clone();
    config.session_storage = resumption.sessions.clone();
    // Early data can be replayed by whoever recorded it.
    config.max_early_data_size = 0;
    Ok(config)
}

/// Makes sure that suites of TLS 1.2, which are for one kind of key each, are not all for another kind: clients of that
/// version could never connect. Those of TLS 1.3 go with any key.
fn fits_key(
    provider: &CryptoProvider,
    certified: &CertifiedKey,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<(), TlsError> {
    let tls12 = &rustls::version::TLS12;
    if !versions.contains(&tls12) {
        return Ok(());
    }
    let suites = provider.cipher_suites.iter();
    let mut suites = suites.filter(|suite| suite.version() == tls12).peekable();
    let algorithm = certified.key.algorithm();
    if suites.peek().is_none()
        || suites.any(|suite| suite.usable_for_signature_algorithm(algorithm))
    {
        return Ok(());
    }
    Err(TlsError::Suites(format!(
        "no suite of TLS 1.2 works with the {algorithm:?} key of the certificate; add one that does, or leave out all \
         but those of TLS 1.3"
    )))
}
