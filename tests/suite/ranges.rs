//! Parts of files: which bytes are sent for which Range, over each protocol, and how large files go out.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use tessera_tests::{CertificatePair, Client, RawClient, Reply, Server, Site, TlsClient, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A file that is answered from memory, and one that is sent piece by piece.
const SIZES: [usize; 2] = [1_000, 1_000_000];

/// Bytes that say where they are.
fn content(length: usize) -> Vec<u8> {
    let words = (0..length.div_ceil(4)).map(|i| u32::try_from(i).unwrap().to_be_bytes());
    let mut content: Vec<u8> = words.flatten().collect();
    content.truncate(length);
    content
}

fn site() -> Site {
    let site = Site::new()
        .page("text.txt", "some text, ".repeat(10_000))
        .page("empty.dat", "");
    SIZES.iter().fold(site, |site, size| {
        site.page(&format!("{size}.dat"), content(*size))
    })
}

fn request(method: &str, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Bytes::new()).unwrap()
}

async fn ask(server: &Server, path: &str, fields: &[(&str, &str)]) -> Reply {
    server.send(request("GET", path, fields)).await
}

/// The parts of a multipart reply: Content-Type, Content-Range and bytes.
fn parts(reply: &Reply) -> Vec<(String, String, Vec<u8>)> {
    let boundary = reply.header("content-type").unwrap();
    let boundary = boundary
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    let mut parts = Vec::new();
    let mut rest = &reply.body[..];
    let separator = format!("--{boundary}\r\n").into_bytes();
    rest = rest.strip_prefix(&separator[..]).unwrap();
    loop {
        let head_end = rest.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&rest[..head_end]).unwrap();
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim_start_matches(": ").to_owned()
        };
        rest = &rest[head_end + 4..];
        let end_mark = format!("\r\n--{boundary}");
        let end = rest
            .windows(end_mark.len())
            .position(|it| it == end_mark.as_bytes())
            .unwrap();
        parts.push((
            field("Content-Type"),
            field("Content-Range"),
            rest[..end].to_vec(),
        ));
        rest = &rest[end + end_mark.len()..];
        match rest {
            b"--\r\n" => return parts,
            _ => rest = rest.strip_prefix(b"\r\n").unwrap(),
        }
    }
}

/// Asks for each kind of range of a file of `size` bytes and compares what comes.
async fn check_ranges(mut send: impl AsyncFnMut(Request<Bytes>) -> Reply, size: usize) {
    let (path, all) = (format!("/{size}.dat"), content(size));
    for (range, expected) in [
        ("bytes=0-9", 0..10),
        ("bytes=-10", size - 10..size),
        ("bytes=5-", 5..size),
        ("bytes=0-", 0..size),
        (&format!("bytes={}-9999999999", size - 1), size - 1..size),
        ("bytes=0-9,5-19", 0..20),
    ] {
        let reply = send(request("GET", &path, &[("range", range)])).await;
        let what = format!("{range} of {size}");
        assert_eq!(reply.status, 206, "{what}");
        let about = format!("bytes {}-{}/{size}", expected.start, expected.end - 1);
        assert_eq!(reply.header("content-range"), Some(&*about), "{what}");
        assert_eq!(reply.header("accept-ranges"), Some("bytes"));
        let length = expected.len().to_string();
        assert_eq!(reply.header("content-length"), Some(&*length), "{what}");
        assert!(reply.header("etag").is_some() && reply.header("last-modified").is_some());
        assert!(reply.body == all[expected], "{what}: other bytes");
    }
    let range = format!("bytes=10-19,0-0,-{}", size / 2);
    let reply = send(request("GET", &path, &[("range", &range)])).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-range")),
        (206, None)
    );
    let expected = [10..20, 0..1, size / 2..size].map(|range| {
        let about = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        (
            "application/octet-stream".to_owned(),
            about,
            all[range].to_vec(),
        )
    });
    assert!(parts(&reply) == expected, "{size}: other parts");
    let length = reply.body.len().to_string();
    assert_eq!(reply.header("content-length"), Some(&*length));
    let reply = send(request(
        "GET",
        &path,
        &[("range", &format!("bytes={size}-"))],
    ))
    .await;
    let about = format!("bytes */{size}");
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-range")),
        (416, Some(&*about))
    );
    let reply = send(request("GET", &path, &[])).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("accept-ranges")),
        (200, Some("bytes"))
    );
    assert!(reply.body == all, "{size}: other bytes");
}

#[tokio::test]
async fn parts_are_the_same_over_every_protocol() {
    let pair = CertificatePair::for_names(&["site.test"]);
    let server = site().certificate(&pair).start().await;
    let secured = server.https_address_of("site").await;
    for size in SIZES {
        let mut plain = Client::http1(server.address).await.unwrap();
        check_ranges(async |request| plain.send(request).await.unwrap(), size).await;
        let mut plain = Client::http2(server.address).await.unwrap();
        check_ranges(async |request| plain.send(request).await.unwrap(), size).await;
        let client = TlsClient::trusting_all("site.test");
        let mut tls = client.http1(secured).await.unwrap();
        check_ranges(
            async |request| tls.client.send(request).await.unwrap(),
            size,
        )
        .await;
        let mut tls = client.http2(secured).await.unwrap();
        check_ranges(
            async |request| tls.client.send(request).await.unwrap(),
            size,
        )
        .await;
    }
}

