//! What TLS speaks: its lowest version and its cipher suites.

use rustls::CipherSuite;
use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::error::shown;
use crate::settings::file::Loose;
use crate::settings::web_server::TlsVersion;

/// The lowest version, as the documents number them.
#[derive(Debug)]
pub(in crate::settings) struct LowestVersion;

impl Kind for LowestVersion {
    type Value = TlsVersion;
    const TYPE: &'static str = "number";

    fn read(&self, loose: &Loose) -> Result<TlsVersion, Refusal> {
        let missing = |version| {
            let reason = format!(
                "must be {}: the TLS library has no {version}, which is broken, and nothing is \
                 raised silently",
                self.allowed()
            );
            Err(Refusal::Because(reason))
        };
        match loose {
            Loose::Integer(1) => missing("TLS 1.0"),
            Loose::Integer(2) => missing("TLS 1.1"),
            Loose::Integer(3) => Ok(TlsVersion::Tls12),
            Loose::Integer(4) => Ok(TlsVersion::Tls13),
            Loose::Integer(_) => Err(Refusal::Value),
            _ => Err(Refusal::Type),
        }
    }

    fn allowed(&self) -> String {
        "3 (TLS 1.2) or 4 (TLS 1.3)".to_owned()
    }

    fn default_text(&self) -> String {
        "3".to_owned()
    }

    fn json(&self, value: &TlsVersion) -> Json {
        match value {
            TlsVersion::Tls12 => 3.into(),
            TlsVersion::Tls13 => 4.into(),
        }
    }

    fn schema(&self) -> Json {
        json!({"enum": [3, 4], "default": 3})
    }
}

impl Preset for LowestVersion {
    fn preset(&self) -> TlsVersion {
        TlsVersion::Tls12
    }
}

/// The suites that the library has, as OpenSSL names them.
const SUITES: [(&str, CipherSuite); 9] = [
    (
        "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_AES_256_GCM_SHA384,
    ),
    (
        "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_128_GCM_SHA256,
    ),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];
/// The first of them are those of TLS 1.3.
const TLS13_SUITES: usize = 3;

/// Cipher suites by their OpenSSL names, the preferred one first; none is the library's own list.
#[derive(Debug)]
pub(in crate::settings) struct CipherList;

impl Kind for CipherList {
    type Value = Vec<CipherSuite>;
    const TYPE: &'static str = "text";
    const NOUN: &'static str = "a text:";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Vec<CipherSuite>, Refusal> {
        let text = loose.text()?;
        let mut suites = Vec::new();
        for name in text.split(':').filter(|_| !text.is_empty()) {
            let Some((_, suite)) = SUITES.iter().find(|(known, _)| *known == name) else {
                let reason = format!(
                    "\"{}\" is no cipher suite of the TLS library: must be {}",
                    shown(name),
                    self.allowed()
                );
                return Err(Refusal::Because(reason));
            };
            // As with OpenSSL, the first mention counts.
            if !suites.contains(suite) {
                suites.push(*suite);
            }
        }
        Ok(suites)
    }

    fn allowed(&self) -> String {
        let names: Vec<&str> = SUITES.iter().map(|(name, _)| *name).collect();
        format!(
            "any of {}, joined by colons, the preferred one first; or \"\" for the library's own list",
            names.join(", ")
        )
    }

    fn default_text(&self) -> String {
        "\"\"".to_owned()
    }

    fn json(&self, value: &Vec<CipherSuite>) -> Json {
        let name = |suite| SUITES.iter().find(|(_, known)| known == suite);
        let names: Vec<&str> = value
            .iter()
            .filter_map(name)
            .map(|(name, _)| *name)
            .collect();
        names.join(":").into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "default": ""})
    }
}

impl Preset for CipherList {
    fn preset(&self) -> Vec<CipherSuite> {
        Vec::new()
    }
}

/// Gives the suites to offer. As with OpenSSL, a list that names none of TLS 1.3 is about TLS 1.2 only: all of TLS 1.3
/// stay, after those listed.
pub(in crate::settings) fn offered(listed: Vec<CipherSuite>) -> Option<Vec<CipherSuite>> {
    let mut suites = listed;
    if suites.is_empty() {
        return None;
    }
    let tls13 = || SUITES.iter().take(TLS13_SUITES).map(|(_, suite)| *suite);
    if !tls13().any(|suite| suites.contains(&suite)) {
        suites.extend(tls13());
    }
    Some(suites)
}
