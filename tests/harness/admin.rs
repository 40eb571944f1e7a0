//! The admin endpoint as a program uses it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
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
