//! What admin and the command line ask of web servers, of settings and of certificates: each question in one place.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::server::{Changed, Kind, Reloader, Started, UnknownServer};
use crate::settings::{self, Fault, Origin, Override, Place, Scope};

/// A setting that is wrong, as admin tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    /// The key, with its table; none where a file as a whole is wrong.
    pub(super) key: Option<String>,
    /// What was written; a secret is hidden.
    pub(super) value: Option<String>,
    /// What is allowed.
    pub(super) reason: String,
    /// File and line, if it was not in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
}

impl From<&Fault> for Refused {
    fn from(fault: &Fault) -> Self {
        let place = match fault.place() {
            place @ Place::File { .. } => Some(place.to_string()),
            _ => None,
        };
        Self {
            key: fault.key().map(str::to_owned),
            value: fault.value().map(str::to_owned),
            reason: fault.reason().to_owned(),
            place,
        }
    }
}

/// Starts a web server with settings that last until it stops.
pub(super) async fn start(
    reloader: &Arc<Reloader>,
    server: &str,
    settings: &Map<String, Value>,
) -> Result<Started, UnknownServer> {
    let settings = Override::from_json(Origin::Start, settings);
    reloader.start(server, settings).await
}

/// Stops a web server, and says whether it was running; comes back when its requests have ended.
pub(super) async fn stop(reloader: &Arc<Reloader>, server: &str) -> Result<bool, UnknownServer> {
    reloader.stop(server, true).await
}

/// Sets session options of a web server, and takes back others: all, or none.
pub(super) async fn set(
    reloader: &Arc<Reloader>,
    server: &str,
    settings: &Map<String, Value>,
    reset: &[String],
) -> Result<Result<Changed, Vec<Refused>>, UnknownServer> {
    let settings = Override::from_json(Origin::Session, settings);
    let result = reloader.set(server, settings, reset).await?;
    Ok(result.map_err(|error| error.faults().iter().map(Refused::from).collect()))
}

/// The settings of a kind of web server, as a JSON schema: an object with the properties of the class, and an object for
/// each table.
pub(super) fn settings_schema(kind: Kind) -> Value {
    settings::schema(match kind {
        Kind::Host => Scope::Host,
        Kind::Component => Scope::Component,
    })
}
