//! Reads the web server object, which the host and a component have alike but for the ports.

use super::authentication::Authentication;
use super::folders::{Base, CERTIFICATE_FILE, Folders, KEY_FILE};
use super::kind::network::Port;
use super::kind::{Preset, tls};
use super::logs::{AccessFormat, DebugLevel, WebLogs};
use super::reader::Reader;
use super::rule::{Handler, Handlers};
use super::sessions::{LegacySessions, Sessions};
use super::setting::{Definition, Scope, Setting};
use super::table;
use super::web_server::{
    CacheSettings, Compression, Cors, Files, Https, KeepAlive, Listen, Missing, Rate, Requests,
    Responses, Tls, Web,
};

impl Web {
    /// Reads what `owner`, the host or a component, decides about its web server.
    pub(super) fn read(reader: &mut Reader, owner: Scope, base: &Base) -> Self {
        let folders = Folders::read(reader, base);
        let listen = read_listen(reader, owner, &folders);
        let home_page = reader.value(&table::HOME_PAGE);
        let missing = Missing::read(reader, owner);
        let requests = Requests::read(reader);
        check_handlers(reader, owner, &requests.handlers);
        let sessions = Sessions::read(reader);
        let legacy = LegacySessions::read(reader, &sessions, requests.processes_max);
        Self {
            cache: CacheSettings::read(reader, owner),
            responses: Responses::read(reader, listen.https.is_some()),
            listen,
            files: folders.root.map(|root| Files {
                root,
                home_page,
                missing,
            }),
            requests,
            authentication: Authentication::default(),
            sessions,
            legacy,
            keep_alive: KeepAlive::read(reader),
            logs: WebLogs::read(reader),
            launch_at_startup: reader.value(&table::LAUNCH),
        }
    }
}

impl Missing {
    fn read(reader: &mut Reader, owner: Scope) -> Self {
        Self {
            listing: reader.value(&table::FILES_LISTING),
            clean_urls: reader.value(&table::FILES_CLEAN_URLS),
            // What a component has no file for is On Web Connection's, so that nothing would be left for such a page.
            fallback: match owner {
                Scope::Host => reader.value(&table::FILES_FALLBACK),
                Scope::Component | Scope::Both => None,
            },
        }
    }
}

impl CacheSettings {
    fn read(reader: &mut Reader, owner: Scope) -> Self {
        let size = match owner {
            Scope::Component => reader.value(&table::CACHE_OWN_SIZE),
            Scope::Host | Scope::Both => reader.value(&table::CACHE_SIZE),
        };
        Self {
            enabled: reader.value(&table::CACHE_ENABLED),
            is_own: owner == Scope::Component && size > 0,
            size,
            object_bytes_max: reader.value(&table::CACHE_OBJECT_SIZE),
            interval: reader.value(&table::CACHE_REVALIDATE),
        }
    }
}

fn read_listen(reader: &mut Reader, owner: Scope, folders: &Folders) -> Listen {
    let http = read_port(reader, owner, &table::HTTP_PORT);
    let https = read_port(reader, owner, &table::HTTPS_PORT);
    let http_enabled = reader.value(&table::HTTP_ENABLED);
    let https_named = https.is_some();
    let https_enabled = reader.named(&table::HTTPS_ENABLED);
    let tls = read_tls(reader, folders);
    if owner == Scope::Component {
        refuse_without_port(reader, http_enabled, https_enabled);
    }
    // Who names a port of a component means it to be there; the host's has a default.
    let must_have_pair = match owner {
        Scope::Component => https_named && https_enabled != Some(false),
        Scope::Host | Scope::Both => https_enabled == Some(true),
    };
    let has_pair = folders.has_pair();
    if must_have_pair && !has_pair {
        refuse_without_pair(reader, folders);
    }
    let https_enabled = https_named && https_enabled.unwrap_or(has_pair);
    reader.show(&table::HTTPS_ENABLED, https_enabled.into());
    let listen = Listen {
        http: http.filter(|_| http_enabled),
        https: https
            .zip(tls)
            .filter(|_| https_enabled)
            .map(|(port, tls)| Https { port, tls }),
        addresses: reader.value(&table::ADDRESSES),
    };
    let https = listen.https.as_ref().map(|https| https.port);
    if https.is_some() && https == listen.http {
        let reason = "must not be the same port for HTTP and HTTPS";
        reader.refuse(&[&table::HTTPS_PORT, &table::HTTP_PORT], reason);
    }
    listen
}

