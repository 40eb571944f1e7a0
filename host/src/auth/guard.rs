//! What stands before On Web Authentication where a web server asks for BASIC or DIGEST credentials, and behind it.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::{HeaderMap, Method, Uri};
use parking_lot::Mutex;
use tessera_engine::DigestCheck;

use super::Credentials;
use super::aged::Aged;
use super::challenge;
use super::digest::Sent;
use super::digest_check::Check;
use super::keyed::{Fingerprint, Key};
use super::nonces::Nonces;
use super::throttle::{Attempt, Source, Throttle};
use super::users::{Users, Verdict};
use crate::settings::{Authentication, Mode};

/// How long credentials that a hook has accepted are no new attempt.
const REMEMBERED: Duration = Duration::from_secs(300);
const REMEMBERED_MAX: usize = 8_192;

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: BASIC and DIGEST need them")]
pub struct NoRandomNumbers;

/// Holds requests to the credentials that web servers ask for; one for the process.
#[derive(Debug)]
pub struct Guard {
    shared: Arc<Shared>,
    users: Users,
    /// Credentials, with the address that they came from, that a hook accepted.
    accepted: Mutex<Aged<Fingerprint, Instant>>,
}

/// What checks of requests that go on have a share in.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) key: Key,
    pub(super) nonces: Nonces,
    pub(super) throttle: Throttle,
}

/// Where a request came from and what it asks for.
pub struct Asked<'a> {
    /// The web server that answers.
    pub server: &'a str,
    /// The client's address.
    pub client: IpAddr,
    /// The method.
    pub method: &'a Method,
    /// The target as it was received.
    pub uri: &'a Uri,
    /// The fields.
    pub headers: &'a HeaderMap,
    /// Whether the component has On Web Authentication.
    pub has_hook: bool,
}

/// What a request was let in with.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    /// `$5` and `$6`: of users of the file, and with DIGEST, without a password.
    pub credentials: Credentials,
    /// A user of the file, who is asked nothing more.
    pub is_known: bool,
    /// What `validate-digest` asks.
    pub digest: Option<Arc<dyn DigestCheck>>,
    pending: Option<Pending>,
}

#[derive(Clone, Debug)]
enum Pending {
    Basic(Attempt, Fingerprint),
    Digest(Arc<Check>),
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No credentials, or wrong ones: 401 with a challenge.
    Challenged,
    /// Too many failures from this address.
    Later(Duration),
    /// The users file cannot be asked now.
    Unavailable,
}

impl Guard {
    /// For a site whose folder of state this is.
    ///
    /// # Errors
    ///
    /// When the system gives no random numbers.
    pub fn new(state_folder: &Path) -> Result<Self, NoRandomNumbers> {
        let key = || Key::new().ok_or(NoRandomNumbers);
        Ok(Self {
            shared: Arc::new(Shared {
                key: key()?,
                nonces: Nonces::new(key()?),
                throttle: Throttle::new(),
            }),
            users: Users::new(state_folder, key()?),
            accepted: Mutex::new(Aged::new(REMEMBERED_MAX)),
        })
    }

    /// Looks at the credentials of a request before its component is asked.
    ///
    /// # Errors
    ///
    /// With what to answer in place of the component.
    pub async fn admit(
        &self,
        settings: &Authentication,
        asked: Asked<'_>,
    ) -> Result<Admission, Refused> {
        match settings.mode {
            Mode::Custom => Ok(Admission {
                credentials: Credentials::of(asked.headers),
                ..Admission::default()
            }),
            Mode::Basic => self.admit_basic(settings, &asked).await,
            Mode::Digest => self.admit_digest(settings, &asked),
        }
    }

    async fn admit_basic(
        &self,
        settings: &Authentication,
        asked: &Asked<'_>,
    ) -> Result<Admission, Refused> {
        let Some(credentials) = Credentials::basic(asked.headers) else {
            return self.without_credentials(asked);
        };
        let Credentials { user, password } = &credentials;
        let source = Source::of(asked.client);
        let account = self.account(asked, user);
        let address = asked.client.to_canonical().to_string();
        let parts = [asked.server, user, password, &address].map(str::as_bytes);
        let fingerprint = self.shared.key.of(&parts);
        let throttle = &self.shared.throttle;
        let is_accepted = self.was_accepted(&fingerprint);
        let now = Instant::now();
        let attempt = throttle.begin(source, account, fingerprint, is_accepted, now);
        let attempt = attempt.map_err(Refused::Later)?;
        if settings.users_file {
            match self.users.verify(user, password).await {
                Ok(Verdict::Right) => {
                    self.accept_basic(attempt, fingerprint);
                    return Ok(Admission {
                        credentials: Credentials {
                            user: credentials.user,
                            password: String::new(),
                        },
                        is_known: true,
                        ..Admission::default()
                    });
                }
                Ok(Verdict::Wrong) => return Err(self.refuse_basic(attempt, asked, user)),
                Ok(Verdict::Unknown) => {}
                Err(_) => return Err(Refused::Unavailable),
            }
        }
        if !asked.has_hook {
            return Err(self.refuse_basic(attempt, asked, user));
        }
        Ok(Admission {
            credentials,
            pending: Some(Pending::Basic(attempt, fingerprint)),
            ..Admission::default()
        })
    }

