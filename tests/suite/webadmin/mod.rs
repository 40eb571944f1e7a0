//! WebAdmin: who may log in, what a session may do, and what the page is given to show.

mod deploy;
mod page;
mod session;
mod shown;

use bytes::Bytes;
use http::Request;
use tessera_tests::{Reply, Server};

/// The two halves of a session: what the browser sends, and what the page sends.
pub(super) struct Login {
    pub(super) cookie: String,
    pub(super) proof: String,
}

/// Sends the login form as a browser does.
pub(super) async fn try_login(server: &Server, key: &str) -> Reply {
    let request = Request::builder()
        .method("POST")
        .uri("/webadmin/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", format!("http://{}", server.admin.address))
        .header("sec-fetch-site", "same-origin");
    let body = format!("key={key}");
    server
        .admin
        .without_key(request.body(body.into()).unwrap())
        .await
}

pub(super) async fn login(server: &Server) -> Login {
    let reply = try_login(server, &server.admin.key).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    let cookie = reply.header("set-cookie").unwrap();
    let (cookie, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Strict");
    let (place, proof) = reply
        .header("location")
        .unwrap()
        .split_once("#proof=")
        .unwrap();
    assert_eq!(place, "/webadmin/");
    Login {
        cookie: cookie.to_owned(),
        proof: proof.to_owned(),
    }
}

impl Login {
    /// A request of the page, without a body.
    pub(super) fn request(&self, method: &str, path: &str) -> Request<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", &self.cookie)
            .header("x-tessera-proof", &self.proof);
        request.body(Bytes::new()).unwrap()
    }

    pub(super) async fn send(&self, server: &Server, method: &str, path: &str) -> Reply {
        server.admin.without_key(self.request(method, path)).await
    }
}

/// A request without a key.
pub(super) async fn open(server: &Server, method: &str, path: &str) -> Reply {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Bytes::new()).unwrap();
    server.admin.without_key(request).await
}
