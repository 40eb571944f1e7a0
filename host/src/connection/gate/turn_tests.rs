//! Who answers when: the gate at once, and the library, each request in its turn.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ::bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::Protocol;
use super::tests::{BIG, Random, given_gate};
use crate::connection::sending::Sending;
use crate::connection::together::{self, Others};
use crate::connection::{Socket, TakesFiles};
use crate::http::Body;

/// Sends requests in pieces of a size, and gives what was answered in the order of the answers.
async fn answered(sent: &str, size: usize, capacity: usize) -> Vec<String> {
    asked(sent, size, capacity, false).await
}

/// The same; the library's answers take a moment, or the client ends its side when it has asked.
async fn asked(sent: &str, size: usize, capacity: usize, ends: bool) -> Vec<String> {
    let (client, server) = duplex(capacity);
    asked_over(client, server, None, sent, size, ends).await
}

/// The same over TCP, where what waits is given away.
async fn asked_and_given(sent: &str, size: usize, ends: bool) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, server) = (client.await.unwrap(), listener.accept().await.unwrap().0);
    let server = Socket::new(server);
    let writing = server.writing();
    asked_over(client, server, writing, sent, size, ends).await
}

async fn asked_over<C, S>(
    client: C,
    server: S,
    writing: Option<Arc<OwnedWriteHalf>>,
    sent: &str,
    size: usize,
    ends: bool,
) -> Vec<String>
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (gate, door, activity) = given_gate(server, Protocol::Http1, writing);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (number, _) = door.enter();
        let in_progress = activity.begin(number, false);
        async move {
            if !ends {
                tokio::task::yield_now().await;
            }
            let length = request
                .into_body()
                .collect()
                .await
                .map_or(0, |body| body.to_bytes().len());
            let body = Body::from(Bytes::from(format!("library {number}, {length}")));
            Ok::<_, Infallible>(hyper::Response::new(Sending::new(body, in_progress, None)))
        }
    });
    let serve = async {
        let builder = hyper::server::conn::http1::Builder::new();
        let _ = builder.serve_connection(TokioIo::new(gate), service).await;
    };
    let (mut reading, mut writing) = tokio::io::split(client);
    let ask = async {
        for piece in sent.as_bytes().chunks(size) {
            writing.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        if ends {
            writing.shutdown().await.unwrap();
        }
    };
    let mut received = String::new();
    // In this order: a request is answered before more is sent.
    let (_, (), read) = tokio::join!(biased; serve, ask, reading.read_to_string(&mut received));
    read.unwrap();
    let bodies = received.split("HTTP/1.1 200 OK\r\n").skip(1);
    let body = |response: &str| response.split_once("\r\n\r\n").unwrap().1.to_owned();
    bodies.map(body).collect()
}

#[tokio::test]
async fn who_answers_at_once_answers_in_its_turn() {
    const NOW: &str = "GET /now?a HTTP/1.1\r\nHost: a\r\n\r\n";
    const LATER: &str = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
    const BODY: &str = "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    const LAST: &str = "GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const CHUNKS: &str =
        "PUT /now HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    let mut random = Random(5);
    let (mut at_once, mut behind_others) = (0, 0);
    for _ in 0..300 {
        let requests: Vec<&str> = (0..1 + random.below(8))
            .map(|_| [NOW, NOW, LATER, BODY, CHUNKS][random.below(5)])
            .chain([LAST])
            .collect();
        let sent = requests.concat();
        for size in [1 + random.below(200), sent.len()] {
            let received = match random.below(4) {
                0 => answered(&sent, size, 16).await,
                1 => answered(&sent, size, 64 * 1024).await,
                _ => asked_and_given(&sent, size, false).await,
            };
            assert_eq!(received.len(), requests.len(), "{requests:?} {received:?}");
            for (index, (request, received)) in requests.iter().zip(&received).enumerate() {
                let number = index + 1;
                let library = match *request {
                    BODY => format!("library {number}, 3"),
                    CHUNKS => format!("library {number}, 2"),
                    _ => format!("library {number}, 0"),
                };
                let now = format!("at once {number}");
                at_once += usize::from(*received == now);
                let has_others = requests.iter().take(index).any(|other| *other != NOW);
                behind_others += usize::from(*received == now && has_others);
                assert!(
                    *received == library || (*request == NOW && *received == now),
                    "{requests:?} {received}"
                );
            }
            // The first one has nobody to wait for.
            assert_eq!(received[0] == "at once 1", requests[0] == NOW);
        }
    }
    assert!(
        at_once > 300 && behind_others > 3,
        "{at_once} {behind_others}"
    );
}

#[tokio::test]
async fn an_answer_that_waits_is_sent_though_its_client_has_ended_its_side() {
    const POST: &str = "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for (sent, expected) in [
        (POST.to_owned(), vec!["library 1, 3"]),
        (POST.repeat(2), vec!["library 1, 3", "library 2, 3"]),
    ] {
        together::was_busy(Others::Few);
        assert_eq!(asked(&sent, sent.len(), 64 * 1024, true).await, expected);
    }
    let sent = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n";
    let given = asked_and_given(sent, sent.len(), true).await;
    assert_eq!(given, ["at once 1"]);
}

/// The library does not ask for more while it is at a request that others follow.
#[tokio::test]
async fn what_could_not_be_given_away_goes_on_whatever_the_library_is_at() {
    const ALL: &str = "GET /now?big HTTP/1.1\r\nHost: a\r\n\r\n\
        GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (mut client, server) = (client.await.unwrap(), listener.accept().await.unwrap().0);
    client.write_all(ALL.as_bytes()).await.unwrap();
    let server = Socket::new(server);
    let writing = server.writing();
    let (gate, door, activity) = given_gate(server, Protocol::Http1, writing);
    let (has_all, is_read) = (Notify::new(), Notify::new());
    let service = service_fn(|_: hyper::Request<Incoming>| {
        let (number, _) = door.enter();
        let in_progress = activity.begin(number, false);
        async {
            has_all.notify_one();
            is_read.notified().await;
            is_read.notify_one();
            Ok::<_, Infallible>(hyper::Response::new(Sending::new(
                Body::empty(),
                in_progress,
                None,
            )))
        }
    });
    let serve = async {
        let builder = hyper::server::conn::http1::Builder::new();
        let _ = builder.serve_connection(TokioIo::new(gate), service).await;
    };
    let read = async {
        let mut first = vec![0; BIG];
        client.read_exact(&mut first).await.unwrap();
        // All but its head.
        has_all.notified().await;
        is_read.notify_one();
        let mut rest = Vec::new();
        while rest.windows(4).filter(|end| *end == b"\r\n\r\n").count() < 2 {
            assert!(client.read_buf(&mut rest).await.unwrap() > 0);
        }
        drop(client);
    };
    let both = async { tokio::join!(biased; serve, read) };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, both).await.unwrap();
}
