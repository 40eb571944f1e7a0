//! DIGEST: RFC 7616 over a socket, as a client sees it.

use bytes::Bytes;
use http::Request;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use tessera_tests::{Client, Server};

use super::{ask, basic, called_with, challenges, site};

/// A client that has been asked for a digest.
struct Visitor {
    algorithm: &'static str,
    nonce: String,
    user: &'static str,
    password: &'static str,
}

fn hash(algorithm: &str, text: String) -> String {
    let bytes = match algorithm {
        "MD5" => Md5::digest(text).to_vec(),
        _ => Sha256::digest(text).to_vec(),
    };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Visitor {
    /// Takes the nonce of the challenge.
    async fn new(server: &Server, algorithm: &'static str) -> Self {
        let refused = ask(server, "/doorman/x", "").await;
        assert_eq!(
            (refused.status.as_u16(), called_with(&refused)),
            (401, Some("user= password="))
        );
        let all = challenges(&refused);
        assert_eq!(all.len(), 2);
        assert!(
            all[0].contains("algorithm=SHA-256"),
            "the better one first: {all:?}"
        );
        let ours = all
            .iter()
            .find(|it| it.contains(&format!("algorithm={algorithm}")))
            .unwrap();
        for part in ["Digest realm=\"doorman\"", "qop=\"auth\"", "charset=UTF-8"] {
            assert!(ours.contains(part), "{ours}");
        }
        assert!(!ours.contains("stale"), "{ours}");
        Self {
            algorithm,
            nonce: nonce(ours),
            user: "ann",
            password: "secret",
        }
    }

    fn field(&self, method: &str, uri: &str, count: u32) -> String {
        let Self {
            algorithm,
            nonce,
            user,
            password,
        } = self;
        let secret = hash(algorithm, format!("{user}:doorman:{password}"));
        let about = hash(algorithm, format!("{method}:{uri}"));
        let response = hash(
            algorithm,
            format!("{secret}:{nonce}:{count:08x}:abc:auth:{about}"),
        );
        format!(
            "Digest username=\"{user}\", realm=\"doorman\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm={algorithm}, \
             qop=auth, nc={count:08x}, cnonce=\"abc\", response=\"{response}\""
        )
    }
}

fn nonce(challenge: &str) -> String {
    challenge
        .split("nonce=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn both_algorithms_open_the_door_once_for_each_count() {
    let server = site("mode = 'digest'").start().await;
    for algorithm in ["SHA-256", "MD5"] {
        let mut visitor = Visitor::new(&server, algorithm).await;
        let field = visitor.field("GET", "/doorman/x?a=b", 1);
        let reply = ask(&server, "/doorman/x?a=b", &field).await;
        // The password is never handed over.
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (200, "user=ann password= field=true"),
            "{reply:?}"
        );
        assert_eq!(called_with(&reply), Some("user=ann password="));
        // A replay, be it of another URL or method; who has the password is told to take the new nonce.
        let replayed = ask(&server, "/doorman/x?a=b", &field).await;
        assert_eq!(replayed.status.as_u16(), 401);
        assert!(challenges(&replayed)[0].contains("stale=true"));
        assert_ne!(nonce(challenges(&replayed)[0]), visitor.nonce);
        for (path, field) in [
            ("/doorman/other", visitor.field("GET", "/doorman/x", 2)),
            ("/doorman/x?a=c", visitor.field("GET", "/doorman/x?a=b", 3)),
            ("/doorman/x", visitor.field("POST", "/doorman/x", 4)),
            (
                "/doorman/x",
                visitor
                    .field("GET", "/doorman/x", 5)
                    .replace("nc=0", "nc=1"),
            ),
            (
                "/doorman/x",
                visitor.field("GET", "/doorman/x", 6).replace("ann", "eve"),
            ),
            (
                "/doorman/x",
                visitor
                    .field("GET", "/doorman/x", 7)
                    .replace("qop=auth", "qop=auth-int"),
            ),
        ] {
            let refused = ask(&server, path, &field).await;
            assert_eq!(refused.status.as_u16(), 401, "{field}");
            assert!(!challenges(&refused)[0].contains("stale"), "{field}");
        }
        visitor.nonce = "c29tZWJvZHkgZWxzZQ".to_owned();
        let foreign = ask(
            &server,
            "/doorman/x",
            &visitor.field("GET", "/doorman/x", 1),
        )
        .await;
        assert!(foreign.status == 401 && challenges(&foreign)[0].contains("stale=true"));
        visitor.password = "wrong";
        let wrong = ask(
            &server,
            "/doorman/x",
            &visitor.field("GET", "/doorman/x", 1),
        )
        .await;
        assert!(wrong.status == 401 && !challenges(&wrong)[0].contains("stale"));
    }
    // Not asked for.
    let reply = ask(&server, "/doorman/x", &basic("ann", "secret")).await;
    assert_eq!(
        (reply.status.as_u16(), called_with(&reply)),
        (401, Some("user= password="))
    );
    assert_eq!(ask(&server, "/doorman/file.txt", "").await.status, 200);
    assert_eq!(ask(&server, "/doorman/open", "").await.status, 200);
}

#[tokio::test]
async fn http_2_and_requests_side_by_side_are_the_same() {
    let server = site("mode = 'digest'").start().await;
    let visitor = Visitor::new(&server, "SHA-256").await;
    let client = Client::http2(server.address).await.unwrap();
    let requests = (1..=30).rev().map(|count| {
        let path = format!("/doorman/page/{count}");
        let field = visitor.field("GET", &path, count);
        let request = Request::get(path).header("authorization", field);
        request.body(Bytes::new()).unwrap()
    });
    for reply in client.send_all(requests.collect()).await {
        assert_eq!(reply.unwrap().status, 200);
    }
}

#[tokio::test]
async fn elsewhere_a_digest_is_worth_nothing() {
    let server = site("mode = 'digest'").start().await;
    let visitor = Visitor::new(&server, "SHA-256").await;
    server
        .admin
        .set(
            "doorman",
            &serde_json::json!({"authentication.mode": "basic"}),
        )
        .await;
    let reply = ask(
        &server,
        "/doorman/x",
        &visitor.field("GET", "/doorman/x", 1),
    )
    .await;
    assert_eq!(
        (reply.status.as_u16(), called_with(&reply)),
        (401, Some("user= password="))
    );
    server
        .admin
        .set(
            "doorman",
            &serde_json::json!({"authentication.mode": "custom"}),
        )
        .await;
    let reply = ask(
        &server,
        "/doorman/x",
        &visitor.field("GET", "/doorman/x", 2),
    )
    .await;
    assert_eq!((reply.status.as_u16(), challenges(&reply).len()), (401, 0));
}
