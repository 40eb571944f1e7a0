//! What is answered where a URL names no file, changed while a connection is open.

use http::Method;
use serde_json::{Value, json};
use tessera_tests::{Client, Site};

use super::{OWN_PORT, SERVERS, ask, connect, request, set};

/// The text of a page, or nothing where none of the files answers.
async fn page(client: &mut Client, path: &str) -> Option<String> {
    let fields = [("accept", "text/html")];
    let reply = ask(client, request(Method::GET, path, &fields)).await;
    let text = reply.text();
    // What the component says where there is no file is this.
    (reply.status == 200 && text != "v1").then(|| text.to_owned())
}

#[tokio::test]
async fn what_answers_where_no_file_is_changes_at_once() {
    let mut site = Site::new().guest_as_with("version1", "shop", OWN_PORT);
    for folder in ["", "components/shop/"] {
        for (file, text) in [
            ("about.html", "about"),
            ("app.html", "app"),
            ("files/a.txt", "a"),
        ] {
            site = site.file(&format!("{folder}WebFolder/{file}"), text);
        }
    }
    let server = site.start().await;
    for name in SERVERS {
        let mut client = connect(&server, name).await;
        for (key, value, path, expected) in [
            ("files.listing", json!(true), "/files/", "a.txt"),
            ("files.clean_urls", json!(true), "/about", "about"),
            ("files.fallback", json!("app.html"), "/some/view", "app"),
        ] {
            if key == "files.fallback" && name == "shop" {
                // What it has no file for is On Web Connection's.
                let path = format!("/api/v1/servers/{name}");
                let refused = server.admin.patch(&path, &json!({key: value})).await;
                assert!(refused.status.is_client_error(), "{refused:?}");
                assert!(refused.text().contains(key), "{refused:?}");
                continue;
            }
            assert_eq!(page(&mut client, path).await, None, "{name} {key}");
            set(&server, name, json!({key: value})).await;
            let found = page(&mut client, path).await;
            assert!(
                found.is_some_and(|text| text.contains(expected)),
                "{name} {key}"
            );
            set(&server, name, json!({key: Value::Null})).await;
            assert_eq!(page(&mut client, path).await, None, "{name} {key}");
        }
    }
}
