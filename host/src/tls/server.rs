//! The TLS of one web server object: a certificate in use, replaced when its files are.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::ServerConfig;

use crate::settings::Tls;

use super::config::{self, Resumption};
use super::error::TlsError;
use super::files::{Contents, Files, Look};
use super::pair::Pair;

/// The certificate of a web server object and how it is used. What belongs to it is read for each handshake, so that
/// a replaced certificate counts for the next connection; connections that are open keep what they began with.
pub struct ServerTls {
    settings: Tls,
    files: Files,
    resumption: Resumption,
    /// Makes contents comparable without keeping a key a second time.
    hasher: RandomState,
    in_use: ArcSwap<InUse>,
    /// Also makes sure that one refresh runs at a time.
    seen: Mutex<Seen>,
}

struct InUse {
    config: Arc<ServerConfig>,
    names: Arc<[String]>,
    not_after: Option<SystemTime>,
    contents: u64,
}

/// What the last look at the files found.
struct Seen {
    look: Look,
    is_settled: bool,
    /// What is wrong with the files as they are; it has been told.
    complaint: Option<String>,
}

/// What came of a look at the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// Nothing that has not been told before.
    Unchanged,
    /// New connections get the new certificate.
    Replaced,
    /// The pair in use was put back in place of one that was wrong.
    Restored,
    /// The files have changed but cannot be used, and why; the certificate in use stays.
    Failed(String),
}

impl ServerTls {
    /// Reads the pair of `certificateFolder` and makes it ready for use. Blocks on the file system.
    pub fn load(settings: &Tls) -> Result<Self, TlsError> {
        let files = Files::of(&settings.certificate_folder);
        let resumption = Resumption::new()?;
        let hasher = RandomState::new();
        let (look, contents) = files.read();
        let contents = contents?;
        let in_use = InUse::make(settings, &files, &contents, &resumption, &hasher)?;
        let seen = Seen {
            is_settled: look.is_settled(),
            look,
            complaint: None,
        };
        Ok(Self {
            settings: settings.clone(),
            files,
            resumption,
            hasher,
            in_use: ArcSwap::from_pointee(in_use),
            seen: Mutex::new(seen),
        })
    }

    /// The settings that it was made by.
    pub fn settings(&self) -> &Tls {
        &self.settings
    }

    /// What the next handshake uses.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.in_use.load().config.clone()
    }

    /// The DNS names of the certificate, in lower case, wildcards as `*.example.com`. Empty for a certificate of
    /// addresses only.
    pub fn names(&self) -> Arc<[String]> {
        self.in_use.load().names.clone()
    }

    /// When the certificate ends.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.in_use.load().not_after
    }

    /// Whether the certificate is made for a name that a client asks for: in any case, with or without the dot of the
    /// root at the end. A wildcard stands for one label.
    pub fn covers(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        let wildcard_part = name.split_once('.').filter(|(label, _)| !label.is_empty());
        self.in_use
            .load()
            .names
            .iter()
            .any(|own| match own.strip_prefix("*.") {
                Some(domain) => {
                    wildcard_part.is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain))
                }
                None => own
                    .strip_suffix('.')
                    .unwrap_or(own)
                    .eq_ignore_ascii_case(name),
            })
    }

    /// Looks whether the files changed, through links too, and takes the new pair into use if it is a good one. A bad
    /// pair is told once, and tried again as soon as anything about it changes; a pair of which only one file has
    /// been replaced so far is such a bad one. Costs two `stat` calls when nothing changed. Blocks on the file system.
    pub fn refresh(&self) -> Refreshed {
        let mut seen = self.seen.lock();
        if seen.is_settled && self.files.look() == seen.look {
            return Refreshed::Unchanged;
        }
        let (look, contents) = self.files.read();
        seen.is_settled = look.is_settled();
        seen.look = look;
        match contents.and_then(|contents| self.take(&contents)) {
            Ok(is_new) => match seen.complaint.take() {
                _ if is_new => Refreshed::Replaced,
                Some(_) => Refreshed::Restored,
                None => Refreshed::Unchanged,
            },
            Err(error) => {
                let error = error.to_string();
                if seen.complaint.as_ref() == Some(&error) {
                    return Refreshed::Unchanged;
                }
                seen.complaint = Some(error.clone());
                Refreshed::Failed(error)
            }
        }
    }

    /// Takes a pair into use; says whether it is another than the one that was.
    fn take(&self, contents: &Contents) -> Result<bool, TlsError> {
        if self.hasher.hash_one(contents) == self.in_use.load().contents {
            return Ok(false);
        }
        let in_use = InUse::make(
            &self.settings,
            &self.files,
            contents,
            &self.resumption,
            &self.hasher,
        )?;
        self.in_use.store(Arc::new(in_use));
        Ok(true)
    }
}

impl InUse {
    fn make(
        settings: &Tls,
        files: &Files,
        contents: &Contents,
        resumption: &Resumption,
        hasher: &RandomState,
    ) -> Result<Self, TlsError> {
        let provider = config::provider(settings)?;
        let pair = Pair::parse(contents, files, &provider)?;
        let config = config::build(settings, provider, pair.certified, resumption)?;
        Ok(Self {
            config: Arc::new(config),
            names: pair.names,
            not_after: pair.not_after,
            contents: hasher.hash_one(contents),
        })
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls")
            .field("settings", &self.settings)
            .field("names", &self.names())
            .field("not_after", &self.not_after())
            .finish_non_exhaustive()
    }
}
