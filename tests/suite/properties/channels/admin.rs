//! Admin: session options, and what `start` is given.

use serde_json::{Map, Value, json};
use tessera_tests::{Reply, Server};

use super::super::table::{Effect, Of, Outcome, READ_ONLY, rows};
use super::{Pack, TARGETS, Target, assert_none, is_of_server, stage, stopped};

async fn patch(server: &Server, target: Target, settings: &Map<String, Value>) -> Reply {
    let path = format!("/api/v1/servers/{}", target.name);
    let settings = target.own_all(server, settings).into();
    server.admin.patch(&path, &settings).await
}

/// Null for every setting of a pack.
fn nulls(pack: &Pack) -> Map<String, Value> {
    let keys = pack.settings.keys();
    keys.map(|key| (key.clone(), Value::Null)).collect()
}

/// The problems of a refused patch, as `KEY = VALUE: REASON`.
fn refused(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 422, "{reply:?}");
    let problem = reply.json();
    let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| {
            format!(
                "{} = {}: {}",
                text(error, "key"),
                text(error, "value"),
                text(error, "reason")
            )
        })
        .collect()
}

/// The messages of a start that failed, all with one code.
fn failed(result: &Value, code: u32) -> Vec<String> {
    assert_eq!(result["success"], false, "{result}");
    let errors = result["errors"].as_array().unwrap().iter();
    errors
        .map(|error| {
            let message = error["message"].as_str().unwrap().to_owned();
            assert_eq!(
                (&error["errCode"], &error["componentSignature"]),
                (&json!(code), &json!("settings")),
                "{message}"
            );
            message
        })
        .collect()
}

#[tokio::test]
async fn a_stopped_server_shows_the_options_of_its_next_start() {
    let server = stopped(stage()).await;
    for target in TARGETS {
        let before = server.properties(target.name).await;
        for pack in target.taken(false, is_of_server) {
            let reply = patch(&server, target, &pack.settings).await;
            assert_eq!(reply.status, 200, "{:#?}: {}", pack.settings, reply.text());
            let shown = reply.json();
            assert_none(&target.differences(&server, &pack, &shown));
            // Nothing of it is in use: nothing runs.
            assert_eq!(shown["changed"]["live"], json!([]));
            assert_eq!(
                shown["changed"]["pending"].as_array().unwrap().len(),
                pack.settings.len()
            );
            assert_eq!(
                server.properties(target.name).await["maxRequestSize"],
                shown["maxRequestSize"]
            );
            patch(&server, target, &nulls(&pack)).await;
            assert_eq!(
                server.properties(target.name).await,
                before,
                "{:#?}",
                pack.settings
            );
        }
    }
}

#[tokio::test]
async fn a_start_takes_the_settings_into_use_and_a_stop_forgets_them() {
    let server = stopped(stage()).await;
    for target in TARGETS {
        let before = server.properties(target.name).await;
        for pack in target.taken(true, is_of_server) {
            let settings = target.own_all(&server, &pack.settings).into();
            let result = server.admin.start(target.name, &settings).await;
            assert_eq!(result, json!({"success": true}), "{settings:#}");
            let shown = server.properties(target.name).await;
            assert_eq!(shown["isRunning"], true, "{settings:#}");
            assert_none(&target.differences(&server, &pack, &shown));
            server.admin.stop(target.name).await;
            assert_eq!(server.properties(target.name).await, before, "{settings:#}");
        }
    }
}

#[tokio::test]
async fn wrong_values_are_told_and_leave_everything_as_it_was() {
    let server = stopped(stage()).await;
    for target in TARGETS {
        let before = server.properties(target.name).await;
        for pack in target.refused(is_of_server) {
            let reply = patch(&server, target, &pack.settings).await;
            assert_none(&pack.untold(&refused(&reply)));
            let settings = target.own_all(&server, &pack.settings).into();
            let result = server.admin.start(target.name, &settings).await;
            assert_none(&pack.untold(&failed(&result, 1103)));
            let after = server.properties(target.name).await;
            assert_eq!(after, before, "{settings:#}");
        }
    }
}

