//! The settings files: read when a server starts, when it is reloaded, and by `tessera check`.

use serde_json::{Map, Value, json};
use tessera_tests::Server;

use super::super::table::{Of, READ_ONLY, rows};
use super::{Pack, TARGETS, Target, assert_none, stage, stopped};

/// Writes the settings and has them read.
async fn reload(server: &Server, target: Target, settings: &Map<String, Value>) -> Value {
    server
        .site
        .write(target.file, target.document(server, settings));
    let path = format!("/api/v1/servers/{}/reload", target.name);
    server.admin.post(&path).await.json()[0].clone()
}

/// The faults that a text has, one per line.
fn lines(text: &Value) -> Vec<String> {
    text.as_str()
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Of a value that is a table TOML makes a table of that name.
fn without_tables(pack: &mut Pack) {
    pack.cases
        .retain(|(row, case)| !case.value.is_object() || row.key.contains('.'));
    let cases = &pack.cases;
    pack.settings
        .retain(|key, value| !value.is_object() || cases.iter().any(|(row, _)| row.key == *key));
}

#[tokio::test]
async fn every_value_of_a_file_is_shown() {
    let server = stopped(stage()).await;
    for target in TARGETS {
        for pack in target.taken(false, |_| true) {
            let reloaded = reload(&server, target, &pack.settings).await;
            assert_eq!(reloaded["error"], Value::Null, "{reloaded:#}");
            let shown = server.properties(target.name).await;
            assert_none(&target.differences(&server, &pack, &shown));
        }
        reload(&server, target, &Map::new()).await;
    }
}

#[tokio::test]
async fn a_server_that_runs_takes_the_file_over_on_reload() {
    let server = stage().start().await;
    for target in TARGETS {
        for pack in target.taken(true, super::is_of_server) {
            let reloaded = reload(&server, target, &pack.settings).await;
            assert_eq!(reloaded["error"], Value::Null, "{reloaded:#}");
            let shown = server.properties(target.name).await;
            assert_eq!(
                (&shown["isRunning"], &shown["error"]),
                (&json!(true), &Value::Null),
                "{shown:#}"
            );
            assert_none(&target.differences(&server, &pack, &shown));
        }
        reload(&server, target, &Map::new()).await;
    }
}

#[tokio::test]
async fn wrong_values_of_a_file_are_told_with_their_lines() {
    let server = stopped(stage()).await;
    for target in TARGETS {
        let before = server.properties(target.name).await;
        for mut pack in target.refused(|_| true) {
            without_tables(&mut pack);
            if pack.cases.is_empty() {
                continue;
            }
            let reloaded = reload(&server, target, &pack.settings).await;
            let told = match target.of {
                Of::Host => lines(&reloaded["error"]),
                // A stopped component's are told by its start.
                _ => {
                    let result = server.admin.start(target.name, &json!({})).await;
                    let errors = result["errors"].as_array().unwrap().iter();
                    errors
                        .map(|error| {
                            assert_eq!(error["errCode"], 1105, "{error}");
                            error["message"].as_str().unwrap().to_owned()
                        })
                        .collect()
                }
            };
            assert_none(&pack.untold(&told));
            for line in &told {
                assert!(line.contains(&format!("{}:", target.file)), "{line}");
            }
            let mut after = server.properties(target.name).await;
            // The host's reload has failed.
            after["error"] = before["error"].clone();
            assert_eq!(after, before);
        }
    }
}

#[tokio::test]
async fn check_finds_every_wrong_setting_and_no_right_one() {
    // A running server has what the paths are to be compared with; `check` looks at the folder beside it.
    let server = stopped(stage()).await;
    let check = async || {
        let exit = server.cli(&["check", "--json", "."]).await;
        let report: Value = serde_json::from_str(&exit.stdout).unwrap();
        let shop = report["components"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == "shop");
        let told = [&report["settings"], shop.unwrap()]
            .map(|one| (lines(&one["error"]), one["notes"].clone()));
        (exit.code, told)
    };
    for target in TARGETS {
        let taken = target.taken(false, |_| true).remove(0);
        let document = target.document(&server, &taken.settings);
        server.site.write(target.file, document);
        let (code, told) = check().await;
        assert_eq!(code, Some(0), "{told:#?}");
        // The other one's must not be in the way of this one's ports.
        server
            .site
            .write(target.file, target.document(&server, &Map::new()));
    }

    let mut packs = TARGETS.map(|target| target.refused(|_| true).remove(0));
    for (target, pack) in TARGETS.into_iter().zip(&mut packs) {
        without_tables(pack);
        server
            .site
            .write(target.file, target.document(&server, &pack.settings));
    }
    let (code, told) = check().await;
    assert_eq!(code, Some(2), "{told:#?}");
    for (pack, (told, _)) in packs.iter().zip(&told) {
        assert_none(&pack.untold(told));
    }

    // What is not to be set in the file of this server.
    for target in TARGETS {
        let foreign = rows()
            .iter()
            .filter(|row| !row.of.covers(target.of) && row.of != Of::Both);
        let foreign = foreign.map(|row| (row.key.clone(), row.cases[0].value.clone()));
        let read_only = READ_ONLY.map(|key| (key.to_owned(), json!("x")));
        let settings = read_only.into_iter().chain(foreign).collect();
        server
            .site
            .write(target.file, target.document(&server, &settings));
    }
    let (code, told) = check().await;
    assert_eq!(code, Some(2), "{told:#?}");
    for (target, (told, _)) in TARGETS.into_iter().zip(&told) {
        for key in READ_ONLY {
            let is_told = |line: &String| {
                line.contains(&format!("{key} = ")) && line.contains("is read-only")
            };
            assert!(told.iter().any(is_told), "{key}: {told:#?}");
        }
        let tables = rows()
            .iter()
            .filter(|row| !row.of.covers(target.of))
            .filter_map(|row| row.key.split_once('.'));
        for (table, name) in tables {
            let is_told = |line: &String| {
                line.contains(&format!("[{table}]")) || line.contains(&format!("{table}.{name} = "))
            };
            assert!(told.iter().any(is_told), "{table}.{name}: {told:#?}");
        }
    }
}
