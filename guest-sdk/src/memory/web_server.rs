//! `web-server`, in memory.

use super::current;
use crate::types::Value;
use crate::web_server::{Property, Selector, ServerError, StartError, Statistics};

/// Properties that `start` does not take.
const READ_ONLY: [&str; 5] = [
    "isRunning",
    "name",
    "openSSLVersion",
    "perfectForwardSecrecy",
    "sessionCookieName",
];
/// The limits and the codes of the host.
const SETTINGS_MAX: usize = 128;
const NAME_BYTES_MAX: usize = 256;
const VALUES_BYTES_MAX: usize = 64 * 1024;
const ALREADY_RUNNING: u32 = 1001;
const IS_READ_ONLY: u32 = 1101;
const BAD_VALUE: u32 = 1103;

/// A web server object; the first of an exchange is the host's, the last the component's own.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) properties: Vec<Property>,
    /// What `stop` goes back to.
    stored: Vec<Property>,
}

impl Server {
    pub(crate) fn new(name: &str, properties: Vec<Property>) -> Self {
        Self {
            name: name.to_owned(),
            stored: properties.clone(),
            properties,
        }
    }

    fn is_running(&self) -> bool {
        let running = Property::new("isRunning", true);
        self.properties.contains(&running)
    }

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
    check_size(settings)?;
    check_permission(name)?;
    server_named(name, |server| {
        if server.is_running() {
            let message = format!("{name} runs already");
            return Err(failed(ALREADY_RUNNING, "server", message));
        }
        let read_only = settings.iter().map(|setting| &*setting.name);
        if let Some(name) = read_only.into_iter().find(|name| READ_ONLY.contains(name)) {
            let message = format!("{name} is read-only");
            return Err(failed(IS_READ_ONLY, "settings", message));
        }
        for setting in settings {
            server.set(&setting.name, &setting.value);
        }
        server.set("isRunning", &Value::Boolean(true));
        Ok(())
    })?
}

pub(crate) fn stop(name: &str) -> Result<(), ServerError> {
    check_permission(name)?;
    server_named(name, |server| {
        server.properties = server.stored.clone();
        server.set("isRunning", &Value::Boolean(false));
    })
}

fn failed(err_code: u32, component_signature: &str, message: String) -> ServerError {
    ServerError::Start(vec![StartError {
        err_code,
        message,
        component_signature: component_signature.to_owned(),
    }])
}

fn check_size(settings: &[Property]) -> Result<(), ServerError> {
    let bytes = |setting: &Property| match &setting.value {
        Value::Text(text) | Value::Json(text) => text.len(),
        _ => 0,
    };
    let is_too_much = settings.len() > SETTINGS_MAX
        || settings.iter().any(|one| one.name.len() > NAME_BYTES_MAX)
        || settings.iter().map(bytes).sum::<usize>() > VALUES_BYTES_MAX;
    if is_too_much {
        let message = "the settings are too many or too large".to_owned();
        return Err(failed(BAD_VALUE, "settings", message));
    }
    Ok(())
}

/// `[permissions] control`, as the host reads it.
fn check_permission(name: &str) -> Result<(), ServerError> {
    let own = server(Selector::Database);
    let host = server(Selector::HostDatabase);
    server_named(name, |_| ())?;
    let is_granted = current(|exchange| {
        exchange.control.iter().any(|entry| match entry.as_str() {
            "self" => name == own,
            "host" => name == host,
            "*" => name != own,
            entry => entry == name,
        })
    });
    if is_granted {
        Ok(())
    } else {
        Err(ServerError::Denied)
    }
}

pub(crate) fn get_statistics(name: &str) -> Result<Statistics, ServerError> {
    server_named(name, |_| Statistics::default())
}
