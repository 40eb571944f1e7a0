//! `web-server`, in memory.

use super::current;
use crate::types::Value;
use crate::web_server::{Property, Selector, ServerError, Statistics};

/// A web server object; the first of an exchange is the host's, the last the component's own.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) properties: Vec<Property>,
}

impl Server {
    fn set(&mut self, name: &str, value: &Value) {
        self.properties.retain(|property| property.name != name);
        self.properties.push(Property::new(name, value.clone()));
    }
}

fn server_named<R>(name: &str, act: impl FnOnce(&mut Server) -> R) -> Result<R, ServerError> {
    current(|exchange| {
        let mut servers = exchange.servers.iter_mut();
        let found = servers.find(|server| server.name == name);
        found.map(act).ok_or(ServerError::NotFound)
    })
}

pub(crate) fn server(selector: Selector) -> String {
    current(|exchange| {
        let server = match selector {
            Selector::HostDatabase => exchange.servers.first(),
            Selector::Database | Selector::ReceivingRequest => exchange.servers.last(),
        };
        server.map(|server| server.name.clone()).unwrap_or_default()
    })
}

pub(crate) fn servers() -> Vec<String> {
    current(|exchange| {
        exchange
            .servers
            .iter()
            .map(|server| server.name.clone())
            .collect()
    })
}

pub(crate) fn get_properties(name: &str) -> Result<Vec<Property>, ServerError> {
    server_named(name, |server| server.properties.clone())
}

pub(crate) fn start(name: &str, settings: &[Property]) -> Result<(), ServerError> {
    server_named(name, |server| {
        for setting in settings {
            server.set(&setting.name, &setting.value);
        }
        server.set("isRunning", &Value::Boolean(true));
    })
}

pub(crate) fn stop(name: &str) -> Result<(), ServerError> {
    server_named(name, |server| {
        server.set("isRunning", &Value::Boolean(false))
    })
}

pub(crate) fn get_statistics(name: &str) -> Result<Statistics, ServerError> {
    server_named(name, |_| Statistics::default())
}
