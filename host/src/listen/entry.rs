//! One web server's part in a port: who answers, with which certificate, and whether it is about to end.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use crate::connection::Closing;
use crate::server::{Kind, Receiver};
use crate::tls::ServerTls;

/// A web server's part in a port. Ports for HTTPS may have several.
pub(super) struct Entry {
    pub(super) receiver: Arc<Receiver>,
    /// None on a port for HTTP.
    tls: ArcSwapOption<ServerTls>,
    closing: watch::Sender<Closing>,
}

impl Entry {
    pub(super) fn new(receiver: Arc<Receiver>, tls: Option<Arc<ServerTls>>) -> Arc<Self> {
        let (closing, _) = watch::channel(Closing::No);
        Arc::new(Self {
            receiver,
            tls: ArcSwapOption::new(tls),
            closing,
        })
    }

    /// Which of those on a port is for clients that none is chosen for: the host's, else the first by name.
    pub(super) fn rank(&self) -> impl Ord {
        let server = &self.receiver.server;
        (server.kind() != Kind::Host, server.name())
    }

    pub(super) fn tls(&self) -> Option<Arc<ServerTls>> {
        self.tls.load_full()
    }

    pub(super) fn set_tls(&self, tls: Option<Arc<ServerTls>>) {
        self.tls.store(tls);
    }

    /// What the entry's connections look at.
    pub(super) fn closing(&self) -> watch::Receiver<Closing> {
        self.closing.subscribe()
    }

    /// Lets every connection end after the requests it is at, and waits for them; after `drain` it cuts them off.
    pub(super) async fn drain(&self, drain: Duration) {
        // `send_replace`: a connection whose handshake is still going on looks later.
        self.closing.send_replace(Closing::AfterRequests);
        if tokio::time::timeout(drain, self.closing.closed())
            .await
            .is_err()
        {
            tracing::warn!(
                server = self.receiver.server.name(),
                ?drain,
                "requests in progress are cut off: they did not end in time"
            );
            self.closing.send_replace(Closing::Now);
            self.closing.closed().await;
        }
    }
}

/// The entry whose certificate has the name that a client asks for; the first one is for all other clients.
pub(super) fn choose(entries: &[Arc<Entry>], name: Option<&str>) -> Option<Arc<Entry>> {
    let named = name.and_then(|name| named(entries, name));
    named.or_else(|| entries.first()).cloned()
}

/// The entry whose certificate has a name, in so many words before one with a pattern of it.
pub(super) fn named<'a>(entries: &'a [Arc<Entry>], name: &str) -> Option<&'a Arc<Entry>> {
    let has = |entry: &&Arc<Entry>, is_it: &dyn Fn(&ServerTls) -> bool| {
        entry.tls.load().as_ref().is_some_and(|tls| is_it(tls))
    };
    let exactly = |tls: &ServerTls| {
        tls.names()
            .iter()
            .any(|other| other.eq_ignore_ascii_case(name))
    };
    let exact = entries.iter().find(|entry| has(entry, &exactly));
    exact.or_else(|| {
        let covers = |tls: &ServerTls| tls.covers(name);
        entries.iter().find(|entry| has(entry, &covers))
    })
}