    fn admit_digest(
        &self,
        settings: &Authentication,
        asked: &Asked<'_>,
    ) -> Result<Admission, Refused> {
        let Some(sent) = Sent::of(asked.headers) else {
            return self.without_credentials(asked);
        };
        let source = Source::of(asked.client);
        if let Some(wait) = self.shared.throttle.wait(source, Instant::now()) {
            return Err(Refused::Later(wait));
        }
        if !asked.has_hook {
            return Err(Refused::Challenged);
        }
        let is_meant = sent.realm == settings.realm && is_target(&sent.uri, asked.uri);
        let check = Arc::new(Check::new(
            self.shared.clone(),
            source,
            self.account(asked, &sent.user),
            asked.method.as_str().to_owned(),
            sent,
            is_meant,
        ));
        Ok(Admission {
            credentials: Credentials {
                user: check.user().to_owned(),
                password: String::new(),
            },
            digest: Some(check.clone()),
            pending: Some(Pending::Digest(check)),
            ..Admission::default()
        })
    }

    /// The hook may let those in who say nothing of themselves.
    fn without_credentials(&self, asked: &Asked<'_>) -> Result<Admission, Refused> {
        match asked.has_hook {
            true => Ok(Admission::default()),
            false => Err(Refused::Challenged),
        }
    }

    /// Takes note of what the component made of a request that was let in. The fields of a 401 get the challenge.
    pub fn settle(&self, settings: &Authentication, admission: &Admission, is_refused: bool) {
        match (&admission.pending, is_refused) {
            (Some(Pending::Basic(attempt, fingerprint)), false) => {
                self.accept_basic(*attempt, *fingerprint);
            }
            (Some(Pending::Basic(attempt, _)), true) => {
                if self.shared.throttle.refused(*attempt, Instant::now()) {
                    let (realm, user) = (&*settings.realm, &*admission.credentials.user);
                    tracing::warn!(
                        realm,
                        user,
                        "wrong credentials again and again: further ones have to wait"
                    );
                }
            }
            (Some(Pending::Digest(check)), true) => check.refused(),
            (Some(Pending::Digest(_)) | None, _) => {}
        }
    }

    /// Asks for credentials in a response of 401, unless the component does so itself.
    pub fn challenge(
        &self,
        settings: &Authentication,
        admission: Option<&Admission>,
        headers: &mut HeaderMap,
    ) {
        match settings.mode {
            Mode::Custom => {}
            Mode::Basic => challenge::add_basic(headers, &settings.realm),
            Mode::Digest => {
                let is_stale = match admission.and_then(|it| it.pending.as_ref()) {
                    Some(Pending::Digest(check)) => check.found().is_stale,
                    _ => false,
                };
                let nonce = self.shared.nonces.make();
                challenge::add_digest(headers, &settings.realm, &nonce, is_stale);
            }
        }
    }

    fn account(&self, asked: &Asked<'_>, user: &str) -> Fingerprint {
        self.shared
            .key
            .of(&[asked.server.as_bytes(), user.as_bytes()])
    }

    fn was_accepted(&self, fingerprint: &Fingerprint) -> bool {
        let mut accepted = self.accepted.lock();
        let at = accepted.get(fingerprint);
        at.is_some_and(|at| at.elapsed() < REMEMBERED)
    }

    fn accept_basic(&self, attempt: Attempt, fingerprint: Fingerprint) {
        self.shared.throttle.accepted(attempt);
        self.accepted.lock().insert(fingerprint, Instant::now());
    }

    fn refuse_basic(&self, attempt: Attempt, asked: &Asked<'_>, user: &str) -> Refused {
        if self.shared.throttle.refused(attempt, Instant::now()) {
            let (server, client) = (asked.server, asked.client);
            tracing::warn!(server, %client, user, "wrong credentials again and again: further ones have to wait");
        }
        Refused::Challenged
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Challenged => "no credentials, or wrong ones",
            Self::Later(_) => "too many wrong credentials from this address",
            Self::Unavailable => "the users file cannot be asked",
        })
    }
}

/// Whether a text is the target of a request, as a path or as the whole URL.
fn is_target(text: &str, uri: &Uri) -> bool {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if text == path {
        return true;
    }
    // Only HTTP/1 has targets that are URLs; HTTP/2 has its parts in fields of their own, and clients sign the path.
    uri.scheme().is_some() && *uri == *text
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
