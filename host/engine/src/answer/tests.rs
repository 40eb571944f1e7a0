//! What an answer takes, and what it refuses.

use super::*;

#[test]
fn status_must_be_final() {
    let mut answer = Answer::default();
    for status in [0, 100, 101, 199, 600, 999] {
        assert!(answer.set_status(status).is_err(), "{status}");
    }
    for status in [200, 404, 599] {
        answer.set_status(status).unwrap();
        assert_eq!(answer.status.unwrap().as_u16(), status);
    }
}

#[test]
fn fields_of_the_connection_and_broken_ones_are_refused() {
    let mut answer = Answer::default();
    for (name, value) in [
        ("Content-Length", "3"),
        ("transfer-encoding", "chunked"),
        ("Connection", "close"),
        ("", "x"),
        ("a b", "x"),
        ("x", "a\r\nSet-Cookie: b"),
        ("x", "\0"),
    ] {
        assert!(answer.set_header(name, value).is_err(), "{name}: {value:?}");
        assert!(answer.add_header(name, value).is_err(), "{name}: {value:?}");
    }
    assert!(answer.headers.is_empty());
}

#[test]
fn what_ends_up_in_a_header_is_bounded() {
    let mut answer = Answer::default();
    let long = "x".repeat(HEADER_BYTES_MAX + 1);
    // Three times as long when it is encoded.
    let wide = " ".repeat(HEADER_BYTES_MAX / 2);
    for (url, verbatim) in [(&long, true), (&long, false), (&wide, false)] {
        assert!(answer.redirect(url, verbatim).is_err());
    }
    assert!(answer.send_text(String::new(), Some(&long)).is_err());
    assert!(answer.send_blob(Bytes::new(), &long).is_err());
    assert!(matches!(answer.body, AnswerBody::Empty));
}

#[test]
fn white_space_around_a_value_is_no_part_of_it() {
    let mut answer = Answer::default();
    answer.set_header("a", " \tb c\t ").unwrap();
    assert_eq!(answer.headers["a"], "b c");
    answer.add_header("b", " ").unwrap();
    assert_eq!(answer.headers["b"], "");
    answer
        .send_text(String::new(), Some(" text/plain "))
        .unwrap();
    let AnswerBody::Text { content_type, .. } = &answer.body else {
        panic!("it was sent");
    };
    assert_eq!(content_type.as_ref().unwrap(), "text/plain");
}

#[test]
fn headers_stay_within_their_limit() {
    let mut answer = Answer::default();
    let value = "x".repeat(60 * 1024);
    answer.set_header("a", &value).unwrap();
    answer.set_header("a", &value).unwrap();
    assert_eq!(answer.add_header("a", &value), Err(ResponseError::TooLarge));
    let mut answer = Answer::default();
    for _ in 0..HEADER_FIELDS_MAX {
        answer.add_header("a", "b").unwrap();
    }
    assert_eq!(answer.add_header("a", "b"), Err(ResponseError::TooLarge));
    assert_eq!(answer.headers.len(), HEADER_FIELDS_MAX);
}

#[test]
fn several_headers_are_set_all_or_none() {
    let mut answer = Answer::default();
    let fields = |list: &[(&str, &str)]| {
        list.iter()
            .map(|(n, v)| HeaderField {
                name: (*n).into(),
                value: (*v).into(),
            })
            .collect::<Vec<_>>()
    };
    assert!(
        answer
            .set_headers(&fields(&[
                ("X-STATUS", "301"),
                ("a", "b"),
                ("bad name", "c")
            ]))
            .is_err()
    );
    assert!(answer.headers.is_empty() && answer.status.is_none());
    answer
        .set_headers(&fields(&[
            ("X-VERSION", "HTTP/1.0"),
            ("X-STATUS", "201 Created"),
            ("Set-Cookie", "a"),
            ("Set-Cookie", "b"),
        ]))
        .unwrap();
    assert_eq!(answer.status, Some(StatusCode::CREATED));
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
}

#[test]
fn last_send_wins_but_for_a_redirect() {
    let mut answer = Answer::default();
    answer.send_text("one".into(), None).unwrap();
    answer
        .send_blob(Bytes::from_static(b"two"), ".png")
        .unwrap();
    let AnswerBody::Blob { content_type, .. } = &answer.body else {
        panic!("{:?}", answer.body)
    };
    assert_eq!(content_type.as_ref().unwrap(), "image/png");
    answer.redirect("/a b?c=\u{e9}%20", false).unwrap();
    answer.send_text("three".into(), None).unwrap();
    let AnswerBody::Redirect(location) = &answer.body else {
        panic!("{:?}", answer.body)
    };
    assert_eq!(location, "/a%20b?c=%C3%A9%20");
    assert!(answer.redirect("/a\r\nb", true).is_err());
}
