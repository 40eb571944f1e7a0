//! Uploads: what components see of the parts of a multipart body, whatever their size.

use tessera_tests::{RawClient, Server, Site};

const TYPE: &str = "multipart/form-data; boundary=XX";

async fn server() -> Server {
    Site::new()
        .guest_with("upload", "maxRequestSize = 500_000_000\n")
        .guest("echo")
        .start()
        .await
}

fn part(fields: &str, content: &[u8]) -> Vec<u8> {
    [
        format!("--XX\r\nContent-Disposition: form-data; {fields}\r\n\r\n").as_bytes(),
        content,
        b"\r\n",
    ]
    .concat()
}

fn sum(content: &[u8]) -> u64 {
    content.iter().fold(0, |sum: u64, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    })
}

#[tokio::test]
async fn parts_have_names_types_and_content() {
    let server = server().await;
    let large: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    let body = [
        part("name=\"a\"", "t\u{e4}xt".as_bytes()),
        part(
            "name=\"b\"; filename=\"p\u{ef}c.png\"\r\nContent-Type: image/png",
            &large,
        ),
        part("name=\"a\"", b""),
        b"--XX--\r\n".to_vec(),
    ]
    .concat();
    let reply = server
        .post("/upload/4DACTION/parts", TYPE, body.clone())
        .await;
    let parts = reply.json();
    let of = |index: usize, key: &str| parts[index][key].clone();
    assert_eq!(parts.as_array().unwrap().len(), 3, "{parts}");
    assert_eq!((of(0, "name"), of(0, "size")), ("a".into(), 5.into()));
    assert_eq!(
        (of(0, "type"), of(0, "file")),
        ("text/plain".into(), serde_json::Value::Null)
    );
    assert_eq!(
        (of(1, "name"), of(1, "file")),
        ("b".into(), "p\u{ef}c.png".into())
    );
    assert_eq!(
        (of(1, "type"), of(1, "size")),
        ("image/png".into(), 5_000_000.into())
    );
    assert_eq!(
        (of(1, "read"), of(1, "sum")),
        (5_000_000.into(), sum(&large).into())
    );
    assert_eq!((of(2, "name"), of(2, "size")), ("a".into(), 0.into()));
    let content = server.post("/upload/4DACTION/part/2", TYPE, body).await;
    assert!(content.body == large);
    assert_eq!(content.header("content-type"), Some("image/png"));
}

#[tokio::test]
async fn large_parts_take_files_and_no_memory() {
    let server = server().await;
    let upload = async |megabytes: usize| {
        let mut client = RawClient::connect(server.address).await;
        let head = part("name=\"f\"; filename=\"f\"", b"");
        let head = head.strip_suffix(b"\r\n").unwrap();
        let piece = vec![b'x'; 1 << 20];
        let length = head.len() + megabytes * piece.len() + b"\r\n--XX--\r\n".len();
        let request = format!(
            "POST /upload/4DACTION/parts HTTP/1.1\r\nHost: a\r\nContent-Type: {TYPE}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        client.send(request).await;
        client.send(head).await;
        for _ in 0..megabytes {
            client.send(&piece).await;
        }
        client.send("\r\n--XX--\r\n").await;
        let reply = client.read_to_end().await;
        let size = format!("\"size\":{}", megabytes << 20);
        assert!(reply.contains(&size), "{reply}");
    };
    upload(1).await;
    let before = server.resident_bytes();
    upload(40).await;
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown}");
    // Files without a name: nothing of them is left to be found.
    let state = server.site.at(".tessera");
    let left = std::fs::read_dir(state).unwrap().filter_map(Result::ok);
    let sizes = left.map(|entry| entry.metadata().unwrap().len()).max();
    assert!(sizes.unwrap_or_default() < 1 << 20);
}

#[tokio::test]
async fn what_is_no_multipart_body_is_told_to_the_handler() {
    let server = server().await;
    for (content_type, body, why) in [
        (TYPE, "--XX\r\nA: b\r\n\r\nearly", "ends before"),
        (TYPE, "--XXX\r\n", "boundary is not the end of its line"),
        ("multipart/form-data", "--XX--\r\n", "boundary is empty"),
    ] {
        let told = server.post("/echo/", content_type, body).await;
        let variables = told.json()["variables"].clone();
        let text = variables.as_str().unwrap_or_default();
        assert!(text.contains(why), "{body}: {variables}");
    }
    let none = server
        .post("/upload/4DACTION/parts", "text/plain", "a=b")
        .await;
    assert_eq!(none.text(), "[]");
    assert_eq!(
        server
            .post("/upload/4DACTION/part/1", "text/plain", "a=b")
            .await
            .status,
        500
    );
}

#[tokio::test]
async fn forms_are_read_in_their_character_set() {
    let server = server().await;
    let url_encoded = "application/x-www-form-urlencoded";
    let multipart = [
        part(
            "name=\"a\"\r\nContent-Type: text/plain; charset=iso-8859-1",
            b"\xfc",
        ),
        b"--XX--\r\n".to_vec(),
    ];
    for (content_type, body) in [
        (
            format!("{url_encoded}; charset=iso-8859-1"),
            b"a=%FC".to_vec(),
        ),
        (url_encoded.to_owned(), b"a=%C3%BC".to_vec()),
        ("text/plain; charset=latin1".to_owned(), b"a=\xfc".to_vec()),
        (TYPE.to_owned(), multipart.concat()),
    ] {
        let told = server.post("/echo/", &content_type, body).await.json();
        assert_eq!(told["variables"][0], serde_json::json!(["a", "\u{fc}"]));
    }
}
