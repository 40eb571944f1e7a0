//! `tessera sessions`: the sessions of a web server, and how one is ended.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::client::server_path;
use super::failure::Failure;
use super::output::{self, printable};
use super::target::{Target, objects, text, texts};

/// Lists the sessions of a web server, without secrets, or ends one.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The web server: a component's name, or the host's.
    name: String,
    /// Lists the sessions of this user only.
    #[arg(long, value_name = "NAME", conflicts_with = "drop")]
    user: Option<String>,
    /// Ends the session of this identifier: its client is a guest from the next request on. Of a legacy session the
    /// instance goes, too, after On Web Close Process.
    #[arg(long, value_name = "ID")]
    drop: Option<String>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let target = &arguments.target;
    let mut path = format!("{}/sessions", server_path(&arguments.name));
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    if let Some(id) = &arguments.drop {
        path.push_str(&format!("/{}", encoded(id)));
        let done = target.client()?.delete(&path)?;
        return target.print(&done, |_| {
            format!("{}: the session has ended\n", printable(&arguments.name))
        });
    }
    if let Some(user) = &arguments.user {
        path.push_str(&format!("?user={}", encoded(user)));
    }
    target.print(&target.client()?.get(&path)?, table)
}

fn table(listed: &Value) -> String {
    let sessions = &listed["sessions"];
    let titles = [
        "ID",
        "USER",
        "PRIVILEGES",
        "CREATED",
        "ENDS",
        "KEYS",
        "BYTES",
    ];
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(objects(sessions).map(|session| {
        let number = |key: &str| session.get(key).map_or_else(String::new, Value::to_string);
        let or_none = |text: String| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text
            }
        };
        [
            printable(text(session, "id")),
            or_none(printable(text(session, "userName"))),
            or_none(texts(session, "privileges").join(",")),
            printable(text(session, "created")),
            printable(text(session, "expirationDate")),
            number("keys"),
            number("size"),
        ]
    }));
    if rows.len() == 1 {
        return "no sessions\n".to_owned();
    }
    let mut table = output::columns(&rows);
    if listed["more"] == true {
        table.push_str("there are more\n");
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::layout::laid_out;
    use super::*;

    #[test]
    fn a_table_shows_who_is_there() {
        let listed = json!({"more": true, "sessions": [
            {"id": "0a1b", "userName": "ann\u{1b}", "isGuest": false, "privileges": ["editor", "reader"],
             "created": "then", "expirationDate": "soon", "idleTimeout": 60, "keys": 2, "size": 90},
            {"id": "2c3d", "userName": "", "isGuest": true, "privileges": [], "created": "then",
             "expirationDate": "soon", "idleTimeout": 60, "keys": 0, "size": 45},
        ]});
        let expected = "\
ID    USER       PRIVILEGES     CREATED  ENDS  KEYS  BYTES
0a1b  ann\\u{1b}  editor,reader  then     soon  2     90
2c3d  -          -              then     soon  0     45
there are more
";
        assert_eq!(laid_out(&table(&listed), None), expected);
        assert_eq!(
            table(&json!({"sessions": [], "more": false})),
            "no sessions\n"
        );
    }
}