#[tokio::test]
async fn what_is_not_to_be_set_is_refused_by_its_code() {
    let server = stopped(stage()).await;
    for target in TARGETS {
        let mut expected = Vec::new();
        expected.extend(READ_ONLY.map(|key| (key.to_owned(), json!("x"), 1101, "is read-only")));
        for row in rows() {
            let value = row.cases[0].value.clone();
            if !row.of.covers(target.of) {
                let words = match target.of {
                    Of::Host => "is of a component",
                    _ => "is of the host",
                };
                expected.push((row.key.clone(), value, 1102, words));
            } else if row.effect == Effect::Process {
                expected.push((row.key.clone(), value, 1104, "start the process again"));
            }
        }
        expected.push((
            "HTTPPrt".to_owned(),
            json!(8080),
            1102,
            "did you mean `HTTPPort`?",
        ));
        let settings: Map<_, _> = expected
            .iter()
            .map(|(key, value, ..)| (key.clone(), value.clone()))
            .collect();
        let result = server
            .admin
            .start(target.name, &settings.clone().into())
            .await;
        let errors = result["errors"].as_array().unwrap();
        let told = refused(&patch(&server, target, &settings).await);
        assert_eq!(
            (errors.len(), told.len()),
            (expected.len(), expected.len()),
            "{result:#}"
        );
        for (key, _, code, words) in expected {
            let is_of_key =
                |text: &str| text.contains(&format!("{key} = ")) && text.contains(words);
            let error = errors
                .iter()
                .find(|error| is_of_key(error["message"].as_str().unwrap()));
            assert_eq!(
                error.map(|error| &error["errCode"]),
                Some(&json!(code)),
                "{key}: {result:#}"
            );
            assert!(told.iter().any(|line| is_of_key(line)), "{key}: {told:#?}");
        }
    }
}

#[tokio::test]
async fn what_is_taken_back_must_be_a_setting_too() {
    let server = stopped(stage()).await;
    for target in TARGETS {
        let foreign = rows().iter().find(|row| !row.of.covers(target.of)).unwrap();
        for (key, words) in [
            ("HTTPPrt", "did you mean `HTTPPort`?"),
            ("poool", "unknown key"),
            ("keep_alive.max", "unknown key"),
            (&foreign.key, "is of"),
            ("name", "is read-only"),
            ("web.launch_at_startup", "belongs to the process"),
        ] {
            let settings = json!({key: null, "HTTPTrace": true});
            let reply = patch(&server, target, settings.as_object().unwrap()).await;
            let told = refused(&reply);
            assert!(
                told.len() == 1 && told[0].contains(words),
                "{key}: {told:?}"
            );
            assert_eq!(server.properties(target.name).await["HTTPTrace"], false);
        }
        // What was not set may be taken back all the same.
        let settings = json!({"HTTPTrace": null, "keep_alive": null, "cache.enabled": null});
        let reply = patch(&server, target, settings.as_object().unwrap()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

#[tokio::test]
async fn of_a_running_server_only_what_needs_no_port_changes_at_once() {
    let server = stage().start().await;
    for target in TARGETS {
        for row in target.rows().filter(|row| is_of_server(row)) {
            let default = server.properties(target.name).await.get(&row.key).cloned();
            let other = row.cases.iter().find_map(|case| match &case.outcome {
                Outcome::Shown(shown) if Some(shown) != default.as_ref() => {
                    Some((case, target.own(&server, shown)))
                }
                _ => None,
            });
            let (case, shown) = other.unwrap_or_else(|| panic!("{} has but one value", row.key));
            let mut settings = case.beside.clone();
            settings.insert(row.key.clone(), case.value.clone());
            let reply = patch(&server, target, &settings).await;
            assert_eq!(reply.status, 200, "{settings:?}: {}", reply.text());
            let after = reply.json();
            let key = json!(row.key);
            let is_in = |list: &Value| list.as_array().unwrap().contains(&key);
            let is_live = row.effect != Effect::Restart;
            assert_eq!(
                is_in(&after["changed"]["live"]),
                is_live,
                "{key}: {after:#}"
            );
            assert_eq!(
                is_in(&after["changed"]["pending"]),
                !is_live,
                "{key}: {after:#}"
            );
            assert_eq!(is_in(&after["pending"]), !is_live, "{key}: {after:#}");
            if row.is_shown() {
                let in_use = if is_live {
                    Some(&shown)
                } else {
                    default.as_ref()
                };
                assert_eq!(after.get(&row.key), in_use, "{key}: {after:#}");
            }
            let reset = settings
                .keys()
                .map(|key| (key.clone(), Value::Null))
                .collect();
            assert_eq!(patch(&server, target, &reset).await.status, 200, "{key}");
        }
        let after = server.properties(target.name).await;
        assert_eq!(
            (&after["isRunning"], &after["error"]),
            (&json!(true), &Value::Null),
            "{after:#}"
        );
    }
}