#[tokio::test]
async fn a_head_says_what_the_get_would() {
    let server = site().start().await;
    for range in [
        "bytes=0-9",
        "bytes=-7",
        "bytes=0-1,5-6",
        "bytes=1000-",
        "bytes=x",
    ] {
        let fields = [("range", range)];
        let get = ask(&server, "/1000.dat", &fields).await;
        let head = server.send(request("HEAD", "/1000.dat", &fields)).await;
        assert_eq!(head.status, get.status, "{range}");
        assert!(head.body.is_empty());
        for name in ["content-length", "content-range", "etag", "accept-ranges"] {
            assert_eq!(head.header(name), get.header(name), "{range}: {name}");
        }
    }
}

#[tokio::test]
async fn what_no_range_is_gets_the_whole_file() {
    let server = site().start().await;
    let flood = format!("bytes={}0-", "0-,".repeat(1_200));
    let many: Vec<_> = (0..17).map(|i| format!("{0}-{0}", i * 20)).collect();
    let many = format!("bytes={}", many.join(","));
    for range in [
        "bytes=abc",
        "bytes=",
        "bytes=5-1",
        "items=0-1",
        "0-1",
        "bytes=0-9,x",
        &flood,
        &many,
    ] {
        let reply = ask(&server, "/1000.dat", &[("range", range)]).await;
        assert_eq!(
            (reply.status.as_u16(), reply.body.len()),
            (200, 1_000),
            "{range}"
        );
    }
    let reply = ask(&server, "/empty.dat", &[("range", "bytes=0-")]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-range")),
        (416, Some("bytes */0"))
    );
    let posted = server
        .send(request("POST", "/1000.dat", &[("range", "bytes=0-1")]))
        .await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn if_range_is_for_the_very_same_file() {
    let server = site().start().await;
    let file = server.site.at("WebFolder/1000.dat");
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3_600);
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(an_hour_ago)
        .unwrap();
    let first = ask(&server, "/1000.dat", &[]).await;
    let (etag, date) = (
        first.header("etag").unwrap(),
        first.header("last-modified").unwrap(),
    );
    let weak = format!("W/{etag}");
    for (if_range, status) in [
        (etag, 206),
        (date, 206),
        (&*weak, 200),
        ("\"other\"", 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 200),
        ("nonsense", 200),
    ] {
        let fields = [("range", "bytes=0-0"), ("if-range", if_range)];
        let reply = ask(&server, "/1000.dat", &fields).await;
        assert_eq!(reply.status, status, "{if_range}");
        // It says nothing where there is no range.
        let reply = ask(&server, "/1000.dat", &[("if-range", if_range)]).await;
        assert_eq!(reply.status, 200, "{if_range}");
    }
    // All other conditions go before.
    for (name, value, status) in [
        ("if-none-match", etag, 304),
        ("if-match", "\"other\"", 412),
        ("if-modified-since", date, 304),
        ("if-match", etag, 206),
    ] {
        let reply = ask(
            &server,
            "/1000.dat",
            &[("range", "bytes=0-0"), (name, value)],
        )
        .await;
        assert_eq!(reply.status, status, "{name}");
    }
    // A date names no version as long as the second that it names is not over.
    let young = File::options().write(true).open(&file).unwrap();
    young
        .set_modified(SystemTime::now() + Duration::from_secs(3_600))
        .unwrap();
    let young = server
        .wait_until("the system has told of the change", async || {
            let reply = ask(&server, "/1000.dat", &[]).await;
            (reply.header("last-modified") != Some(date)).then_some(reply)
        })
        .await;
    let date = young.header("last-modified").unwrap();
    let reply = ask(
        &server,
        "/1000.dat",
        &[("range", "bytes=0-0"), ("if-range", date)],
    )
    .await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn parts_are_of_one_form_of_the_file() {
    let server = site().start().await;
    let coded = ("accept-encoding", "gzip");
    // Once the compressed form is kept, parts are of that; until then they are of the file itself.
    let reply = ask(&server, "/text.txt", &[coded, ("range", "bytes=5-8")]).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (206, 4));
    let whole = server
        .wait_until("the compressed form is kept", async || {
            let whole = ask(&server, "/text.txt", &[coded]).await;
            let is_kept = whole.header("etag").is_some_and(|tag| tag.starts_with('"'));
            (is_kept && whole.header("content-encoding") == Some("gzip")).then_some(whole)
        })
        .await;
    let compressed_tag = whole.header("etag").unwrap();
    let part = ask(&server, "/text.txt", &[coded, ("range", "bytes=5-8")]).await;
    assert_eq!(part.status, 206);
    assert_eq!(part.header("content-encoding"), Some("gzip"));
    assert_eq!(part.header("vary"), Some("Accept-Encoding"));
    assert_eq!(part.header("etag"), Some(compressed_tag));
    assert_eq!(part.body, whole.body[5..9]);
    // Several would be a coded body, or a body of coded parts.
    let several = ask(&server, "/text.txt", &[coded, ("range", "bytes=5-8,20-21")]).await;
    assert_eq!(
        (several.status.as_u16(), several.body),
        (200, whole.body.clone())
    );
    // What a client has of one form is no beginning of the other.
    let plain = [("range", "bytes=5-8"), ("if-range", compressed_tag)];
    assert_eq!(ask(&server, "/text.txt", &plain).await.status, 200);
    let part = ask(&server, "/text.txt", &plain[..1]).await;
    assert_eq!((part.status.as_u16(), part.text()), (206, "text"));
    assert_eq!(part.header("vary"), Some("Accept-Encoding"));
}

