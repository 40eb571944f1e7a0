//! The command line: `serve --set`, `set` and `start`, where a value is a text after an equals sign.

use serde_json::{Map, Value};
use tessera_tests::Server;

use super::super::table::{Case, Of, Outcome, READ_ONLY, Row};
use super::{HOST, Pack, TARGETS, Target, assert_none, is_of_server, own, stage, stopped, toml};

/// Whether a case is the same when its value is a text after an equals sign: there `5` may be a text.
fn is_sayable(row: &Row, case: &Case) -> bool {
    !row.is_text() || case.value.is_string() || case.value.is_array()
}

/// `KEY=VALUE` as people write it: texts without quotes where they can be.
fn said(key: &str, value: &Value) -> String {
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || b"/_".contains(&b))
    };
    match value {
        Value::String(text) if plain(text) && text != "true" && text != "false" => {
            format!("{key}={text}")
        }
        other => format!("{key}={}", toml(other)),
    }
}

fn all_said(target: Target, server: &Server, settings: &Map<String, Value>) -> Vec<String> {
    let settings = target.own_all(server, settings);
    settings
        .iter()
        .map(|(key, value)| said(key, value))
        .collect()
}

fn sayable(pack: &mut Pack) {
    let (kept, left): (Vec<_>, Vec<_>) = pack
        .cases
        .drain(..)
        .partition(|(row, case)| is_sayable(row, case));
    pack.cases = kept;
    for (row, _) in left {
        pack.settings.remove(&row.key);
    }
}

/// The lines of an error, without what stands before the key.
fn told(stderr: &str) -> Vec<String> {
    stderr.lines().map(str::to_owned).collect()
}

async fn run(
    server: &Server,
    command: &str,
    target: Target,
    settings: &[String],
    json: bool,
) -> tessera_tests::Exit {
    let mut arguments = vec![command, target.name];
    arguments.extend(settings.iter().map(String::as_str));
    arguments.extend(json.then_some("--json"));
    server.cli(&arguments).await
}

#[tokio::test]
async fn options_set_by_the_command_line_are_shown() {
    let server = stopped(stage()).await;
    for target in TARGETS {
        for mut pack in target.taken(false, is_of_server) {
            sayable(&mut pack);
            if pack.cases.is_empty() {
                continue;
            }
            let settings = all_said(target, &server, &pack.settings);
            let exit = run(&server, "set", target, &settings, true).await;
            assert_eq!(exit.code, Some(0), "{settings:#?}: {exit:#?}");
            let shown: Value = serde_json::from_str(&exit.stdout).unwrap();
            assert_none(&target.differences(&server, &pack, &shown));
            let nulls = pack
                .settings
                .keys()
                .map(|key| (key.clone(), Value::Null))
                .collect();
            server.admin.set(target.name, &Value::Object(nulls)).await;
        }
    }
}

#[tokio::test]
async fn wrong_values_on_the_command_line_are_told_one_per_line() {
    let server = stopped(stage()).await;
    for (target, command) in TARGETS.into_iter().zip(["set", "start"]) {
        let before = server.properties(target.name).await;
        for mut pack in target.refused(is_of_server) {
            sayable(&mut pack);
            if pack.cases.is_empty() {
                continue;
            }
            let settings = all_said(target, &server, &pack.settings);
            let exit = run(&server, command, target, &settings, false).await;
            assert_eq!(
                (exit.code, &*exit.stdout),
                (Some(2), ""),
                "{settings:#?}: {exit:#?}"
            );
            assert_none(&pack.untold(&told(&exit.stderr)));
            for line in exit.stderr.lines() {
                let begins = if command == "start" {
                    "error: 1103: "
                } else {
                    "error: "
                };
                assert!(line.starts_with(begins), "{line}");
            }
        }
        assert_eq!(server.properties(target.name).await, before);
        for command in ["set", "start"] {
            let exit = run(
                &server,
                command,
                target,
                &READ_ONLY.map(|key| format!("{key}=x")),
                false,
            )
            .await;
            assert_eq!(exit.code, Some(2), "{exit:#?}");
            assert_eq!(
                exit.stderr.matches("is read-only").count(),
                READ_ONLY.len(),
                "{exit:#?}"
            );
        }
    }
}

/// Every value of the host of an outcome, in the order of the table.
fn values_of_host(is_wanted: impl Fn(&Outcome) -> bool) -> Vec<(&'static Row, &'static Case)> {
    let rows = HOST.rows();
    let cases = rows.flat_map(|row| row.cases.iter().map(move |case| (row, case)));
    cases
        .filter(|(row, case)| is_sayable(row, case) && is_wanted(&case.outcome))
        .collect()
}

#[tokio::test]
async fn serve_tells_every_wrong_value_that_is_set() {
    let site = stage();
    let folder = site.path().to_string_lossy().into_owned();
    // Wrong are these by themselves, and not only beside others.
    let cases = values_of_host(|outcome| matches!(outcome, Outcome::Refused(_)));
    let cases: Vec<_> = cases
        .into_iter()
        .filter(|(_, case)| case.beside.is_empty())
        .collect();
    let mut arguments = vec!["serve".to_owned(), folder.clone()];
    for (row, case) in &cases {
        arguments.extend([
            "--set".to_owned(),
            said(&row.key, &own(&case.value, &folder)),
        ]);
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let exit = site.run(site.path(), &arguments).await;
    assert_eq!((exit.code, &*exit.stdout), (Some(2), ""), "{exit:#?}");
    let mut lines: Vec<_> = exit.stderr.lines().collect();
    for (row, case) in &cases {
        let Outcome::Refused(words) = &case.outcome else {
            unreachable!()
        };
        let begins = format!("error: --set {}=", row.key);
        let told = |line: &&str| line.starts_with(&begins) && line.contains(words.as_str());
        let at = lines.iter().position(told);
        lines.remove(at.unwrap_or_else(|| panic!("{begins}{}: {lines:#?}", case.value)));
    }
    assert_eq!(lines, [""; 0]);
}

#[tokio::test]
async fn every_value_that_is_set_is_taken_and_the_last_one_counts() {
    let site = stage();
    let folder = site.path().to_string_lossy().into_owned();
    let cases = values_of_host(|outcome| !matches!(outcome, Outcome::Refused(_)));
    // All of them are read; what counts in the end is what the stage can start with.
    let last = HOST.taken(true, |_| true).remove(0);
    let mut site = site;
    let mut set = |key: &str, value: &Value| {
        let take = std::mem::take(&mut site);
        site = take
            .argument("--set")
            .argument(&said(key, &own(value, &folder)));
    };
    for (row, case) in cases {
        set(&row.key, &case.value);
    }
    for (key, value) in &last.settings {
        set(key, value);
    }
    for (key, value) in [("admin.enabled", true), ("web.launch_at_startup", false)] {
        set(key, &value.into());
    }
    let server = site.start().await;
    let shown = server.properties(HOST.name).await;
    assert_eq!(shown["isRunning"], false);
    assert_none(&HOST.differences(&server, &last, &shown));
    assert!(last.cases.iter().any(|(row, _)| row.of == Of::Host));
}
