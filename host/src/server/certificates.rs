//! Looks after certificates: a pair that was replaced on disk is used by the connections that come after.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::{Registry, WebServer};
use crate::tls::{Refreshed, ServerTls};

/// Time between two looks. They cost two calls of the system for each certificate.
const LOOK: Duration = Duration::from_secs(2);

/// Looks until dropped.
pub(crate) struct Certificates(JoinHandle<()>);

impl Certificates {
    /// Begins to look after the certificates of all servers.
    pub(crate) fn watch(registry: Arc<Registry>) -> Self {
        Self(tokio::spawn(async move {
            let mut looks = tokio::time::interval(LOOK);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                for server in registry.all() {
                    let tls = server.status().lock().tls.clone();
                    if let Some(tls) = tls {
                        look(&server, tls).await;
                    }
                }
            }
        }))
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look(server: &WebServer, tls: Arc<ServerTls>) {
    let looked_at = tls.clone();
    let Ok(refreshed) = tokio::task::spawn_blocking(move || looked_at.refresh()).await else {
        tracing::error!(server = server.name(), "the look at its certificate failed");
        return;
    };
    match refreshed {
        Refreshed::Unchanged => {}
        Refreshed::Restored => {
            tracing::info!(
                server = server.name(),
                "the certificate in use is in place again"
            );
            tell(server, &tls, None);
        }
        Refreshed::Replaced => {
            tracing::info!(
                server = server.name(),
                "new connections use the certificate that was put in place"
            );
            tell(server, &tls, None);
        }
        Refreshed::Failed(reason) => {
            tracing::error!(
                server = server.name(),
                "the certificate in use stays: {reason}"
            );
            tell(server, &tls, Some(reason));
        }
    }
}

/// Shows what is wrong with a certificate, unless the server has stopped or has another one by now.
fn tell(server: &WebServer, tls: &Arc<ServerTls>, error: Option<String>) {
    let mut status = server.status().lock();
    if status.tls.as_ref().is_some_and(|own| Arc::ptr_eq(own, tls)) {
        status.certificate_error = error;
    }
}