const GIB: u64 = 1024 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;

/// Puts a file of holes in place, with a word at its end.
fn sparse(site: &Site, length: u64) -> File {
    let file = File::create_new(site.at("WebFolder/sparse.dat")).unwrap();
    file.set_len(length).unwrap();
    file.write_at(b"end", length - 3).unwrap();
    file
}

#[tokio::test]
async fn files_of_more_than_four_gibibytes_are_sent_from_anywhere() {
    let server = site().start().await;
    sparse(&server.site, 5 * GIB);
    let head = server.send(request("HEAD", "/sparse.dat", &[])).await;
    assert_eq!(head.header("content-length"), Some("5368709120"));
    let tail = ask(&server, "/sparse.dat", &[("range", "bytes=-4")]).await;
    assert_eq!(
        tail.header("content-range"),
        Some("bytes 5368709116-5368709119/5368709120")
    );
    assert_eq!(&tail.body[..], b"\0end");
    let ranges = [("range", "bytes=0-1,4294967295-4294967296,5368709117-")];
    let parts = parts(&ask(&server, "/sparse.dat", &ranges).await);
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[1].1, "bytes 4294967295-4294967296/5368709120");
    assert_eq!(parts[2].2, b"end");
}

/// A connection on which a file is asked for, and what comes is read by hand.
async fn download(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads up to so many bytes, and says how many came before the end.
async fn read(stream: &mut TcpStream, bytes: u64) -> u64 {
    let mut buffer = vec![0; 1024 * 1024];
    let mut count = 0;
    while count < bytes {
        match within("bytes or the end", stream.read(&mut buffer)).await {
            Ok(0) | Err(_) => break,
            Ok(read) => count += read as u64,
        }
    }
    count
}

#[tokio::test]
async fn a_large_file_takes_no_memory_however_slow_its_clients_are() {
    let server = site().start().await;
    sparse(&server.site, 5 * GIB);
    let before = server.resident_bytes();
    let mut clients = Vec::new();
    for _ in 0..16 {
        // Each takes what the system keeps for it, and some.
        let mut client = download(&server, "/sparse.dat").await;
        assert!(read(&mut client, 16 * MIB).await >= 16 * MIB);
        clients.push(client);
    }
    let more = server.resident_bytes().saturating_sub(before);
    assert!(more < 48 * MIB, "{} MiB for 16 clients", more / MIB);
    let ids = fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap();
    let files = ids.filter(|id| {
        let target = id.as_ref().map(|id| fs::read_link(id.path()));
        target.is_ok_and(|target| target.is_ok_and(|target| target.ends_with("sparse.dat")))
    });
    assert!(files.count() <= 16, "more than one descriptor for a client");
    drop(clients);
    assert_eq!(server.get("/1000.dat").await.status, 200);
}

#[tokio::test]
async fn a_file_that_is_changed_while_it_is_sent_breaks_off() {
    type Change = fn(&File);
    let changes: [(&str, Change); 2] = [
        ("shorter", |file| file.set_len(MIB).unwrap()),
        ("other", |file| {
            file.write_at(b"other", 0).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(5))
                .unwrap();
        }),
    ];
    for (what, change) in changes {
        let server = site().start().await;
        let length = 256 * MIB;
        let file = sparse(&server.site, length);
        let mut client = download(&server, "/sparse.dat").await;
        let began = read(&mut client, MIB).await;
        assert!(began >= MIB && began < length / 2);
        change(&file);
        let came = began + read(&mut client, length).await;
        assert!(came < length, "{what}: {came} bytes came");
        // The connection is gone, the server is not.
        assert_eq!(server.get("/1000.dat").await.status, 200);
    }
}

#[tokio::test]
async fn pipelined_files_come_one_after_the_other() {
    let server = site().start().await;
    let requests: String = (0..8)
        .map(|i| {
            let size = SIZES[i % 2];
            let last = if i == 7 { "Connection: close\r\n" } else { "" };
            format!("GET /{size}.dat HTTP/1.1\r\nHost: a\r\nRange: bytes={i}-\r\n{last}\r\n")
        })
        .collect();
    let answer = RawClient::exchange(server.address, requests).await;
    for i in 0..8 {
        let size = SIZES[i % 2];
        let about = format!("bytes {i}-{}/{size}", size - 1);
        assert_eq!(answer.matches(&about).count(), 1, "{about}");
    }
    assert_eq!(answer.matches("HTTP/1.1 206").count(), 8);
}
