//! `tessera list`, `show` and `reload`: the web servers of a running host.

use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::client::{Client, Connection};
use super::failure::Failure;
use super::output::{self, first_line, printable};
use super::{site, urls};

/// What of a name need not be escaped in a path.
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Lists the web servers of a running host, running or not.
#[derive(clap::Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    site: site::Site,
    #[command(flatten)]
    connection: Connection,
    /// Prints every property of every server, as JSON.
    #[arg(long)]
    json: bool,
}

/// Shows every property of one web server.
#[derive(clap::Args)]
pub(super) struct ShowArguments {
    /// The web server: a component's name, or the host's.
    name: String,
    #[command(flatten)]
    site: site::Site,
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Has the host read its components again: all of them, or one.
#[derive(clap::Args)]
pub(super) struct ReloadArguments {
    /// The web server; without a name, all of them and the host's settings.
    name: Option<String>,
    /// The folder of the site.
    #[arg(long, default_value = ".")]
    site: PathBuf,
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let client = Client::find(&arguments.site.folder, &arguments.connection)?;
    let servers = client.get("/api/v1/servers")?;
    if arguments.json {
        return output::print_json(&servers);
    }
    output::print(&table(&objects(servers)))
}

pub(super) fn show(arguments: &ShowArguments) -> Result<(), Failure> {
    let client = Client::find(&arguments.site.folder, &arguments.connection)?;
    let server = client.get(&format!("/api/v1/servers/{}", escaped(&arguments.name)))?;
    if arguments.json {
        return output::print_json(&server);
    }
    let properties = server.as_object().into_iter().flatten();
    let rows: Vec<_> = properties
        .map(|(key, value)| [printable(key), shown(value)])
        .collect();
    output::print(&output::columns(&rows))
}

pub(super) fn reload(arguments: &ReloadArguments) -> Result<(), Failure> {
    let client = Client::find(&arguments.site, &arguments.connection)?;
    let path = match &arguments.name {
        Some(name) => format!("/api/v1/servers/{}/reload", escaped(name)),
        None => "/api/v1/reload".to_owned(),
    };
    let answer = client.post(&path)?;
    if arguments.json {
        output::print_json(&answer)?;
    }
    let reloaded = objects(answer);
    if !arguments.json {
        let rows: Vec<_> = reloaded
            .iter()
            .map(|server| [printable(text(server, "name")), outcome(server)])
            .collect();
        output::print(&output::columns(&rows))?;
    }
    let is_failed = |server: &&Map<String, Value>| text(server, "outcome") == "failed";
    match reloaded.iter().filter(is_failed).count() {
        0 => Ok(()),
        failed => Err(Failure::other(format!(
            "{failed} of {} could not be loaded; what ran before still runs",
            output::count(reloaded.len(), "server")
        ))),
    }
}

fn table(servers: &[Map<String, Value>]) -> String {
    let titles = ["NAME", "STATE", "GENERATION", "METHODS", "URL"];
    let mut rows = vec![titles.map(str::to_owned)];
    for (server, urls) in servers.iter().zip(urls::of_servers(servers)) {
        let is_running = server.get("isRunning") == Some(&true.into());
        let methods = server.get("methods").and_then(Value::as_array);
        let urls = urls.join(" ");
        rows.push([
            printable(text(server, "name")),
            if is_running { "running" } else { "stopped" }.to_owned(),
            server
                .get("generation")
                .map_or_else(|| "-".to_owned(), shown),
            methods.map_or_else(|| "-".to_owned(), |methods| methods.len().to_string()),
            if urls.is_empty() {
                "-".to_owned()
            } else {
                urls
            },
        ]);
    }
    let mut table = output::columns(&rows);
    for server in servers {
        let error = text(server, "error");
        if !error.is_empty() {
            let name = printable(text(server, "name"));
            table.push_str(&format!("{name}: {}\n", first_line(error)));
        }
    }
    table
}

fn outcome(reloaded: &Map<String, Value>) -> String {
    let outcome = printable(text(reloaded, "outcome"));
    match text(reloaded, "error") {
        "" => outcome,
        error => format!("{outcome}: {}", first_line(error)),
    }
}

fn objects(list: Value) -> Vec<Map<String, Value>> {
    let Value::Array(list) = list else {
        return Vec::new();
    };
    let object = |value| match value {
        Value::Object(object) => Some(object),
        _ => None,
    };
    list.into_iter().filter_map(object).collect()
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}

fn escaped(name: &str) -> String {
    utf8_percent_encode(name, NAME).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_shows_what_runs_and_why_not() {
        let servers = objects(json!([
            {"name": "mysite", "kind": "host", "isRunning": true, "error": null, "urls": ["http://127.0.0.1:8080/"]},
            {"name": "bad", "kind": "component", "isRunning": false, "error": "not a component\nat all", "urls": []},
            {"name": "hello", "kind": "component", "isRunning": true, "generation": 2, "methods": [{}],
             "urls": [], "mount": {"path": "/hello", "host": null}},
        ]));
        let expected = "\
NAME    STATE    GENERATION  METHODS  URL
mysite  running  -           -        http://127.0.0.1:8080/
bad     stopped  -           -        -
hello   running  2           1        http://127.0.0.1:8080/hello/
bad: not a component
";
        assert_eq!(table(&servers), expected);
    }

    #[test]
    fn an_outcome_says_why() {
        let failed = objects(json!([{"name": "a", "outcome": "failed", "error": "broken\nbadly"}]));
        assert_eq!(outcome(&failed[0]), "failed: broken");
        let swapped = objects(json!([{"name": "a", "outcome": "swapped", "error": null}]));
        assert_eq!(outcome(&swapped[0]), "swapped");
    }

    #[test]
    fn names_are_escaped_in_paths() {
        assert_eq!(escaped("my-shop.1"), "my-shop.1");
        assert_eq!(escaped("a/../b?c"), "a%2F..%2Fb%3Fc");
    }
}
