//! The gate as a whole: what comes through, however its client cuts what it sends, and what the library makes of that.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Mutex;
use std::time::Instant;

use ::bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::connection::together::{self, Others};
use crate::http::{PlainGet, ReadyMade};

/// A client that sends this, piece by piece, and then waits or ends.
struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    ends: bool,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(piece) = self.pieces.front_mut() else {
            return match self.ends {
                true => Poll::Ready(Ok(())),
                false => Poll::Pending,
            };
        };
        let length = piece.len().min(buffer.remaining());
        buffer.put_slice(&piece[..length]);
        piece.drain(..length);
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        Poll::Ready(Ok(()))
    }
}

/// Nothing is sent.
impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        unreachable!("nobody answers")
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What came through, whether the gate ended it, and what was refused.
#[derive(Debug, PartialEq, Eq)]
struct Passed {
    bytes: String,
    has_ended: bool,
    refused: Option<(u64, Reject)>,
}

/// More than the system keeps for a client that takes nothing.
pub(super) const BIG: usize = 16 << 20;

/// Answers some at once.
pub(super) struct AtOnce {
    /// Always as one of many.
    is_busy: bool,
}

impl Answers for AtOnce {
    fn answer(&self, number: u64, request: PlainGet<'_>, _: bool) -> Option<ReadyMade> {
        if self.is_busy {
            together::was_busy(Others::Many);
        }
        let body = match request.target.contains("?big") {
            true => "x".repeat(BIG),
            false => format!("at once {number}"),
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", body.len());
        request.path().ends_with("/now").then(|| ReadyMade {
            head: [head.into(), Bytes::new(), Bytes::from_static(b"\r\n")],
            body: body.into(),
            made: Some(Instant::now()),
        })
    }
}

fn gate<S>(stream: S, protocol: Protocol) -> (Gate<S, AtOnce>, Arc<Door>) {
    let (gate, door, _) = observed_gate(stream, protocol);
    (gate, door)
}

pub(super) fn observed_gate<S>(
    stream: S,
    protocol: Protocol,
) -> (Gate<S, AtOnce>, Arc<Door>, Arc<Activity>) {
    given_gate(stream, protocol, None)
}

/// One that gives away what waits.
pub(super) fn given_gate<S>(
    stream: S,
    protocol: Protocol,
    writing: Option<Arc<OwnedWriteHalf>>,
) -> (Gate<S, AtOnce>, Arc<Door>, Arc<Activity>) {
    let (door, activity) = (Arc::new(Door::default()), Arc::new(Activity::new()));
    let at_once = AtOnce {
        is_busy: writing.is_some(),
    };
    let (heads, seen) = (door.clone(), activity.clone());
    let gate = Gate::new(stream, protocol, at_once, heads, seen, writing);
    (gate, door, activity)
}

async fn pass(pieces: Vec<Vec<u8>>, ends: bool, buffer: usize) -> Passed {
    let pieces = pieces
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .collect();
    let (mut gate, door) = gate(Pieces { pieces, ends }, Protocol::Either);
    let mut bytes = Vec::new();
    let has_ended = loop {
        let mut space = vec![0; buffer];
        let mut piece = ReadBuf::new(&mut space);
        let read =
            poll_fn(|context| Poll::Ready(Pin::new(&mut gate).poll_read(context, &mut piece)));
        match read.await {
            Poll::Pending => break false,
            Poll::Ready(_) if piece.filled().is_empty() => break true,
            Poll::Ready(_) => bytes.extend_from_slice(piece.filled()),
        }
    };
    Passed {
        bytes: String::from_utf8_lossy(&bytes).into_owned(),
        has_ended,
        refused: door.refused(),
    }
}

async fn pass_whole(text: &str) -> Passed {
    pass(vec![text.as_bytes().to_vec()], false, 8192).await
}

const GOOD: &str = "\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.3\r\nhost:  a:80\t\r\nX:\r\n\
    Content-Length: 3\r\n\r\nabcPOST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n\
    3;x=\"y\"\r\nabc\r\n0\r\nTrailer: a\r\n\r\n\r\nGET /d HTTP/1.0\r\n\r\n";

#[tokio::test]
async fn good_requests_come_through_as_they_are_however_they_are_cut() {
    let expected = GOOD.replace("HTTP/1.3", "HTTP/1.1");
    for size in 1..GOOD.len() {
        for buffer in [24, 100, 8192] {
            let pieces = GOOD.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
            let passed = pass(pieces, true, buffer).await;
            assert_eq!(passed.bytes, expected, "{size} {buffer}");
            assert!(passed.has_ended && passed.refused.is_none());
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_answered_in_its_turn_and_is_the_last() {
    let bad = [
        GOOD,
        "HEAD / HTTP/1.1\r\nHost: a\nX: b\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    .concat();
    let expected = [
        &GOOD.replace("HTTP/1.3", "HTTP/1.1"),
        "HEAD / HTTP/1.1\r\nHost: refused\r\n\r\n",
    ]
    .concat();
    let reject = Reject::Malformed("a header field holds a control character");
    for size in 1..bad.len() {
        for buffer in [24, 8192] {
            let pieces = bad.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
            let passed = pass(pieces, false, buffer).await;
            assert_eq!(passed.bytes, expected, "{size}");
            assert_eq!(passed.refused, Some((5, reject)));
            assert!(!passed.has_ended, "the library would drop the answer");
        }
    }
}

#[tokio::test]
async fn heads_that_could_be_read_in_two_ways_do_not_come_through() {
    for (fields, status) in [
        ("", 400),
        ("Host: a\r\nHost: a\r\n", 400),
        ("Host:\r\n", 400),
        ("Host: a,b\r\n", 400),
        ("Host : a\r\n", 400),
        (" Host: a\r\n", 400),
        ("Host: a\r\n X: b\r\n", 400),
        ("Host: a\r\nX\r\n", 400),
        ("Host: a\r\n: b\r\n", 400),
        ("Host: a\r\nX\u{fc}: b\r\n", 400),
        ("Host: a\r\nX: b\0\r\n", 400),
        ("Host: a\r\nX: b\rc\r\n", 400),
        ("Host: a\r\nX: b\nY: c\r\n", 400),
        ("Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400),
        ("Host: a\r\nContent-Length: 1,1\r\n", 400),
        ("Host: a\r\nContent-Length: +1\r\n", 400),
        ("Host: a\r\nContent-Length: 0x1\r\n", 400),
        ("Host: a\r\nContent-Length:\r\n", 400),
        ("Host: a\r\nContent-Length: 18446744073709551616\r\n", 413),
        (
            "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            400,
        ),
        (
            "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            400,
        ),
        ("Host: a\r\nTransfer-Encoding: gzip\r\n", 501),
        ("Host: a\r\nExpect: 200-ok\r\n", 417),
    ] {
        let passed = pass_whole(&format!("GET / HTTP/1.1\r\n{fields}\r\n")).await;
        let (number, reject) = passed.refused.expect(fields);
        assert_eq!(
            (number, reject.status().as_u16()),
            (1, status),
            "{fields:?}: {reject}"
        );
        assert_eq!(passed.bytes.as_bytes(), STAND_IN);
    }
    let old = pass_whole("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    assert!(matches!(old.refused, Some((1, Reject::Malformed(_)))));
    let other = pass_whole("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n").await;
    assert!(matches!(other.refused, Some((1, Reject::Malformed(_)))));
}

#[tokio::test]
async fn heads_have_a_largest_size_and_number_of_fields() {
    let head = |fields: String| format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}");
    for (text, reject) in [
        (head("A: b\r\n".repeat(99) + "\r\n"), None),
        (head("A: b\r\n".repeat(100)), Some(Reject::TooManyFields)),
        (head(format!("A: {}\r\n\r\n", "b".repeat(16_379))), None),
        (
            head(format!("A: {}\r\n\r\n", "b".repeat(16_380))),
            Some(Reject::HeadTooLarge),
        ),
        (
            head(format!("A: {}", "b".repeat(17_000))),
            Some(Reject::HeadTooLarge),
        ),
        (head("A".repeat(17_000)), Some(Reject::HeadTooLarge)),
        (
            head(format!("A: {}\r\n", "b".repeat(10_000)).repeat(7)),
            Some(Reject::HeadTooLarge),
        ),
        (
            head(format!("A: {}\r\n", "b".repeat(10_000)).repeat(6) + "\r\n"),
            None,
        ),
        (
            format!("GET /{} HTTP/1.1\r\n", "a".repeat(8192)),
            Some(Reject::UrlTooLong),
        ),
    ] {
        for size in [1_000, 100_000] {
            let pieces = text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
            let passed = pass(pieces, false, 8192).await;
            let refused = passed.refused.map(|(_, reject)| reject);
            assert_eq!(refused, reject, "{} bytes", text.len());
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_ends_there() {
    let text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXGET / HTTP/1.1\r\n";
    let passed = pass_whole(text).await;
    assert!(passed.bytes.ends_with("\r\n\r\n3\r\nabc"), "{passed:?}");
    assert!(passed.has_ended && passed.refused.is_none());
}

#[tokio::test]
async fn http2_comes_through_untouched() {
    let text = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\n\n\n";
    for size in 1..text.len() {
        let pieces = text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        let passed = pass(pieces, false, 24).await;
        assert_eq!((passed.bytes.as_str(), passed.refused), (text, None));
    }
    let other = pass_whole("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX").await;
    assert_eq!(other.refused, Some((1, Reject::VersionUnknown)));
}

#[tokio::test]
async fn a_head_that_does_not_go_on_is_refused_when_told_to_be() {
    let (mut client, server) = duplex(1024);
    let (mut gate, door) = gate(server, Protocol::Http1);
    client.write_all(b"HEAD / HT").await.unwrap();
    let mut space = [0; 2048];
    let mut read = async || {
        let mut piece = ReadBuf::new(&mut space);
        poll_fn(|context| {
            let read = Pin::new(&mut gate).poll_read(context, &mut piece);
            Poll::Ready(read.is_ready())
        })
        .await
        .then(|| piece.filled().to_vec())
    };
    assert_eq!(read().await, None);
    assert!(door.give_up_head());
    assert_eq!(read().await.as_deref(), Some(STAND_IN_HEAD));
    assert_eq!(door.enter(), (1, Some(Reject::HeadLate)));
    assert_eq!(read().await, None);
}

/// The same numbers in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn mutated(&mut self, text: &str) -> Vec<u8> {
        const SALT: &[&str] = &[
            "\r\n",
            "\n",
            "\r",
            " ",
            "\t",
            "\0",
            ":",
            ";",
            "0",
            "f",
            "HTTP/1.0",
            "Host: b\r\n",
            "Content-Length: 2\r\n",
            "Transfer-Encoding: chunked\r\n",
            "chunked",
            ",",
            "\u{fc}",
            "\u{7f}",
            "#",
            "@",
            "[",
            "http://a",
            "*",
            "?`",
            "Connection: close\r\n",
            "Upgrade: a\r\nConnection: upgrade\r\n",
            "Expect: 100-continue\r\n",
        ];
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len().max(1));
            match self.below(4) {
                _ if bytes.len() < 2 => {}
                0 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                1 => drop(bytes.remove(at)),
                2 => drop(bytes.splice(at..at, SALT[self.below(SALT.len())].bytes())),
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    }
}

/// What the library and we make of what a client sends: how many requests there were, and what was answered.
async fn answers(sent: &[u8]) -> (u64, String) {
    let (mut client, server) = duplex(64 * 1024);
    let (gate, door) = gate(server, Protocol::Http1);
    let last = Arc::new(Mutex::new(None));
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (number, refused) = door.enter();
        last.lock().unwrap().replace((number, refused));
        async move {
            let is_whole = request.into_body().collect().await.is_ok();
            let mut response = hyper::Response::new(Full::new(Bytes::from_static(b"ours")));
            response
                .headers_mut()
                .insert("x-ours", "1".parse().unwrap());
            if refused.is_some() || !is_whole {
                *response.status_mut() = hyper::StatusCode::BAD_REQUEST;
                response
                    .headers_mut()
                    .insert("connection", "close".parse().unwrap());
            }
            Ok::<_, Infallible>(response)
        }
    });
    let serve = async {
        let builder = hyper::server::conn::http1::Builder::new();
        let _ = builder.serve_connection(TokioIo::new(gate), service).await;
    };
    let ask = async {
        client.write_all(sent).await.unwrap();
        client.shutdown().await.unwrap();
        let mut received = Vec::new();
        let _ = client.read_to_end(&mut received).await;
        String::from_utf8(received).unwrap()
    };
    let ((), text) = tokio::join!(serve, ask);
    (door.begun(), text)
}

#[tokio::test(start_paused = true)]
async fn the_library_takes_all_that_comes_through() {
    let mut random = Random(4);
    let mut refused = 0;
    for number in 0..4000 {
        let sent = random.mutated(GOOD);
        let shown = format!("{number}: {}", sent.escape_ascii());
        let (begun, text) = answers(&sent).await;
        // An answer that we did not give would be one of the library's own, to a head that should not have come through.
        let answered = text.matches("HTTP/1.").count() - text.matches("100 Continue").count();
        assert_eq!(answered, text.matches("x-ours").count(), "{shown}\n{text}");
        assert!(u64::try_from(answered).unwrap() <= begun, "{shown}\n{text}");
        refused += text.matches(" 400 ").count();
    }
    assert!((500..3900).contains(&refused), "{refused}");
}
