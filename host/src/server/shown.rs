//! The settings of a web server with their values, for whoever wants to change some.

use std::sync::Arc;

use serde_json::Value;

use super::{Kind, Reloader, WebServer};

impl Reloader {
    /// Every setting of a web server with its value, as JSON: the values in use, or of one that does not run those of its
    /// next start. Waits for a change of the web server that is under way.
    ///
    /// # Errors
    ///
    /// With what is wrong with the settings of a web server that does not run.
    pub(crate) async fn listed_settings(&self, server: &Arc<WebServer>) -> Result<Value, String> {
        if server.kind() == Kind::Host {
            let turn = self.host_turn.lock().await;
            let source = |key: &str| turn.layers.source_of(key);
            if server.is_running() {
                return Ok(turn.settings.listed(&source));
            }
            let settings = self.read_host(&turn.layers.at_next_start(&self.overrides));
            return match settings {
                Ok(settings) => Ok(settings.listed(&source)),
                Err(error) => Err(error.to_string()),
            };
        }
        let turn = self.turn(server.name());
        let turn = turn.lock().await;
        let source = |key: &str| turn.layers.source_of(key);
        match turn.settings.as_ref().filter(|_| server.is_running()) {
            Some(settings) => Ok(settings.listed(&source)),
            None => {
                let overrides = turn.layers.at_next_start(&[]);
                let settings = Self::component_settings(server, &turn, &overrides);
                let settings = settings.map_err(|error| error.to_string())?;
                Ok(settings.listed(&source))
            }
        }
    }
}
