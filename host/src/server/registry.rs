//! Every web server object by name, the host's first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::{Kind, WebServer};

/// Components whose files were removed that are still known; of those before them nothing is.
const GONE_MAX: usize = 20;

/// The web server objects of a site (WEB Server list).
pub struct Registry {
    host: Arc<WebServer>,
    components: RwLock<BTreeMap<String, Arc<WebServer>>>,
    /// Those whose files were removed, the last one last.
    gone: Mutex<VecDeque<String>>,
}

impl Registry {
    /// A registry with the host's server only.
    pub fn new(host: Arc<WebServer>) -> Self {
        Self {
            host,
            components: RwLock::default(),
            gone: Mutex::default(),
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

    /// Notes that the files of a component were removed. Of those that are gone only the last few stay known; gives the name
    /// of one that is forgotten now.
    pub(crate) fn note_gone(&self, name: &str) -> Option<String> {
        let mut gone = self.gone.lock();
        gone.retain(|other| other != name);
        gone.push_back(name.to_owned());
        if gone.len() <= GONE_MAX {
            return None;
        }
        let oldest = gone.pop_front()?;
        let mut components = self.components.write();
        // One that was put back is there.
        components.get(&oldest).filter(|server| server.is_gone())?;
        components.remove(&oldest);
        self.host.processes().share_among(components.len());
        Some(oldest)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_those_that_are_gone_the_last_ones_are_known() {
        let registry = Registry::new(WebServer::new("site", Kind::Host));
        let removed = |name: &str| {
            let server = registry.component(name);
            server.stop_serving(Some("removed".to_owned()));
            registry.note_gone(name)
        };
        for number in 0..GONE_MAX {
            assert_eq!(removed(&number.to_string()), None);
        }
        // Removed once more, it is the last one; and one that is about to start is no longer gone.
        assert_eq!(removed("0"), None);
        registry.component("1").status().lock().error = None;
        assert_eq!(removed("more"), None);
        assert_eq!(removed("more and more"), Some("2".to_owned()));
        assert!(registry.find("2").is_none() && registry.find("1").is_some());
    }
}
