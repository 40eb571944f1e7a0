//! What responses look like: character sets, references, compression, each changed while a connection is open.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Client, Reply};

use super::{ask, connect, get, set, site};

/// The set by its number and its name, what it is called in responses, and a text in it.
type Set = (u16, &'static str, &'static str, &'static str, &'static [u8]);
const SETS: [Set; 13] = [
    (4, "ISO-8859-1", "ISO-8859-1", "é\u{80}ÿ", b"\xe9\x80\xff"),
    (12, "ISO-8859-9", "ISO-8859-9", "ğİş", b"\xf0\xdd\xfe"),
    (13, "ISO-8859-10", "ISO-8859-10", "Ąþ", b"\xa1\xfe"),
    (17, "Shift-JIS", "Shift_JIS", "あｱ", b"\x82\xa0\xb1"),
    (
        2024,
        "Windows-31J",
        "Windows-31J",
        "①髙",
        b"\x87\x40\xfb\xfc",
    ),
    (2026, "Big5", "Big5", "中文", b"\xa4\xa4\xa4\xe5"),
    (38, "euc-kr", "EUC-KR", "가힝", b"\xb0\xa1\xc8\xfe"),
    (
        106,
        "UTF-8",
        "utf-8",
        "é€😀",
        b"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
    ),
    (2250, "Windows-1250", "windows-1250", "ł€", b"\xb3\x80"),
    (2251, "Windows-1251", "windows-1251", "Яж", b"\xdf\xe6"),
    (2253, "Windows-1253", "windows-1253", "Ωλ", b"\xd9\xeb"),
    (2255, "Windows-1255", "windows-1255", "אב", b"\xe0\xe1"),
    (2256, "Windows-1256", "windows-1256", "بپ", b"\xc8\x81"),
];

/// Has `shop` send a text of a type; without one, a page.
async fn say(
    client: &mut Client,
    prefix: &str,
    content_type: Option<&str>,
    text: &str,
    accept: &str,
) -> Reply {
    let text: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let content_type = content_type.map_or(String::new(), |name| format!("type={name}&"));
    let request = Request::post(format!("{prefix}/4DACTION/say"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept-encoding", accept);
    let body = Bytes::from(format!("{content_type}text={text}"));
    ask(client, request.body(body).unwrap()).await
}

#[tokio::test]
async fn each_of_the_thirteen_character_sets_is_what_is_sent() {
    let server = site("[mount]\n[web]\nsend_extended_characters = true\n")
        .start()
        .await;
    let mut own = connect(&server, "shop").await;
    let mut host = connect(&server, "site").await;
    // The host's is not that of a component on it.
    set(
        &server,
        "site",
        json!({"characterSet": "Big5", "web": {"send_extended_characters": true}}),
    )
    .await;
    for (index, (number, name, sent, text, bytes)) in SETS.into_iter().enumerate() {
        let by_name = json!({ "characterSet": name });
        let by_number = json!({ "characterSet": number });
        let (first, second) = if index % 2 == 0 {
            (by_name, by_number)
        } else {
            (by_number, by_name)
        };
        for (client, prefix, options) in [(&mut own, "", first), (&mut host, "/shop", second)] {
            set(&server, "shop", options).await;
            let plain = say(client, prefix, Some("text/plain"), text, "").await;
            let expected = format!("text/plain; charset={sent}");
            assert_eq!(plain.header("content-type"), Some(&*expected));
            assert_eq!(plain.body, bytes, "{name}");
            let page = say(client, prefix, None, &format!("<p>{text}\u{10ffff}"), "").await;
            let expected = format!("text/html; charset={sent}");
            assert_eq!(page.header("content-type"), Some(&*expected));
            let lacking: &[u8] = if number == 106 {
                b"\xf4\x8f\xbf\xbf"
            } else {
                b"&#1114111;"
            };
            assert_eq!(page.body, [b"<p>", bytes, lacking].concat(), "{name}");
        }
    }
    // What a text says of itself is above the setting.
    let plain = say(&mut own, "", Some("text/plain; charset=utf-8"), "é", "").await;
    assert_eq!(plain.text(), "é");
}

#[tokio::test]
async fn extended_characters_are_sent_as_they_are_as_soon_as_they_may_be() {
    let server = site("").start().await;
    let mut client = connect(&server, "shop").await;
    for (direct, expected) in [(false, "&#233;"), (true, "é"), (false, "&#233;")] {
        set(
            &server,
            "shop",
            json!({"web": {"send_extended_characters": direct}}),
        )
        .await;
        assert_eq!(say(&mut client, "", None, "é", "").await.text(), expected);
        assert_eq!(
            say(&mut client, "", Some("text/plain"), "é", "")
                .await
                .text(),
            "é"
        );
    }
}

/// A text that becomes smaller, the more work is done for it.
fn text(length: usize) -> String {
    let mut text = String::new();
    for line in 0.. {
        if text.len() >= length {
            break;
        }
        writeln!(text, "line {line} of a text that says little").unwrap();
    }
    text
}

#[tokio::test]
async fn compression_changes_while_a_connection_is_open() {
    let page = text(40_000);
    let server = site("").page("a.html", &page).start().await;
    for name in super::SERVERS {
        let mut client = connect(&server, name).await;
        let mut sent = async |coding: &str| -> (Option<String>, usize) {
            let reply = match name {
                "site" => {
                    let mut request = get("/a.html");
                    request
                        .headers_mut()
                        .insert("accept-encoding", coding.parse().unwrap());
                    ask(&mut client, request).await
                }
                _ => say(&mut client, "", Some("text/plain"), &page, coding).await,
            };
            (
                reply.header("content-encoding").map(str::to_owned),
                reply.body.len(),
            )
        };
        for coding in ["gzip", "br", "zstd"] {
            let mut lengths = Vec::new();
            for level in [1, 9, -1] {
                set(&server, name, json!({"HTTPCompressionLevel": level})).await;
                let (found, length) = sent(coding).await;
                assert_eq!(found.as_deref(), Some(coding), "{name}");
                lengths.push(length);
            }
            assert!(lengths[1] < lengths[0], "{name} {coding}: {lengths:?}");
            // The compromise is the library's own choice.
            assert!(lengths[2] < page.len() / 3, "{name} {coding}: {lengths:?}");
        }
        for (threshold, is_compressed) in [
            (json!(0), true),
            (json!(page.len()), true),
            (json!(page.len() + 1), false),
            (json!(2_147_483_647), false),
            (Value::Null, true),
        ] {
            set(
                &server,
                name,
                json!({"HTTPCompressionThreshold": threshold}),
            )
            .await;
            let (found, length) = sent("gzip").await;
            assert_eq!(found.is_some(), is_compressed, "{name} {threshold}");
            assert_eq!(length == page.len(), !is_compressed, "{name} {threshold}");
        }
    }
}
