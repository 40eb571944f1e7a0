//! `tessera list`, `show` and `reload`: the web servers of a running host.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::client::server_path;
use super::failure::Failure;
use super::generations;
use super::output::{self, first_line, printable};
use super::target::{Target, objects, text, texts};

/// Lists the web servers of a running host, running or not; `--json` with every property.
#[derive(clap::Args)]
pub(super) struct ListArguments {
    /// The folder of the site, as with --site.
    #[arg(value_name = "SITE", conflicts_with = "site")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

/// Shows every property of one web server.
#[derive(clap::Args)]
pub(super) struct ShowArguments {
    /// The web server: a component's name, or the host's.
    name: String,
    #[command(flatten)]
    target: Target,
}

/// Has the host read its components again: all of them, or one.
#[derive(clap::Args)]
pub(super) struct ReloadArguments {
    /// The web server; without a name, all of them and the host's settings.
    name: Option<String>,
    /// Lets the new version take over even if it imports more than the one before.
    #[arg(long, requires = "name")]
    accept: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let target = &arguments.target;
    let client = match &arguments.folder {
        Some(folder) => target.client_of(folder)?,
        None => target.client()?,
    };
    target.print(&client.get("/api/v1/servers")?, table)
}

pub(super) fn show(arguments: &ShowArguments) -> Result<(), Failure> {
    let target = &arguments.target;
    let (client, path) = (target.client()?, server_path(&arguments.name));
    let mut server = client.get(&path)?;
    if server["kind"] == "component" {
        server["generations"] = client.get(&format!("{path}/generations"))?;
        server["errors"] = client.get(&format!("{path}/errors"))?;
    }
    target.print(&server, |server| {
        let properties = server.as_object().into_iter().flatten();
        let rows: Vec<_> = properties
            .filter(|(key, _)| !generations::is_shown_below(key))
            .map(|(key, value)| [printable(key), shown(value)])
            .collect();
        output::columns(&rows) + &generations::tables(server)
    })
}

pub(super) fn reload(arguments: &ReloadArguments) -> Result<(), Failure> {
    let target = &arguments.target;
    let path = match &arguments.name {
        Some(name) if arguments.accept => format!("{}/reload?accept=true", server_path(name)),
        Some(name) => format!("{}/reload", server_path(name)),
        None => "/api/v1/reload".to_owned(),
    };
    let reloaded = target.client()?.post(&path, None)?;
    target.print(&reloaded, |reloaded| {
        let rows: Vec<_> = objects(reloaded)
            .map(|server| [printable(text(server, "name")), outcome(server)])
            .collect();
        output::columns(&rows)
    })?;
    let is_failed = |server: &&Map<String, Value>| text(server, "outcome") == "failed";
    match objects(&reloaded).filter(is_failed).count() {
        0 => Ok(()),
        failed => Err(Failure::other(format!(
            "{failed} of {} could not be loaded; what ran before still runs",
            output::count(objects(&reloaded).count(), "server")
        ))),
    }
}

fn table(servers: &Value) -> String {
    let titles = ["NAME", "STATE", "GENERATION", "METHODS", "URL"];
    let mut rows = vec![titles.map(str::to_owned)];
    for server in objects(servers) {
        let is_running = server.get("isRunning") == Some(&true.into());
        let methods = server.get("methods").and_then(Value::as_array);
        let urls = texts(server, "urls").join(" ");
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
    for server in objects(servers) {
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

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::layout::laid_out;
    use super::*;

    #[test]
    fn a_table_shows_what_runs_and_why_not() {
        let servers = json!([
            {"name": "mysite", "kind": "host", "isRunning": true, "error": null, "urls": ["http://127.0.0.1:8080/"]},
            {"name": "bad", "kind": "component", "isRunning": false, "error": "not a component\nat all", "urls": []},
            {"name": "hello", "kind": "component", "isRunning": true, "generation": 2, "methods": [{}],
             "urls": ["http://127.0.0.1:8080/hello/", "https://127.0.0.1:8443/hello/"]},
        ]);
        let expected = "\
NAME    STATE    GENERATION  METHODS  URL
mysite  running  -           -        http://127.0.0.1:8080/
bad     stopped  -           -        -
hello   running  2           1        http://127.0.0.1:8080/hello/ https://127.0.0.1:8443/hello/
bad: not a component
";
        assert_eq!(laid_out(&table(&servers), None), expected);
    }

    #[test]
    fn an_outcome_says_why() {
        let failed = json!({"name": "a", "outcome": "failed", "error": "broken\nbadly"});
        assert_eq!(outcome(failed.as_object().unwrap()), "failed: broken");
        let swapped = json!({"name": "a", "outcome": "swapped", "error": null});
        assert_eq!(outcome(swapped.as_object().unwrap()), "swapped");
    }
}
