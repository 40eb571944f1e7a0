//! A web server object as admin, the command line and components show it.

use serde_json::{Map, Value, json};

use super::{Kind, Serving, WebServer};

impl WebServer {
    /// Every property of the WebServer class that there is, and after them what only Tessera knows: `kind`, `error`,
    /// `urls`, `mount`, `generation`, `hooks`, `methods`, `processes`, `instances`.
    pub fn properties(&self) -> Map<String, Value> {
        let serving = self.serving();
        let status = self.status().lock();
        let mut all = match &serving {
            Some(serving) => serving.properties.clone(),
            None => status.stored.clone(),
        };
        if let Some(listeners) = &status.listeners {
            // A port that the system picked is not the one of the settings.
            if let Some(port) = listeners.port() {
                all.insert("HTTPPort".into(), port.into());
            }
        }
        all.insert("name".into(), self.name().into());
        all.insert("isRunning".into(), serving.is_some().into());
        let kind = match self.kind() {
            Kind::Host => "host",
            Kind::Component => "component",
        };
        all.insert("kind".into(), kind.into());
        all.insert("error".into(), status.error.clone().into());
        let urls = status
            .listeners
            .as_ref()
            .map(|listeners| listeners.urls())
            .unwrap_or_default();
        all.insert("urls".into(), urls.into());
        drop(status);
        if let Some(serving) = &serving {
            self.add_serving(serving, &mut all);
        }
        all
    }

    fn add_serving(&self, serving: &Serving, all: &mut Map<String, Value>) {
        let processes = self.processes();
        all.insert(
            "processes".into(),
            json!({"current": processes.current(), "highest": processes.highest()}),
        );
        if self.kind() == Kind::Host {
            return;
        }
        let mount = serving
            .mount
            .as_ref()
            .map(|mount| json!({"path": mount.path, "host": mount.host, "strip": mount.strip}));
        all.insert("mount".into(), mount.unwrap_or_default());
        all.insert("generation".into(), serving.number.into());
        if let Some(generation) = &serving.generation {
            let hooks = generation.info().hooks;
            all.insert(
                "hooks".into(),
                json!({
                    "On Web Authentication": hooks.authentication,
                    "On Web Connection": hooks.connection,
                    "On Web Close Process": hooks.session_end,
                    "COMPILER_WEB": hooks.compiler,
                }),
            );
            let methods = generation
                .methods()
                .iter()
                .map(|m| json!({"name": m.name, "available": m.available}));
            all.insert("methods".into(), methods.collect());
            let counts = generation.statistics();
            all.insert(
                "instances".into(),
                json!({"idle": counts.idle, "created": counts.created, "trapped": counts.trapped}),
            );
        }
    }
}
