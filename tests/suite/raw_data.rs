//! WEB SEND RAW DATA: heads that are repaired, pieces that go out at once, and how such responses end.

use bytes::Bytes;
use http::{Method, Request};
use tessera_tests::{Client, RawClient, Reply, Server, Site};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";

async fn server_with(settings: &str) -> Server {
    Site::new().guest_with("rawdata", settings).start().await
}

async fn sent(server: &Server, method: &str, body: impl Into<Bytes>) -> Reply {
    let path = format!("/rawdata/4DACTION/{method}");
    server.post(&path, "application/octet-stream", body).await
}

/// All of a raw response to a GET on a connection of its own.
async fn raw(server: &Server, path: &str) -> String {
    let request =
        format!("GET /rawdata/4DACTION/{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    RawClient::exchange(server.address, request).await
}

#[tokio::test]
async fn head_and_body_are_as_given_and_repaired_where_they_are_broken() {
    let server = server_with("").await;
    for (data, status, field, body) in [
        (
            "HTTP/1.0 404 Gone fishing\r\nX-Set: after\r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\nabc",
            404,
            ("x-set", Some("after")),
            "abc",
        ),
        (
            "Location: http://a.example/b",
            302,
            ("location", Some("http://a.example/b")),
            "",
        ),
        (
            "HTTP/1.1 301\nLocation: /b\n\nmoved",
            301,
            ("location", Some("/b")),
            "moved",
        ),
        ("<p>no head", 203, ("x-set", Some("before")), "<p>no head"),
        (
            "Content-Type: a/b\n\nbody",
            203,
            ("content-type", Some("a/b")),
            "body",
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
            200,
            ("connection", None),
            "",
        ),
    ] {
        let reply = sent(&server, "whole", data).await;
        assert_eq!(reply.status, status, "{data}");
        assert_eq!(reply.header(field.0), field.1, "{data}");
        assert_eq!(reply.text(), body, "{data}");
        let length = body.len().to_string();
        assert_eq!(reply.header("content-length"), Some(&*length), "{data}");
        assert!(
            reply
                .header("server")
                .is_some_and(|it| it.starts_with("Tessera/"))
        );
    }
    for (data, why) in [
        (
            "HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c=d\r\n\r\n",
            "no header may",
        ),
        ("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", "no header may"),
        ("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "is no field"),
        ("HTTP/1.1 101 Switching\r\n\r\n", "from 200 to 599"),
    ] {
        let reply = sent(&server, "try", data).await;
        assert_eq!(reply.status, 200, "{data}");
        assert!(reply.text().contains(why), "{data}: {}", reply.text());
        assert_eq!(reply.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn pieces_make_one_response() {
    let server = server_with("").await;
    let body = format!("{HEAD}one|, two||, three");
    let asked = format!(
        "POST /rawdata/4DACTION/pieces HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = RawClient::exchange(server.address, &asked).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let lower = answer.to_lowercase();
    assert!(lower.contains("transfer-encoding: chunked\r\n"), "{answer}");
    assert!(lower.contains("x-set: before\r\n"), "{answer}");
    assert!(!lower.contains("content-length"), "{answer}");
    assert!(
        answer.ends_with("\r\n3\r\none\r\n5\r\n, two\r\n7\r\n, three\r\n0\r\n\r\n"),
        "{answer}"
    );
    // A client of HTTP/1.0 gets the same without chunks.
    let old = asked.replacen("HTTP/1.1", "HTTP/1.0", 1);
    let answer = RawClient::exchange(server.address, old).await;
    assert!(
        answer.to_lowercase().contains("content-type: text/plain"),
        "{answer}"
    );
    assert!(
        !answer.to_lowercase().contains("transfer-encoding"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\none, two, three"), "{answer}");
    // And one of HTTP/2 as DATA.
    let mut client = Client::http2(server.address).await.unwrap();
    let request = Request::post("/rawdata/4DACTION/pieces");
    let reply = client
        .send(request.body(body.into()).unwrap())
        .await
        .unwrap();
    assert_eq!(
        (reply.status.as_u16(), reply.text()),
        (200, "one, two, three")
    );
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    // A missing head is made.
    let bare = sent(&server, "pieces", "no |head").await;
    assert_eq!((bare.status.as_u16(), bare.text()), (200, "no head"));
    let bare = sent(&server, "pieces", "Location: /x|").await;
    assert_eq!(
        (bare.status.as_u16(), bare.header("location")),
        (302, Some("/x"))
    );
}

#[tokio::test]
async fn the_last_one_wins_until_a_piece_has_gone_out() {
    let server = server_with("").await;
    for (how, status, text) in [
        ("raw", 201, "raw"),
        ("text", 200, "text"),
        ("pieces", 200, "pieces"),
        ("redirect", 302, ""),
    ] {
        let reply = sent(&server, &format!("last/{how}"), "").await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (status, text),
            "{how}"
        );
        assert_eq!(reply.header("x-raw"), None, "{how}");
    }
    let reply = sent(&server, "afterwards", "").await;
    assert_eq!(reply.status, 200);
    let text = reply.text();
    assert_eq!(text.matches("Err(AlreadySent)\n").count(), 7, "{text}");
    assert!(text.starts_with("a piece\n"), "{text}");
    assert!(text.ends_with("Ok(())\n"), "{text}");
    assert_eq!(reply.header("x-late"), None);
}

#[tokio::test]
async fn events_arrive_when_they_are_sent() {
    let server = server_with("[limits]\ndeadline = \"5 s\"\n").await;
    let mut client = RawClient::connect(server.address).await;
    // More than the time of a test, if they came only at the end.
    let asked = "GET /rawdata/4DACTION/events/1000000 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\n\r\n";
    client.send(asked).await;
    let head = client.read_until("\r\n\r\n").await.to_lowercase();
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(!head.contains("content-encoding"), "{head}");
    let events = client.read_until("data: 20 ").await;
    assert!(events.contains("data: 19 "), "{events}");
    // A client that goes ends the web process.
    server.wait_for_processes("rawdata", 1).await;
    drop(client);
    server.wait_for_processes("rawdata", 0).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_time() {
    let settings = "[limits]\ndeadline = \"1 s\"\nstream_time = \"2 s\"\n";
    let server = server_with(settings).await;
    // Each piece in time: longer than the deadline, no longer than the stream may be.
    let answer = raw(&server, "events/1000").await;
    let events = answer.matches("data: ").count();
    assert!(events > 21, "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    server
        .wait_for_log(&["the answer was cut off", "not finished after 2s"])
        .await;
    // What is left of the time is that of the next piece.
    let line = answer
        .lines()
        .find(|line| line.starts_with("data: 2 "))
        .unwrap();
    let left: u64 = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(left <= 1000, "{line}");
    // A piece that does not come in time.
    for how in ["wait", "spin"] {
        let answer = raw(&server, &format!("end/{how}")).await;
        assert!(answer.contains("a beginning"), "{answer}");
        assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    }
    server
        .wait_for_log(&["the answer was cut off", "not finished after 1s"])
        .await;
    server.wait_for_processes("rawdata", 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_the_guest_up_and_then_ends_it() {
    let settings = "[limits]\ndeadline = \"2 s\"\nresponse_size = \"1 GiB\"\n";
    let server = server_with(settings).await;
    let before = server.resident_bytes();
    let mut client = RawClient::connect(server.address).await;
    client
        .send("GET /rawdata/4DACTION/flood HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    client.read_until("xxxx").await;
    server.wait_for_processes("rawdata", 0).await;
    let more = server.resident_bytes().saturating_sub(before);
    assert!(more < 48 << 20, "{more} bytes more");
    drop(client);
    assert_eq!(sent(&server, "whole", "x").await.status, 203);
}

#[tokio::test]
async fn pieces_are_held_to_the_size_of_a_response() {
    let server = server_with("[limits]\nresponse_size = \"200 KiB\"\n").await;
    let reply = sent(&server, "flood", "").await;
    assert_eq!(reply.body.len(), 200_000);
    server.wait_for_log(&["the flood was refused"]).await;
    let reply = sent(&server, "large/204800", "").await;
    assert_eq!(reply.body.len(), 204_800);
    let whole = [HEAD.as_bytes(), &vec![b'z'; 300_000]].concat();
    let reply = sent(&server, "try", whole).await;
    assert_ne!(reply.body.len(), 300_000);
    assert!(reply.text().contains("larger"), "{}", reply.text());
}

#[tokio::test]
async fn a_failure_before_anything_went_out_is_a_500_and_after_that_cuts_the_response() {
    let server = server_with("").await;
    // Done before anybody could have seen the beginning.
    for how in ["fail", "trap"] {
        assert_eq!(
            sent(&server, &format!("end/{how}"), "").await.status,
            500,
            "{how}"
        );
    }
    for how in ["fail-later", "trap-later"] {
        let answer = raw(&server, &format!("end/{how}")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{how}: {answer}");
        assert!(answer.contains("a beginning"), "{how}: {answer}");
        assert!(!answer.ends_with("0\r\n\r\n"), "{how}: {answer}");
    }
    server
        .wait_for_log(&["the answer was cut off", "it failed on purpose"])
        .await;
    server.wait_for_processes("rawdata", 0).await;
}

#[tokio::test]
async fn nothing_goes_out_of_a_request_that_may_be_refused() {
    let server = server_with("").await;
    let reply = server.get("/rawdata/refused").await;
    assert_eq!(
        (reply.status.as_u16(), reply.text()),
        (403, "please log in")
    );
    assert_eq!(reply.header("x-page"), Some("login"));
    assert!(reply.header("content-length").is_some());
}

#[tokio::test]
async fn other_answers_of_such_a_component_are_what_they_were() {
    let server = server_with("maxRequestSize = 500000\n").await;
    let plain = server.get("/rawdata/plain").await;
    assert_eq!((plain.status.as_u16(), plain.text()), (200, "nothing raw"));
    assert_eq!(plain.header("content-length"), Some("11"));
    let silent = sent(&server, "silent", "").await;
    assert_eq!((silent.status.as_u16(), silent.body.len()), (200, 0));
    // Neither a refusal nor an error costs the instance.
    server.get("/rawdata/refused").await;
    assert_eq!(
        sent(&server, "whole", vec![b'x'; 600_000]).await.status,
        413
    );
    let begun: u32 = server
        .get("/rawdata/4DACTION/begun")
        .await
        .text()
        .parse()
        .unwrap();
    assert!(begun >= 4, "{begun}");
    let large = sent(&server, "events/x", "").await;
    assert_eq!(large.status, 500);
    let head = Request::builder().method(Method::HEAD);
    let head = head
        .uri("/rawdata/4DACTION/large/5000")
        .body(Bytes::new())
        .unwrap();
    let reply = server.send(head).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    server.wait_for_processes("rawdata", 0).await;
}