/// The host has the port that the protocol is known by, a component only one that it names.
fn read_port(reader: &mut Reader, owner: Scope, setting: &'static Setting<Port>) -> Option<u16> {
    let port = reader.named(setting);
    let port = port.or_else(|| (owner == Scope::Host).then_some(setting.kind.standard));
    reader.show(setting, port.into());
    port
}

fn read_tls(reader: &mut Reader, folders: &Folders) -> Option<Tls> {
    let min_version = reader.value(&table::MIN_TLS_VERSION);
    let listed = reader.value(&table::CIPHER_SUITE);
    Some(Tls {
        certificate_folder: folders.certificate.clone()?,
        min_version,
        cipher_suites: tls::offered(listed),
    })
}

/// Nothing is accepted that has no effect: who writes these for a component means it to be listening.
fn refuse_without_port(reader: &mut Reader, http_enabled: bool, https_enabled: Option<bool>) {
    let has_http = reader.is_written(&table::HTTP_PORT);
    let has_https = reader.is_written(&table::HTTPS_PORT);
    let mut refuse = |definitions: &[&'static dyn Definition], needed: &str| {
        for definition in definitions {
            let reason =
                format!("needs {needed}: a component listens only on a port that it names");
            reader.refuse(&[*definition], reason);
        }
    };
    if !has_http && http_enabled {
        refuse(&[&table::HTTP_ENABLED], "HTTPPort");
    }
    if !has_https {
        if https_enabled == Some(true) {
            refuse(&[&table::HTTPS_ENABLED], "HTTPSPort");
        }
        refuse(
            &[
                &table::CERTIFICATE_FOLDER,
                &table::MIN_TLS_VERSION,
                &table::CIPHER_SUITE,
            ],
            "HTTPSPort",
        );
    }
    if !has_http && !has_https {
        refuse(
            &[
                &table::ADDRESSES,
                &table::KEEP_ALIVE_ENABLED,
                &table::KEEP_ALIVE_REQUESTS,
                &table::KEEP_ALIVE_TIMEOUT,
            ],
            "HTTPPort or HTTPSPort",
        );
    }
}

fn refuse_without_pair(reader: &mut Reader, folders: &Folders) {
    // A bare module that names no folder has nowhere to keep them.
    let reason = match &folders.certificate {
        Some(folder) => format!(
            "needs the certificate {} and its key {}; for a certificate to try with, run `tessera serve --dev-tls`",
            folder.join(CERTIFICATE_FILE).display(),
            folder.join(KEY_FILE).display()
        ),
        None => format!("needs certificateFolder, with {CERTIFICATE_FILE} and {KEY_FILE} in it"),
    };
    reader.refuse(
        &[
            &table::HTTPS_ENABLED,
            &table::HTTPS_PORT,
            &table::CERTIFICATE_FOLDER,
        ],
        reason,
    );
}

/// On the host a method is that of a component, which must be named.
fn check_handlers(reader: &mut Reader, owner: Scope, handlers: &Handlers) {
    let is_nameless = |handler: &Handler| handler.class.is_none();
    let nameless = handlers.list.iter().position(is_nameless);
    if let (Scope::Host, Some(index)) = (owner, nameless) {
        let reason = format!(
            "entry {}: needs class, the component that has the method",
            index + 1
        );
        reader.refuse(&[&table::HANDLERS], reason);
    }
}

