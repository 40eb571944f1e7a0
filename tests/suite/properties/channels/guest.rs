//! Components: what they give to `start`, through WIT.

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};
use tessera_tests::{Client, Server};

use super::super::table::{Effect, Of, READ_ONLY, Row};
use super::{SHOP, TARGETS, Target, assert_none, is_of_server, stage, stopped};

/// A stage that is steered by `pilot`, and a connection to it.
async fn stage_with_pilot() -> (Server, Client) {
    let settings = "HTTPPort = 8095\n[permissions]\ncontrol = [\"*\"]\n";
    let server = stopped(stage().guest_with("pilot", settings)).await;
    let pilot = Client::http1(server.address_of("pilot").await).await;
    (server, pilot.unwrap())
}

/// Asks `pilot`, which has a port of its own, to start a server.
async fn start(
    server: &Server,
    pilot: &mut Client,
    target: Target,
    settings: &Map<String, Value>,
) -> Value {
    let settings = Value::Object(target.own_all(server, settings)).to_string();
    let form = format!("name={}&settings={}", target.name, encoded(&settings));
    let request = Request::post("/4DACTION/start")
        .header("content-type", "application/x-www-form-urlencoded");
    let reply = pilot
        .send(request.body(Bytes::from(form)).unwrap())
        .await
        .unwrap();
    assert_eq!(reply.status, 200, "{settings}: {reply:?}");
    reply.json()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Whether a component may set it: what holds a component within bounds is its operator's.
fn is_free(row: &Row) -> bool {
    is_of_server(row) && (row.is_shown() || row.of == Of::Both)
}

fn messages(result: &Value) -> Vec<(u64, String)> {
    let errors = result["errors"]
        .as_array()
        .unwrap_or_else(|| panic!("{result:#}"))
        .iter();
    errors
        .map(|error| {
            (
                error["errCode"].as_u64().unwrap(),
                error["message"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_component_starts_servers_with_every_value() {
    let (server, mut pilot) = stage_with_pilot().await;
    for target in TARGETS {
        let before = server.properties(target.name).await;
        for pack in target.taken(true, is_free) {
            let result = start(&server, &mut pilot, target, &pack.settings).await;
            assert_eq!(result, json!({"success": true}), "{:#?}", pack.settings);
            let shown = server.properties(target.name).await;
            assert_eq!(shown["isRunning"], true);
            assert_none(&target.differences(&server, &pack, &shown));
            server.admin.stop(target.name).await;
            assert_eq!(server.properties(target.name).await, before);
        }
    }
}

#[tokio::test]
async fn a_component_is_told_what_is_wrong_and_what_is_not_its_to_set() {
    let (server, mut pilot) = stage_with_pilot().await;
    for target in TARGETS {
        for pack in target.refused(is_free) {
            let told = messages(&start(&server, &mut pilot, target, &pack.settings).await);
            assert!(told.iter().all(|(code, _)| *code == 1103), "{told:#?}");
            let told: Vec<_> = told.into_iter().map(|(_, message)| message).collect();
            assert_none(&pack.untold(&told));
        }
        assert_eq!(server.properties(target.name).await["isRunning"], false);
    }
    for target in TARGETS {
        let mut expected: Vec<(String, Value, u64)> = Vec::new();
        expected.extend(READ_ONLY.map(|key| (key.to_owned(), json!("x"), 1101)));
        for row in super::rows()
            .iter()
            .filter(|row| !is_free(row) || !row.of.covers(target.of))
        {
            let code = match (row.of.covers(target.of), row.effect) {
                (false, _) => 1102,
                (true, Effect::Process) => 1104,
                (true, _) => 1101,
            };
            expected.push((row.key.clone(), row.cases[0].value.clone(), code));
        }
        let settings = expected
            .iter()
            .map(|(key, value, _)| (key.clone(), value.clone()))
            .collect();
        let told = messages(&start(&server, &mut pilot, target, &settings).await);
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (key, _, code) in expected {
            let found = told
                .iter()
                .find(|(_, message)| message.contains(&format!("{key} = ")));
            assert_eq!(found.map(|(code, _)| *code), Some(code), "{key}: {told:#?}");
        }
    }
    // Folders out of its server's own are not a component's to name, though an operator's.
    for key in ["rootFolder", "certificateFolder"] {
        let settings = Map::from_iter([(key.to_owned(), json!("/srv/pages"))]);
        let told = messages(&start(&server, &mut pilot, SHOP, &settings).await);
        assert!(
            told.iter()
                .any(|(code, message)| *code == 1103 && message.contains("own folder")),
            "{key}: {told:#?}"
        );
    }
}
