//! Components of `wasi:http`, hosted unchanged: what they are asked, how their answers stream, fail and end, and where they
//! may send requests to.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use tessera_tests::{RawClient, Server, Site, pause};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const MIB: usize = 1 << 20;

async fn server() -> Server {
    Site::new().guest("wasihttp").start().await
}

/// All of a raw response to a GET on a connection of its own.
async fn raw(server: &Server, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    RawClient::exchange(server.address, request).await
}

/// A request with other fields.
fn request(method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn the_handler_takes_the_place_of_on_web_connection() {
    let site = Site::new().guest("wasihttp");
    site.write("WebFolder/page.html", "a page of the host");
    let server = site.start().await;
    let reply = server.get("/wasihttp/").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), "hello from wasi:http");
    assert_eq!(reply.header("content-length"), Some("20"));
    assert_eq!(server.get("/page.html").await.text(), "a page of the host");
    let fields = [("host", "example.com:81"), ("x-one", "1")];
    let asked = request("PUT", "/wasihttp/request/a%20b?c=d", &fields, "");
    let seen = server.send(asked).await.text().to_owned();
    assert!(
        seen.starts_with("Method::Put http example.com:81 /request/a%20b?c=d\n"),
        "{seen}"
    );
    assert!(seen.contains("x-one: 1\n"), "{seen}");
    assert!(seen.contains("x-forwarded-prefix: /wasihttp\n"), "{seen}");
    // The host decides about these.
    assert!(!seen.contains("connection:"), "{seen}");
    let forbidden = server.get("/wasihttp/forbidden").await.text().to_owned();
    assert_eq!(forbidden.matches("Forbidden").count(), 4, "{forbidden}");
}

#[tokio::test]
async fn an_instance_is_fresh_unless_it_is_to_be_reused() {
    let server = Site::new()
        .guest("wasihttp")
        .guest_as_with("wasihttp", "kept", "[pool]\npolicy = \"reuse\"\n")
        .start()
        .await;
    for expected in ["1", "1", "1"] {
        assert_eq!(server.get("/wasihttp/count").await.text(), expected);
    }
    for expected in ["1", "2", "3"] {
        assert_eq!(server.get("/kept/count").await.text(), expected);
    }
    // One whose answer went on behind its head serves again as well.
    let large = server.get("/kept/download/3000000").await;
    assert_eq!(large.body.len(), 3_000_000);
    server.wait_for_processes("kept", 0).await;
    assert_eq!(server.get("/kept/count").await.text(), "5");
    // One that failed does not.
    assert_eq!(server.get("/kept/silent").await.status, 500);
    assert_eq!(server.get("/kept/count").await.text(), "1");
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let settings = "maxRequestSize = 100000000\n";
    let server = Site::new().guest_with("wasihttp", settings).start().await;
    let before = server.resident_bytes();
    let reply = server
        .post("/wasihttp/upload", "text/plain", vec![b'x'; 40 * MIB])
        .await;
    assert_eq!(reply.text(), (40 * MIB).to_string());
    let reply = server
        .get(&format!("/wasihttp/download/{}", 40 * MIB))
        .await;
    assert_eq!(reply.body.len(), 40 * MIB);
    assert_eq!(reply.header("content-length"), None);
    let body: Vec<u8> = (0..5 * MIB).map(|at| (at / 7) as u8).collect();
    let reply = server
        .post("/wasihttp/echo", "text/plain", body.clone())
        .await;
    assert!(reply.body == body, "{} bytes", reply.body.len());
    let more = server.resident_bytes().saturating_sub(before);
    assert!(more < 32 << 20, "{more} bytes more");
    let sized = server.get("/wasihttp/sized/3000000").await;
    assert_eq!(sized.header("content-length"), Some("3000000"));
    assert_eq!(sized.body.len(), 3_000_000);
}

