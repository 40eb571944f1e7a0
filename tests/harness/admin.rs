//! The admin endpoint as a program uses it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;

use crate::client::Client;
use crate::reply::Reply;

/// Asks admin with the access key.
#[derive(Clone, Debug)]
pub struct AdminClient {
    /// Where it listens.
    pub address: SocketAddr,
    /// The access key.
    pub key: String,
}

impl AdminClient {
    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path).await
    }

    /// POST without a body.
    pub async fn post(&self, path: &str) -> Reply {
        self.send("POST", path).await
    }

    /// POST of a JSON document.
    pub async fn post_json(&self, path: &str, document: &Value) -> Reply {
        self.request(json_request("POST", path, document.to_string()))
            .await
    }

    /// PATCH with a JSON document.
    pub async fn patch(&self, path: &str, document: &Value) -> Reply {
        self.request(json_request("PATCH", path, document.to_string()))
            .await
    }

    /// Starts a web server with settings, and gives the result object.
    pub async fn start(&self, server: &str, settings: &Value) -> Value {
        let reply = self
            .post_json(&format!("/api/v1/servers/{server}/start"), settings)
            .await;
        assert_eq!(reply.status, 200, "start {server} {settings}: {reply:?}");
        reply.json()
    }

    /// Stops a web server, and gives the result object.
    pub async fn stop(&self, server: &str) -> Value {
        let reply = self.post(&format!("/api/v1/servers/{server}/stop")).await;
        assert_eq!(reply.status, 200, "stop {server}: {reply:?}");
        reply.json()
    }

    /// Sets session options of a web server, and gives it as it is then.
    pub async fn set(&self, server: &str, options: &Value) -> Value {
        let reply = self
            .patch(&format!("/api/v1/servers/{server}"), options)
            .await;
        assert_eq!(reply.status, 200, "set {server} {options}: {reply:?}");
        reply.json()
    }

    /// The document at a path, which must be there.
    pub async fn document(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    }

    /// Any request, with the access key if it says nothing of its own about authorization.
    pub async fn request(&self, mut request: Request<Bytes>) -> Reply {
        let bearer = format!("Bearer {}", self.key);
        request
            .headers_mut()
            .entry(AUTHORIZATION)
            .or_insert(bearer.parse().expect("the key is a header value"));
        self.without_key(request).await
    }

    /// Any request as it is.
    pub async fn without_key(&self, request: Request<Bytes>) -> Reply {
        let mut client = Client::http1(self.address)
            .await
            .expect("admin takes connections");
        client.send(request).await.expect("admin answers")
    }

    async fn send(&self, method: &str, path: &str) -> Reply {
        let request = Request::builder().method(method).uri(path);
        self.request(request.body(Bytes::new()).expect("a path is a URL"))
            .await
    }
}

/// A request with a body that is said to be JSON.
fn json_request(method: &str, path: &str, body: String) -> Request<Bytes> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(CONTENT_TYPE, "application/json");
    request.body(body.into()).expect("a path is a URL")
}
