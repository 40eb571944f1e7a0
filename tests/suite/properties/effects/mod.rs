//! What every setting does, as clients see it: here what nothing else in the suite shows, and which test shows what.

mod cache;
mod connection;
mod coverage;
mod files;
mod lifecycle;
mod network;
mod process;
mod requests;
mod responses;
mod tls;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use tessera_tests::{Client, Reply, Server, Site};

/// The host and a component with a port of its own, by their names.
const SERVERS: [&str; 2] = ["site", "shop"];
/// The settings of that component.
const OWN_PORT: &str = "HTTPPort = 8099\n";

/// A host, and `shop`, which is the guest `echo`.
fn site(settings: &str) -> Site {
    Site::new().guest_as_with("echo", "shop", &format!("{OWN_PORT}{settings}"))
}

fn request(method: Method, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Bytes::new()).unwrap()
}

fn get(path: &str) -> Request<Bytes> {
    request(Method::GET, path, &[])
}

/// A connection to the own port of a web server.
async fn connect(server: &Server, name: &str) -> Client {
    Client::http1(server.address_of(name).await).await.unwrap()
}

/// Sends a request over a connection, which must go on.
async fn ask(client: &mut Client, request: Request<Bytes>) -> Reply {
    let reply = client.send(request).await.unwrap();
    assert_eq!(reply.header("connection"), None, "{reply:?}");
    reply
}

/// Sets options that are in use at once.
async fn set(server: &Server, name: &str, options: Value) {
    let changed = server.admin.set(name, &options).await["changed"].clone();
    assert_eq!(changed["pending"], json!([]), "{name} {options}: {changed}");
}

/// Sets options that wait for the next start.
async fn set_for_later(server: &Server, name: &str, options: &Value) {
    let changed = server.admin.set(name, options).await["changed"].clone();
    assert_eq!(changed["live"], json!([]), "{name} {options}: {changed}");
}

async fn start(server: &Server, name: &str, settings: &Value) {
    let result = server.admin.start(name, settings).await;
    assert_eq!(result, json!({"success": true}), "{name} {settings}");
}

async fn restart(server: &Server, name: &str, settings: &Value) {
    server.admin.stop(name).await;
    start(server, name, settings).await;
}
