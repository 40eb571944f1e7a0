//! Tests of digest credentials: the examples of the RFC, and what strangers send.

use super::*;

/// RFC 7616, section 3.9.1, joined to lines.
const SHA256: &str = "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
    algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
    cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
    response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", \
    opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
const MD5: &str = "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
    algorithm=MD5, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
    cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
    response=\"8ca523f5e9506fed4657c9700eebdbec\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
const PASSWORD: &str = "Circle of Life";

fn parse(text: &str) -> Option<Sent> {
    Sent::parse(text.as_bytes())
}

#[test]
fn the_examples_of_the_rfc_are_right() {
    for (text, algorithm) in [(SHA256, Algorithm::Sha256), (MD5, Algorithm::Md5)] {
        let sent = parse(text).unwrap();
        assert_eq!((sent.user.as_str(), sent.count), ("Mufasa", 1));
        assert_eq!(sent.algorithm, algorithm);
        assert!(sent.is_made_with("GET", PASSWORD));
        for (method, password) in [("POST", PASSWORD), ("GET", "circle of life"), ("GET", "")] {
            assert!(!sent.is_made_with(method, password));
        }
        // Each part that the hash is about.
        for (old, new) in [
            ("Mufasa", "Mufasb"),
            ("example.org", "example.com"),
            ("index.html", "index.htm"),
            ("nonce=\"7y", "nonce=\"8y"),
            ("nc=00000001", "nc=00000002"),
            ("cnonce=\"f2", "cnonce=\"f3"),
        ] {
            let changed = parse(&text.replacen(old, new, 1)).unwrap();
            assert!(!changed.is_made_with("GET", PASSWORD), "{new}");
        }
    }
}

#[test]
fn an_algorithm_is_not_mixed_with_the_hash_of_another() {
    let sent = parse(&MD5.replace("algorithm=MD5", "algorithm=SHA-256")).unwrap();
    assert!(!sent.is_made_with("GET", PASSWORD));
    let sent = parse(&MD5.replace("algorithm=MD5, ", "")).unwrap();
    assert!(sent.is_made_with("GET", PASSWORD));
}

#[test]
fn what_clients_write_differently_is_read() {
    for (old, new) in [
        ("Digest ", "digest   "),
        ("username=", "USERNAME ="),
        ("algorithm=SHA-256", "algorithm=\"sha-256\""),
        ("qop=auth", "qop=\"auth\""),
        (", nc=", ",nc="),
        ("nc=00000001", "nc = \"00000001\""),
        ("Mufasa", "Mu\\fasa"),
    ] {
        let sent = parse(&SHA256.replacen(old, new, 1));
        assert!(
            sent.is_some_and(|it| it.is_made_with("GET", PASSWORD)),
            "{new}"
        );
    }
    let sent = parse(&SHA256.replace("Mufasa", "J\u{e4}s\u{f8}n \\\"Doe\\\\")).unwrap();
    assert_eq!(sent.user, "J\u{e4}s\u{f8}n \"Doe\\");
}

#[test]
fn what_is_not_exactly_right_is_nothing() {
    for (old, new) in [
        ("Digest ", "Basic "),
        ("Digest ", "Digest"),
        ("algorithm=SHA-256", "algorithm=SHA-512-256"),
        ("algorithm=SHA-256", "algorithm=SHA-256-sess"),
        ("qop=auth", "qop=auth-int"),
        ("qop=auth, ", ""),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=00000000"),
        ("nc=00000001", "nc=+0000001"),
        ("nc=00000001, ", ""),
        ("cnonce=\"f2", "cn=\"f2"),
        ("username=", "username*="),
        ("opaque=", "userhash=true, opaque="),
        ("opaque=", "username=\"other\", opaque="),
        ("opaque=", "UserName=\"other\", opaque="),
        ("opaque=", "uri=\"/other\", opaque="),
        ("opaque=", ", opaque="),
        ("tdS\"", "tdS\\\""),
        ("opaque=\"F", "opaque=\"F\" F"),
        ("algorithm=SHA-256", "algorithm=SHA/256"),
    ] {
        assert!(SHA256.contains(old));
        assert_eq!(parse(&SHA256.replacen(old, new, 1)), None, "{new}");
    }
    assert_eq!(
        parse(&SHA256.replace("Mufasa", &"a".repeat(BYTES_MAX))),
        None
    );
    let many: String = (0..PARAMETERS_MAX).map(|n| format!("p{n}=1, ")).collect();
    assert_eq!(
        parse(&SHA256.replace("opaque", &format!("{many}opaque"))),
        None
    );
    assert_eq!(Sent::parse(b"Digest username=\"\xff\""), None);
    let mut headers = HeaderMap::new();
    headers.append(AUTHORIZATION, SHA256.parse().unwrap());
    assert!(Sent::of(&headers).is_some());
    headers.append(AUTHORIZATION, SHA256.parse().unwrap());
    assert_eq!(Sent::of(&headers), None);
}

/// Numbers that look random and are the same in each run.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    }
}

#[test]
fn no_mutation_breaks_it_and_none_is_right_that_changes_what_counts() {
    let right = parse(SHA256).unwrap();
    let bytes = b"\"\\,= \t=\0\xffaZ0*\r\n";
    let mut number = numbers(0x7616_7616);
    for _ in 0..50_000 {
        let mut text = SHA256.as_bytes().to_vec();
        for _ in 0..=number(3) {
            if text.is_empty() {
                break;
            }
            let place = number(text.len());
            match number(4) {
                0 => drop(text.remove(place)),
                1 => text[place] = bytes[number(bytes.len())],
                2 => text.insert(place, bytes[number(bytes.len())]),
                _ => text.truncate(place.max(1)),
            }
        }
        let Some(sent) = Sent::parse(&text) else {
            continue;
        };
        if sent.is_made_with("GET", PASSWORD) {
            assert_eq!(sent, right, "{}", String::from_utf8_lossy(&text));
        }
    }
}