#[tokio::test]
async fn a_body_past_its_limit_is_a_413_or_the_handlers_to_answer() {
    let settings = "maxRequestSize = 500000\n";
    let server = Site::new().guest_with("wasihttp", settings).start().await;
    let chunk = format!("7A121\r\n{}\r\n0\r\n\r\n", "x".repeat(500_001));
    let head = "POST /wasihttp/upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = RawClient::connect(server.address).await;
    client.send(head).await;
    // It may be refused while it is still being sent.
    let _ = client.try_send(chunk).await;
    let answer = client.read_until("\r\n").await;
    assert!(
        answer.contains(" 413 ") || answer.contains(" 500 "),
        "{answer}"
    );
}

#[tokio::test]
async fn pieces_arrive_as_they_are_made() {
    let server = server().await;
    let mut client = RawClient::connect(server.address).await;
    client
        .send("GET /wasihttp/wait-later HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    // The guest waits for an hour after that.
    client.read_until("a beginning").await;
    server.wait_for_processes("wasihttp", 1).await;
    drop(client);
    // The client is gone, and so is what worked for it.
    server.wait_for_processes("wasihttp", 0).await;
    let reply = server.get("/wasihttp/pieces/1").await;
    assert_eq!(reply.text().matches("data: ").count(), 10);
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let server = server().await;
    let asked = "POST /wasihttp/trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\
                 Trailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n";
    let answer = RawClient::exchange(server.address, asked).await;
    let (_, end) = answer.split_once("5\r\nbody\n\r\n0\r\n").unwrap();
    assert!(end.contains("x-length: 3\r\n"), "{answer}");
    assert!(end.contains("x-received: x-sum=7\r\n"), "{answer}");
}

#[tokio::test]
async fn head_is_answered_as_get_would_be() {
    let server = server().await;
    for (path, length) in [
        ("/wasihttp/", Some("20")),
        ("/wasihttp/sized/1000", Some("1000")),
        ("/wasihttp/sized/10000000", Some("10000000")),
        ("/wasihttp/download/10000000", None),
    ] {
        let reply = server.send(request("HEAD", path, &[], "")).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-length"), length, "{path}");
        assert!(reply.body.is_empty(), "{path}");
    }
    server.wait_for_processes("wasihttp", 0).await;
}

#[tokio::test]
async fn a_handler_that_fails_before_its_answer_is_a_500() {
    let server = server().await;
    for (path, logged) in [
        ("/wasihttp/silent", "response-outparam was never set"),
        ("/wasihttp/error", "error code ErrorCode::InternalError"),
        ("/wasihttp/trap", "trapped in the wasi:http handler"),
    ] {
        assert_eq!(server.get(path).await.status, 500, "{path}");
        server.wait_for_log(&[logged]).await;
    }
    assert_eq!(server.get("/wasihttp/").await.status, 200);
    server.wait_for_processes("wasihttp", 0).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_cut_and_logged() {
    let server = server().await;
    for (path, logged) in [
        ("/wasihttp/trap-later", "trapped in the wasi:http handler"),
        ("/wasihttp/unfinished-later", "broke off the body"),
        ("/wasihttp/leak-later", "without finishing the body"),
    ] {
        let answer = raw(&server, path).await;
        assert!(answer.contains("a beginning"), "{path}: {answer}");
        // The client can tell: the last chunk is missing.
        assert!(!answer.ends_with("0\r\n\r\n"), "{path}: {answer}");
        server
            .wait_for_log(&["the answer was cut off", logged])
            .await;
    }
    // What happens after the end of an answer is none of its client's business.
    let answer = raw(&server, "/wasihttp/trap-after").await;
    assert!(answer.ends_with("0\r\n\r\n"), "{answer}");
    server.wait_for_log(&["after its answer: trapped"]).await;
    server.wait_for_processes("wasihttp", 0).await;
}

#[tokio::test]
async fn a_deadline_ends_what_streams_too() {
    let settings = "[limits]\ndeadline = \"300 ms\"\n";
    let server = Site::new().guest_with("wasihttp", settings).start().await;
    assert_eq!(server.get("/wasihttp/spin").await.status, 504);
    for path in ["/wasihttp/spin-later", "/wasihttp/wait-later"] {
        let answer = raw(&server, path).await;
        assert!(answer.contains("a beginning"), "{path}: {answer}");
        assert!(!answer.ends_with("0\r\n\r\n"), "{path}: {answer}");
        server
            .wait_for_log(&["the answer was cut off", "not finished after 300ms"])
            .await;
    }
    server.wait_for_processes("wasihttp", 0).await;
    // While one computes, others are served.
    let spinning = async {
        server.get("/wasihttp/spin").await;
    };
    let served = async {
        for _ in 0..5 {
            assert_eq!(server.get("/wasihttp/").await.status, 200);
        }
    };
    tokio::join!(spinning, served);
}

#[tokio::test]
async fn an_answer_past_its_limit_is_cut_or_refused() {
    let settings = "[limits]\nresponse_size = \"1 MiB\"\n";
    let server = Site::new().guest_with("wasihttp", settings).start().await;
    let answer = raw(&server, "/wasihttp/forever").await;
    assert!(answer.len() > MIB / 2, "{}", answer.len());
    assert!(!answer.ends_with("0\r\n\r\n"));
    server
        .wait_for_log(&["larger than [limits] response_size"])
        .await;
    assert_eq!(server.get("/wasihttp/sized/2000000").await.status, 500);
}

/// Serves whoever asks, and says at which address.
async fn other_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    head.push(byte);
                    if !head.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    let text = String::from_utf8_lossy(&head).into_owned();
                    head.clear();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}",
                        text.len()
                    );
                    let is_slow = text.starts_with("GET /slow");
                    if is_slow || stream.write_all(answer.as_bytes()).await.is_err() {
                        // Kept open, and silent.
                        pause(std::time::Duration::from_secs(60)).await;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn requests_go_out_as_permitted() {
    let other = other_server().await;
    let hosts = format!(
        "[permissions]\nhosts = [\"http://127.0.0.1:{}\", \"http://*:*\"]\n[limits]\noutbound_calls = 3\n",
        other.port()
    );
    let server = Site::new()
        .guest("wasihttp")
        .guest_as_with("wasihttp", "free", &hosts)
        .guest_as_with(
            "wasihttp",
            "public",
            "[permissions]\nhosts = [\"http://*:*\"]\n",
        )
        .guest_as_with("wasihttp3", "free3", &hosts)
        .start()
        .await;
    for name in ["free", "free3"] {
        let seen = server
            .get(&format!("/{name}/fetch/http://{other}/page?a=b"))
            .await;
        let text = seen.text();
        assert!(text.starts_with("GET /page?a=b HTTP/1.1\r\n"), "{text}");
        assert!(text.contains(&format!("host: {other}\r\n")), "{text}");
        let named = format!("/{name}/fetch/https://{other}/");
        assert_eq!(
            server.get(&named).await.text(),
            "ErrorCode::HttpRequestDenied"
        );
    }
    let denied = server
        .get(&format!("/wasihttp/fetch/http://{other}/"))
        .await;
    assert_eq!(denied.text(), "ErrorCode::HttpRequestDenied");
    let allowing = format!("[permissions] hosts = [\"http://{other}\"]");
    server.wait_for_log(&["wasihttp", &allowing]).await;

    let many = server
        .get(&format!("/free/fetch-many/5/http://{other}/"))
        .await;
    assert_eq!(many.text().matches("200\n").count(), 3, "{}", many.text());
    assert_eq!(many.text().matches("ConnectionLimitReached\n").count(), 2);
    server
        .wait_for_log(&["[limits] outbound_calls is reached"])
        .await;
    let slow = server
        .get(&format!("/free/fetch/50/http://{other}/slow"))
        .await;
    assert_eq!(slow.text(), "ErrorCode::ConnectionReadTimeout");
    let refused = server.get("/free/fetch/http://127.0.0.1:1/").await;
    assert_eq!(refused.text(), "ErrorCode::HttpRequestDenied");
}

#[tokio::test]
async fn components_of_0_3_are_served_as_well() {
    let server = Site::new()
        .guest_with("wasihttp3", "maxRequestSize = 100000000\n")
        .start()
        .await;
    let reply = server.get("/wasihttp3/").await;
    assert_eq!(reply.text(), "hello from wasi:http 0.3");
    let reply = server
        .post("/wasihttp3/upload", "text/plain", vec![b'x'; 10 * MIB])
        .await;
    assert_eq!(reply.text(), (10 * MIB).to_string());
    let reply = server
        .post("/wasihttp3/echo", "text/plain", vec![b'y'; MIB])
        .await;
    assert!(reply.body == vec![b'y'; MIB], "{} bytes", reply.body.len());
    let reply = server.get("/wasihttp3/download/10000000").await;
    assert_eq!(reply.body.len(), 10_000_000);
    let asked = "POST /wasihttp3/trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\
                 Content-Length: 3\r\n\r\nabc";
    let answer = RawClient::exchange(server.address, asked).await;
    assert!(
        answer.contains("body\n\r\n0\r\nx-length: 3\r\n"),
        "{answer}"
    );
    for (path, logged) in [
        ("/wasihttp3/error", "InternalError"),
        ("/wasihttp3/trap", "an instance ended with its requests"),
    ] {
        assert_eq!(server.get(path).await.status, 500, "{path}");
        server.wait_for_log(&[logged]).await;
    }
    let answer = raw(&server, "/wasihttp3/trap-later").await;
    assert!(answer.contains("a beginning"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    server.wait_for_log(&["the answer was cut off"]).await;
    // What traps with a part of its answer made has not answered.
    let answer = raw(&server, "/wasihttp3/trap-soon").await;
    let is_cut = answer.contains("chunked") && !answer.ends_with("0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 500") || is_cut, "{answer}");
    assert_eq!(server.get("/wasihttp3/").await.status, 200);
    server.wait_for_processes("wasihttp3", 0).await;
}

#[tokio::test]
async fn an_instance_of_0_3_has_several_requests_at_a_time() {
    let server = Site::new()
        .guest("wasihttp3")
        .guest_as_with("wasihttp3", "two", "[pool]\nconcurrency = 2\n")
        .guest_as_with("wasihttp3", "alone", "[pool]\npolicy = \"fresh\"\n")
        .start()
        .await;
    for (name, requests, wanted, seen) in [
        ("wasihttp3", 4, 4, ["most 4"; 4]),
        ("two", 3, 3, ["most 2", "most 2", "most 1", ""]),
        ("alone", 2, 2, ["most 1", "most 1", "", ""]),
    ] {
        let mut clients = Vec::new();
        for _ in 0..requests {
            let mut client = RawClient::connect(server.address).await;
            let asked = format!("GET /{name}/hold/{wanted} HTTP/1.1\r\nHost: a\r\n\r\n");
            client.send(asked).await;
            client.read_until("here ").await;
            clients.push(client);
        }
        for (client, seen) in clients.iter_mut().zip(seen) {
            let rest = client.read_until("\r\n0\r\n\r\n").await;
            assert!(rest.contains(seen), "{name}: {rest}");
        }
    }
}

#[tokio::test]
async fn components_of_0_3_end_with_their_clients_and_deadlines() {
    let server = Site::new()
        .guest_with("wasihttp3", "[limits]\ndeadline = \"10 s\"\n")
        .guest_as_with("wasihttp3", "hasty", "[limits]\ndeadline = \"300 ms\"\n")
        .start()
        .await;
    let mut client = RawClient::connect(server.address).await;
    client
        .send("GET /wasihttp3/wait HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    server.wait_for_processes("wasihttp3", 1).await;
    drop(client);
    server.wait_for_processes("wasihttp3", 0).await;
    for path in ["/hasty/wait", "/hasty/spin"] {
        assert_eq!(server.get(path).await.status, 504, "{path}");
    }
    server.wait_for_processes("hasty", 0).await;
    assert_eq!(server.get("/hasty/").await.status, 200);
}
