//! What the host and a component have in common: the web server object, in small structs per stage of a request.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::authentication::Authentication;
use super::logs::WebLogs;
use super::rule::{Handlers, Rules};
use super::sessions::{LegacySessions, Sessions};

/// The settings of one web server object.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Where it listens.
    pub listen: Listen,
    /// Its static files; none for a component that is a bare module without a folder.
    pub files: Option<Files>,
    /// What is kept of them in memory.
    pub cache: CacheSettings,
    /// What requests may take and ask for.
    pub requests: Requests,
    /// Who asks for names and passwords; a host has no component, and so nobody does.
    pub authentication: Authentication,
    /// Its scalable sessions.
    pub sessions: Sessions,
    /// Its legacy sessions, if it has those.
    pub legacy: Option<LegacySessions>,
    /// How long its connections are kept.
    pub keep_alive: KeepAlive,
    /// What its responses look like.
    pub responses: Responses,
    /// What is written of its requests.
    pub logs: WebLogs,
    /// `[web] launch_at_startup`: whether it starts with the process, or when a component is dropped in.
    pub launch_at_startup: bool,
}

/// Where a web server object listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The port for HTTP; none when it is switched off, or when a component named no port.
    pub http: Option<u16>,
    /// The port for HTTPS and what TLS needs; none when it is switched off, or when a component named no port.
    pub https: Option<Https>,
    /// The addresses; each is bound with each port.
    pub addresses: Addresses,
}

/// The HTTPS port and its TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Https {
    /// `HTTPSPort`.
    pub port: u16,
    /// Certificate, versions, ciphers.
    pub tls: Tls,
}

/// What TLS needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// `certificateFolder`, as a full path: holds `cert.pem` and `key.pem`.
    pub certificate_folder: PathBuf,
    /// `minTLSVersion`.
    pub min_version: TlsVersion,
    /// `cipherSuite`: the suites that are offered, the preferred one first; none is the library's choice.
    pub cipher_suites: Option<Vec<rustls::CipherSuite>>,
}

/// The versions of TLS that the library has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 3 in `minTLSVersion`.
    Tls12,
    /// 4 in `minTLSVersion`.
    Tls13,
}

/// The addresses that a web server object listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Every address of the machine, IPv4 and IPv6.
    Any,
    /// These, at least one, each once, and none of them unspecified.
    Only(Vec<IpAddr>),
}

impl Addresses {
    /// Lists what to bind; `Any` is `::`, to be bound for IPv4 as well where the machine has both.
    pub fn to_bind(&self) -> Vec<IpAddr> {
        match self {
            Self::Any => vec![Ipv6Addr::UNSPECIFIED.into()],
            Self::Only(list) => list.clone(),
        }
    }
}

/// What is served from files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The full path of `rootFolder`; whether it exists is not looked at.
    pub root: PathBuf,
    /// The page that answers `/`, relative to the root.
    pub home_page: Option<String>,
    /// What is answered where there is no file.
    pub missing: Missing,
}

/// `[files]`: what is answered where a URL names no file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// `[files] listing`: whether a folder without a home page is listed.
    pub listing: bool,
    /// `[files] clean_urls`: whether `about.html` answers `/about`.
    pub clean_urls: bool,
    /// `[files] fallback`: the page for those who go to an address without a file, relative to the root.
    pub fallback: Option<String>,
}

/// What is kept of static files in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// `[cache] enabled`.
    pub enabled: bool,
    /// Whether the component has a cache for itself, and no share in the one of the host.
    pub is_own: bool,
    /// `[cache] size` of the host, `[cache] own_size` of a component, in bytes.
    pub size: u64,
    /// `[cache] max_object_size`: larger files are read from disk each time, in bytes.
    pub object_bytes_max: u64,
    /// `[cache] revalidate`: how long a page is believed to be what is on disk.
    pub interval: Duration,
}

/// What requests may take of a web server object, and ask of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// The largest request body in bytes; none is no limit.
    pub body_bytes_max: Option<u64>,
    /// `maxConcurrentProcesses`: the web processes at the same time.
    pub processes_max: u32,
    /// `HTTPTrace`: whether TRACE is answered.
    pub trace: bool,
    /// `[web] allow_4dsync`: whether `/4DSYNC` URLs reach the component.
    pub sync_urls: bool,
    /// `handlers`: the URLs that web methods answer.
    pub handlers: Handlers,
    /// `[rate_limit]`: how often one client may ask; none is as often as it likes.
    pub rate: Option<Rate>,
}