impl Requests {
    fn read(reader: &mut Reader) -> Self {
        let body_bytes_max = reader.value(&table::REQUEST_SIZE);
        Self {
            // The documents: "passing the maximum value means that, in practice, no limit is set".
            body_bytes_max: Some(body_bytes_max).filter(|max| *max < table::REQUEST_SIZE.kind.max),
            processes_max: reader.value(&table::PROCESSES),
            trace: reader.value(&table::HTTP_TRACE),
            sync_urls: reader.value(&table::SYNC_URLS),
            handlers: reader.value(&table::HANDLERS),
            rate: read_rate(reader),
        }
    }
}

fn read_rate(reader: &mut Reader) -> Option<Rate> {
    let per_second = reader.value(&table::RATE_REQUESTS);
    let burst = match reader.value(&table::RATE_BURST) {
        0 => per_second,
        burst => burst,
    };
    (per_second > 0).then_some(Rate { per_second, burst })
}

impl WebLogs {
    fn read(reader: &mut Reader) -> Self {
        let format = AccessFormat::of_number(reader.value(&table::LOG_RECORDING));
        let fields = reader.value(&table::WEBLOG_FIELDS);
        let other = fields.iter().find(|field| field.is_of_wlf());
        if let (Some(AccessFormat::Elf), Some(field)) = (format, other) {
            let reason = format!(
                "{} is a field of WLF only (logRecording = 4)",
                field.token()
            );
            reader.refuse(&[&table::WEBLOG_FIELDS, &table::LOG_RECORDING], reason);
        }
        Self {
            format,
            fields,
            rotation: reader.value(&table::WEBLOG_ROTATION),
            keep: reader.value(&table::WEBLOG_KEEP),
            debug: DebugLevel::of_number(reader.value(&table::DEBUG_LOG)),
            mask_secrets: reader.value(&table::WEBLOG_MASK),
        }
    }
}

impl KeepAlive {
    fn read(reader: &mut Reader) -> Self {
        Self {
            enabled: reader.value(&table::KEEP_ALIVE_ENABLED),
            requests_max: Some(reader.value(&table::KEEP_ALIVE_REQUESTS)).filter(|max| *max > 0),
            timeout: reader.value(&table::KEEP_ALIVE_TIMEOUT),
        }
    }
}

impl Responses {
    fn read(reader: &mut Reader, is_https: bool) -> Self {
        let cors_enabled = reader.value(&table::CORS_ENABLED);
        let rules = reader.value(&table::CORS_SETTINGS);
        let hsts_enabled = reader.value(&table::HSTS_ENABLED);
        let hsts_max_age = reader.value(&table::HSTS_MAX_AGE);
        if hsts_enabled && !is_https {
            let reason = "HSTS requires that HTTPS is enabled";
            reader.refuse(&[&table::HSTS_ENABLED, &table::HTTPS_ENABLED], reason);
        }
        Self {
            charset: reader.value(&table::CHARACTER_SET),
            extended_characters: reader.value(&table::EXTENDED_CHARACTERS),
            compression: Compression {
                level: reader.value(&table::COMPRESSION_LEVEL),
                threshold: reader.value(&table::COMPRESSION_THRESHOLD),
            },
            cors: cors_enabled.then_some(Cors { rules }),
            hsts: hsts_enabled.then_some(hsts_max_age),
            rules: reader.value(&table::RULES),
        }
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self {
            enabled: table::KEEP_ALIVE_ENABLED.kind.preset(),
            requests_max: Some(table::KEEP_ALIVE_REQUESTS.kind.preset()),
            timeout: table::KEEP_ALIVE_TIMEOUT.kind.preset(),
        }
    }
}

impl Default for Responses {
    fn default() -> Self {
        Self {
            charset: table::CHARACTER_SET.kind.preset(),
            extended_characters: table::EXTENDED_CHARACTERS.kind.preset(),
            compression: Compression {
                level: table::COMPRESSION_LEVEL.kind.preset(),
                threshold: table::COMPRESSION_THRESHOLD.kind.preset(),
            },
            cors: None,
            hsts: None,
            rules: table::RULES.kind.preset(),
        }
    }
}
