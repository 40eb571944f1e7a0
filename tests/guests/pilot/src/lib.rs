//! Steers web servers as its requests say, and tells what came of it as JSON.

use serde_json::{Map, Value as Tree, json};
use tessera_guest::prelude::{Json, *};
use tessera_guest::web_server::{Property, Selector, ServerError, WebServer};

/// Starts the server in the field `name`, with the JSON object in `settings`.
#[web_method]
fn start() -> Result<Json<Tree>, Error> {
    Ok(told(named()?.start(&settings()?)))
}

/// Stops the server in the field `name`.
#[web_method]
fn stop() -> Result<Json<Tree>, Error> {
    Ok(told(named()?.stop()))
}

/// Stops it and starts it again.
#[web_method]
fn restart() -> Result<Json<Tree>, Error> {
    let (server, settings) = (named()?, settings()?);
    Ok(told(server.stop().and_then(|()| server.start(&settings))))
}

/// The properties of the server in the field `name`.
#[web_method]
fn get() -> Result<Json<Tree>, Error> {
    Ok(match named()?.properties() {
        Ok(properties) => Json(
            properties
                .into_iter()
                .map(|property| (property.name, Tree::from(property.value)))
                .collect(),
        ),
        Err(error) => told(Err(error)),
    })
}

/// The names of all servers, and those that the selectors mean.
#[web_method]
fn servers() -> Json<Tree> {
    let names: Vec<_> = WebServer::list()
        .iter()
        .map(|server| server.name().to_owned())
        .collect();
    Json(json!({
        "servers": names,
        "own": WebServer::of(Selector::Database).name(),
        "host": WebServer::of(Selector::HostDatabase).name(),
        "receiving": WebServer::of(Selector::ReceivingRequest).name(),
    }))
}

/// Starts a server with more than it may take: `count` settings, their names and values of so many bytes.
#[web_method]
fn flood() -> Result<Json<Tree>, Error> {
    let number = |name: &str| -> Result<usize, Error> {
        Ok(request::variable(name).unwrap_or_default().parse()?)
    };
    let (count, name_bytes, value_bytes) = (
        number("count")?,
        number("name_bytes")?,
        number("value_bytes")?,
    );
    let settings: Vec<_> = (0..count)
        .map(|index| {
            let mut name = index.to_string();
            name.push_str(&"x".repeat(name_bytes.saturating_sub(name.len())));
            Property::new(name, "x".repeat(value_bytes))
        })
        .collect();
    Ok(told(named()?.start(&settings)))
}

/// Stops and starts a server until the deadline.
#[web_method(name = "loop")]
fn for_ever() -> Result<(), Error> {
    let server = named()?;
    loop {
        server.stop()?;
        server.start(&[])?;
    }
}

fn named() -> Result<WebServer, Error> {
    let name = request::variable("name").ok_or_else(|| Error::new("no name"))?;
    Ok(WebServer::named(name))
}

fn settings() -> Result<Vec<Property>, Error> {
    let settings = request::variable("settings").unwrap_or_else(|| "{}".to_owned());
    let settings: Map<String, Tree> = serde_json::from_str(&settings)?;
    Ok(settings
        .into_iter()
        .map(|(name, value)| Property::new(name, value))
        .collect())
}

fn told(result: Result<(), ServerError>) -> Json<Tree> {
    Json(match result {
        Ok(()) => json!({ "success": true }),
        Err(ServerError::NotFound) => json!({ "success": false, "error": "not-found" }),
        Err(ServerError::Denied) => json!({ "success": false, "error": "denied" }),
        Err(ServerError::Start(errors)) => {
            let errors = errors.iter().map(|error| {
                json!({
                    "errCode": error.err_code,
                    "message": error.message,
                    "componentSignature": error.component_signature,
                })
            });
            json!({ "success": false, "errors": errors.collect::<Tree>() })
        }
    })
}
