//! Every web server object by name, the host's first.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::{Kind, WebServer};

/// The web server objects of a site (WEB Server list).
pub struct Registry {
    host: Arc<WebServer>,
    components: RwLock<BTreeMap<String, Arc<WebServer>>>,
}

impl Registry {
    /// A registry with the host's server only.
    pub fn new(host: Arc<WebServer>) -> Self {
        Self {
            host,
            components: RwLock::default(),
        }
    }

    /// The host's server.
    pub fn host(&self) -> Arc<WebServer> {
        self.host.clone()
    }

    /// All servers, running or not: the host's, then the components' by name.
    pub fn all(&self) -> Vec<Arc<WebServer>> {
        let components = self.components.read();
        std::iter::once(&self.host)
            .chain(components.values())
            .cloned()
            .collect()
    }

    /// All components' servers by name.
    pub fn components(&self) -> Vec<Arc<WebServer>> {
        self.components.read().values().cloned().collect()
    }

    /// The server of a name. A component's name goes before the host's, should they be the same.
    pub fn find(&self, name: &str) -> Option<Arc<WebServer>> {
        if let Some(server) = self.components.read().get(name) {
            return Some(server.clone());
        }
        (self.host.name() == name).then(|| self.host())
    }

    /// The component's server of a name, made if there is none.
    pub(crate) fn component(&self, name: &str) -> Arc<WebServer> {
        let mut components = self.components.write();
        let server = components
            .entry(name.to_owned())
            .or_insert_with(|| WebServer::new(name, Kind::Component))
            .clone();
        self.host.processes().share_among(components.len());
        server
    }
}
