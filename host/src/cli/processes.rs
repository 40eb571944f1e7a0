//! `tessera processes`: the web processes of the web servers of a running host.

use serde_json::{Map, Value, json};

use super::client::server_path;
use super::failure::Failure;
use super::output::{self, printable};
use super::target::{Target, objects, text};

/// Shows the web processes of all web servers, or of one, and the instances that are kept for them.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The web server; without a name, all of them.
    name: Option<String>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let target = &arguments.target;
    let client = target.client()?;
    let all: Value = match &arguments.name {
        Some(name) => vec![client.get(&format!("{}/processes", server_path(name)))?].into(),
        None => {
            let servers = client.get("/api/v1/servers")?;
            objects(&servers).map(processes).collect()
        }
    };
    target.print(&all, table)
}

/// What the list of servers has, in the form that one server's processes have.
fn processes(server: &Map<String, Value>) -> Value {
    let of = |key: &str| server.get(key).cloned().unwrap_or_default();
    let counts = of("processes");
    let is_running = server.get("isRunning") == Some(&Value::Bool(true));
    json!({
        "name": of("name"),
        "current": counts["current"].as_u64().unwrap_or_default(),
        "highest": counts["highest"].as_u64().unwrap_or_default(),
        "max": is_running.then(|| of("maxConcurrentProcesses")),
        "refused": counts["refused"].as_u64().unwrap_or_default(),
        "instances": of("instances"),
    })
}

fn table(all: &Value) -> String {
    let titles = [
        "NAME", "NOW", "HIGHEST", "MAX", "REFUSED", "IDLE", "WAITING", "UNSERVED", "TRAPPED",
    ];
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(objects(all).map(|server| {
        let number = |value: Option<&Value>| match value {
            None | Some(Value::Null) => "-".to_owned(),
            Some(number) => number.to_string(),
        };
        let pool = |key: &str| number(server.get("instances").and_then(|it| it.get(key)));
        let own = |key: &str| number(server.get(key));
        [
            printable(text(server, "name")),
            own("current"),
            own("highest"),
            own("max"),
            own("refused"),
            pool("idle"),
            pool("waiting"),
            pool("refused"),
            pool("trapped"),
        ]
    }));
    output::columns(&rows)
}

#[cfg(test)]
mod tests {
    use super::super::layout::laid_out;
    use super::*;

    #[test]
    fn a_server_is_a_row_whether_it_runs_or_not() {
        let servers = json!([
            {"name": "site", "isRunning": true, "maxConcurrentProcesses": 100,
             "processes": {"current": 1, "highest": 3, "refused": 0}},
            {"name": "shop", "isRunning": true, "maxConcurrentProcesses": 10,
             "processes": {"current": 1, "highest": 9, "refused": 4},
             "instances": {"idle": 2, "waiting": 0, "refused": 7, "trapped": 1}},
            {"name": "old", "isRunning": false},
        ]);
        let all = objects(&servers).map(processes).collect();
        let expected = "\
NAME  NOW  HIGHEST  MAX  REFUSED  IDLE  WAITING  UNSERVED  TRAPPED
site  1    3        100  0        -     -        -         -
shop  1    9        10   4        2     0        7         1
old   0    0        -    0        -     -        -         -
";
        assert_eq!(laid_out(&table(&all), None), expected);
    }
}
