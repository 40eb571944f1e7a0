//! What admin tells of the host, of URLs and of what failed, and how long lists come in parts.

use serde_json::{Value, json};
use tessera_tests::{Server, Site};

async fn explained(server: &Server, url: &str) -> Value {
    let url = url.replace(':', "%3A").replace('/', "%2F");
    server
        .admin
        .document(&format!("/api/v1/explain?url={url}"))
        .await
}

#[tokio::test]
async fn info_has_all_that_web_get_server_info_has() {
    let server = Site::new()
        .settings("HTTPCompressionLevel = 5\nHSTSMaxAge = 77\n")
        .page("a.txt", "alpha")
        .start()
        .await;
    server.get("/a.txt").await;
    let info = server.admin.document("/api/v1/info").await;
    assert_eq!(info["started"], true);
    assert_eq!(info["startMode"], "automatic");
    assert_eq!(info["SOAPServerStarted"], false);
    assert_eq!(info["httpRequestCount"], 1);
    assert!(
        info["uptime"].is_u64() && info["processUptime"].is_u64(),
        "{info}"
    );
    let options = &info["options"];
    for key in [
        "CORSEnabled",
        "CORSSettings",
        "webCharacterSet",
        "webHTTPCompressionLevel",
        "webHTTPCompressionThreshold",
        "webHTTPSPortID",
        "webIPAddressToListen",
        "webInactiveProcessTimeout",
        "webInactiveSessionTimeout",
        "webMaxConcurrentProcesses",
        "webPortID",
    ] {
        assert!(options.get(key).is_some(), "{key}: {options}");
    }
    assert_eq!(options["webHTTPCompressionLevel"], 5);
    assert_eq!(options["webPortID"], server.address.port());
    let security = &info["security"];
    assert_eq!(security["minTLSVersion"], "1.2");
    assert_eq!(security["HSTSMaxAge"], 77);
    for key in [
        "cipherSuite",
        "HTTPEnabled",
        "HTTPSEnabled",
        "HSTSEnabled",
        "openSSLVersion",
    ] {
        assert!(security.get(key).is_some(), "{key}: {security}");
    }
    assert!(info.get("cache").is_none(), "{info}");
    let info = server.admin.document("/api/v1/info?cache=true").await;
    assert_eq!(info["cache"]["nbCachedObjects"], 1, "{info}");
    server.admin.stop("site").await;
    let info = server.admin.document("/api/v1/info").await;
    assert_eq!(info["started"], false);
}

#[tokio::test]
async fn a_url_is_explained_without_being_asked_for() {
    let server = Site::new()
        .settings(
            "handlers = [{ pattern = \"made/*\", class = \"echo\", method = \"hidden\", verbs = \"get\" }]\n",
        )
        .page("a.txt", "alpha")
        .guest("echo")
        .start()
        .await;
    let told = explained(&server, "/a.txt").await;
    assert_eq!(
        (&told["by"], &told["server"]),
        (&json!("file"), &json!("site"))
    );
    assert_eq!(told["inMemory"], false);
    assert!(
        told["file"].as_str().unwrap().ends_with("WebFolder/a.txt"),
        "{told}"
    );
    assert_eq!(explained(&server, "/a.txt").await["inMemory"], true);
    let own = format!("http://{}/echo/x", server.address);
    let told = explained(&server, &own).await;
    assert_eq!(
        (&told["by"], &told["server"]),
        (&json!("component"), &json!("echo"))
    );
    assert_eq!(
        (&told["mount"], &told["path"]),
        (&json!("/echo"), &json!("/x"))
    );
    let told = explained(&server, "/echo/4DACTION/hidden").await;
    assert_eq!(
        (&told["by"], &told["status"]),
        (&json!("method"), &json!(403))
    );
    assert_eq!(explained(&server, "/made/x").await["by"], "handler");
    assert_eq!(explained(&server, "/4DSTATS").await["by"], "special");
    assert_eq!(explained(&server, "/none").await["status"], 404);
    let told = explained(&server, "http://127.0.0.1:1/").await;
    assert_eq!(
        (&told["by"], &told["status"]),
        (&json!("nothing"), &Value::Null)
    );
    server.admin.stop("echo").await;
    assert_eq!(explained(&server, "/echo/x").await["status"], 503);
    for wrong in [
        "",
        "?url=",
        "?url=ftp%3A%2F%2Fa%2F",
        "?url=%20",
        "?url=a&url=b",
    ] {
        let reply = server.admin.get(&format!("/api/v1/explain{wrong}")).await;
        assert_eq!(reply.status, 400, "{wrong}: {reply:?}");
    }
    // Nothing was run.
    let processes = server
        .admin
        .document("/api/v1/servers/echo/processes")
        .await;
    assert_eq!(processes["highest"], 0, "{processes}");
}

#[tokio::test]
async fn errors_say_what_the_client_was_told_and_where_it_broke() {
    let server = Site::new().guest("trap").start().await;
    for _ in 0..3 {
        assert_eq!(server.get("/trap/4DACTION/burst").await.status, 500);
    }
    let path = "/api/v1/servers/trap/errors";
    let errors = server.admin.document(path).await;
    assert_eq!(errors.as_array().unwrap().len(), 3);
    assert_eq!(errors[0]["status"], 500);
    let backtrace = errors[0]["backtrace"].as_str().unwrap();
    assert!(backtrace.contains("0: "), "{backtrace}");
    let errors = server.admin.document(&format!("{path}?limit=2")).await;
    assert_eq!(errors.as_array().unwrap().len(), 2);
    for wrong in ["limit=0", "limit=51", "limit=x", "limit=1&limit=2"] {
        let reply = server.admin.get(&format!("{path}?{wrong}")).await;
        assert_eq!(reply.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn sessions_come_in_parts_each_once() {
    let server = Site::new().guest("session").start().await;
    for number in 0..5 {
        let reply = server
            .get(&format!("/session/4DACTION/count/key{number}"))
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let path = "/api/v1/servers/session/sessions";
    let all = server.admin.document(path).await;
    let all: Vec<&Value> = all["sessions"].as_array().unwrap().iter().collect();
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let part = server
            .admin
            .document(&format!("{path}?limit=2{after}"))
            .await;
        let sessions = part["sessions"].as_array().unwrap();
        assert!(sessions.len() <= 2);
        seen.extend(sessions.iter().map(|it| it["id"].clone()));
        assert_eq!(part["more"], part["next"].is_string());
        match part["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let mut expected: Vec<_> = all.iter().map(|it| it["id"].clone()).collect();
    expected.sort_by_key(Value::to_string);
    seen.sort_by_key(Value::to_string);
    assert_eq!(seen, expected);
    let reply = server.admin.get(&format!("{path}?after=nonsense")).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn of_removed_components_only_the_last_ones_stay_listed() {
    let site = Site::new();
    let names: Vec<_> = (0..23).map(|number| format!("broken{number:02}")).collect();
    for name in &names {
        site.write(&format!("components/{name}.wasm"), "broken");
    }
    let server = site.start().await;
    for name in &names {
        server.site.remove(&format!("components/{name}.wasm"));
    }
    server
        .wait_until("the first ones are forgotten", async || {
            let list = server.admin.document("/api/v1/servers").await;
            (list.as_array().unwrap().len() == 21).then_some(())
        })
        .await;
}