/// `[rate_limit]`: how often one client may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, in the long run.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// How long HTTP/1 connections are kept for further requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// `[keep_alive] enabled`.
    pub enabled: bool,
    /// `[keep_alive] max_requests`: the requests of one connection; none is no limit.
    pub requests_max: Option<u64>,
    /// `[keep_alive] timeout`: how long a connection is kept while no request comes. HTTP/2 is held to it, too.
    pub timeout: Duration,
}

/// What responses look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Responses {
    /// `characterSet` of texts that components send.
    pub charset: Charset,
    /// `[web] send_extended_characters`: whether characters outside ASCII are sent in HTML as they are.
    pub extended_characters: bool,
    /// `HTTPCompressionLevel` and `HTTPCompressionThreshold`.
    pub compression: Compression,
    /// `CORSEnabled` and `CORSSettings`; none when it is switched off.
    pub cors: Option<Cors>,
    /// `HSTSMaxAge` in seconds; none when `HSTSEnabled` is false.
    pub hsts: Option<u64>,
    /// `rules`: what is changed by URL.
    pub rules: Rules,
}

/// When and how much responses are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// From 1, the fastest, to 9; none is the library's compromise (-1).
    pub level: Option<u8>,
    /// Responses below so many bytes are sent as they are.
    pub threshold: u64,
}

/// Who may ask from the pages of other hosts, in the order of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// `CORSSettings`, those without a host left out.
    pub rules: Vec<CorsRule>,
}

/// One entry of `CORSSettings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsRule {
    /// As it was written, in lower case: one of the ten syntaxes, checked.
    pub host: String,
    /// The methods, in upper case; empty is all.
    pub methods: Vec<String>,
}

/// The character sets that the documents list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// MIBEnum 4.
    Iso8859_1,
    /// MIBEnum 12.
    Iso8859_9,
    /// MIBEnum 13.
    Iso8859_10,
    /// MIBEnum 17.
    ShiftJis,
    /// MIBEnum 2024.
    Windows31J,
    /// MIBEnum 2026.
    Big5,
    /// MIBEnum 38.
    EucKr,
    /// MIBEnum 106.
    Utf8,
    /// MIBEnum 2250.
    Windows1250,
    /// MIBEnum 2251.
    Windows1251,
    /// MIBEnum 2253.
    Windows1253,
    /// MIBEnum 2255.
    Windows1255,
    /// MIBEnum 2256.
    Windows1256,
}

impl Charset {
    /// All of them, in the order of the documents.
    pub const ALL: &[Self] = &[
        Self::Iso8859_1,
        Self::Iso8859_9,
        Self::Iso8859_10,
        Self::ShiftJis,
        Self::Windows31J,
        Self::Big5,
        Self::EucKr,
        Self::Utf8,
        Self::Windows1250,
        Self::Windows1251,
        Self::Windows1253,
        Self::Windows1255,
        Self::Windows1256,
    ];

    /// Its number in the registry of IANA (MIBEnum).
    pub fn mib(self) -> u16 {
        match self {
            Self::Iso8859_1 => 4,
            Self::Iso8859_9 => 12,
            Self::Iso8859_10 => 13,
            Self::ShiftJis => 17,
            Self::Windows31J => 2024,
            Self::Big5 => 2026,
            Self::EucKr => 38,
            Self::Utf8 => 106,
            Self::Windows1250 => 2250,
            Self::Windows1251 => 2251,
            Self::Windows1253 => 2253,
            Self::Windows1255 => 2255,
            Self::Windows1256 => 2256,
        }
    }

    /// Its name as the documents spell it; IANA spells one of them differently (`Shift_JIS`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Iso8859_1 => "ISO-8859-1",
            Self::Iso8859_9 => "ISO-8859-9",
            Self::Iso8859_10 => "ISO-8859-10",
            Self::ShiftJis => "Shift-JIS",
            Self::Windows31J => "Windows-31J",
            Self::Big5 => "Big5",
            Self::EucKr => "euc-kr",
            Self::Utf8 => "UTF-8",
            Self::Windows1250 => "Windows-1250",
            Self::Windows1251 => "Windows-1251",
            Self::Windows1253 => "Windows-1253",
            Self::Windows1255 => "Windows-1255",
            Self::Windows1256 => "Windows-1256",
        }
    }
}
