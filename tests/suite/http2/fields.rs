//! RFC 9113, sections 8.2 and 8.3: the fields of a request.

use tessera_tests::frames::frame::{WHOLE, headers};
use tessera_tests::frames::{Block, Code};

use super::case::{Case, Expect, PAGE, case};

const MALFORMED: Expect = Expect::Stream(1, Code::PROTOCOL_ERROR);
const ANSWERED: Expect = Expect::Answer(1, 200);

fn get() -> Block {
    Block::get(PAGE)
}

fn sent(section: &'static str, says: &'static str, block: Block, expect: Expect) -> Case {
    case(section, says, headers(1, WHOLE, block), expect)
}

pub(super) fn cases() -> Vec<Case> {
    [
        names_and_values(),
        connection_specific(),
        pseudo_fields(),
        control_data(),
        hosts(),
        refused_hosts(),
        padded(),
    ]
    .concat()
}

fn names_and_values() -> Vec<Case> {
    let valued = |says, value: &'static [u8], expect| {
        sent("9113 8.2.1", says, get().field("x-test", value), expect)
    };
    vec![
        valued("a value may be empty", b"", ANSWERED),
        valued(
            "a value may have spaces, tabs and bytes above 127 in it",
            b"a \t\xe4\xffb",
            ANSWERED,
        ),
    ]
}

fn connection_specific() -> Vec<Case> {
    let refused = |says, name: &'static str, value: &'static str| {
        sent("9113 8.2.2", says, get().field(name, value), MALFORMED)
    };
    vec![
        refused("connection is malformed", "connection", "keep-alive"),
        refused("keep-alive is malformed", "keep-alive", "timeout=5"),
        refused(
            "proxy-connection is malformed",
            "proxy-connection",
            "keep-alive",
        ),
        refused(
            "transfer-encoding is malformed",
            "transfer-encoding",
            "chunked",
        ),
        refused("upgrade is malformed", "upgrade", "h2c"),
        refused(
            "te other than trailers is malformed",
            "te",
            "trailers, deflate",
        ),
        sent(
            "9113 8.2.2",
            "te may be trailers",
            get().field("te", "trailers"),
            ANSWERED,
        ),
    ]
}

fn pseudo_fields() -> Vec<Case> {
    let without = |name: &str| {
        let all = [
            (":method", "GET"),
            (":scheme", "http"),
            (":path", PAGE),
            (":authority", "a"),
        ];
        let kept = all.into_iter().filter(|(known, _)| *known != name);
        kept.fold(Block::new(), |block, (name, value)| {
            block.field(name, value)
        })
    };
    let malformed = |says, block| sent("9113 8.3", says, block, MALFORMED);
    let again = |says, name, value| sent("9113 8.3", says, get().field(name, value), MALFORMED);
    let missing = |says, name| sent("9113 8.3.1", says, without(name), MALFORMED);
    vec![
        malformed(
            "a pseudo-header field of responses is malformed",
            get().field(":status", "200"),
        ),
        malformed(
            "a pseudo-header field after a regular one is malformed",
            without(":path").field("x", "y").field(":path", PAGE),
        ),
        malformed("an empty header block is malformed", Block::new()),
        again(":method twice is malformed", ":method", "GET"),
        again(":scheme twice is malformed", ":scheme", "http"),
        again(":path twice is malformed", ":path", PAGE),
        again(":authority twice is malformed", ":authority", "a"),
        missing("a request without :method is malformed", ":method"),
        missing("a request without :scheme is malformed", ":scheme"),
        missing("a request without :path is malformed", ":path"),
        sent(
            "9113 8.3",
            "the order of pseudo-header fields is free",
            Block::new()
                .field(":authority", "a")
                .field(":path", PAGE)
                .field(":scheme", "http")
                .field(":method", "GET"),
            ANSWERED,
        ),
    ]
}

fn control_data() -> Vec<Case> {
    let path = |says, path, expect| sent("9113 8.3.1", says, Block::get(path), expect);
    vec![
        path("an empty :path is malformed", "", MALFORMED),
        path(
            ":path that does not begin with a slash is malformed",
            "a.txt",
            MALFORMED,
        ),
        path(
            ":path that is a whole URL is malformed",
            "http://a/a.txt",
            MALFORMED,
        ),
        path(
            "* is a :path of OPTIONS alone",
            "*",
            MALFORMED.or(Expect::Answer(1, 400)),
        ),
        path(":path with a space is malformed", "/a b", MALFORMED),
        path(":path with CR and LF is malformed", "/a\r\nb", MALFORMED),
        path(":path with NUL is malformed", "/a\0b", MALFORMED),
        sent(
            "9113 8.3.1",
            "OPTIONS may ask for *",
            Block::request("OPTIONS", "*"),
            Expect::Answer(1, 204),
        ),
    ]
}

/// Malformed requests that we find, not the library: section 8.1.1 lets a server answer before it closes the stream.
const REFUSED: Expect = Expect::Answer(1, 400);

fn padded() -> Vec<Case> {
    let valued = |says, value| {
        let block = get().field("x-test", value);
        sent("9113 8.2.1", says, block, REFUSED)
    };
    vec![
        valued("a value that begins with a space is malformed", " a"),
        valued("a value that begins with a tab is malformed", "\ta"),
        valued("a value that ends with a space is malformed", "a "),
        valued("a value that ends with a tab is malformed", "a\t"),
    ]
}

/// A request with these two names of its host.
fn host(says: &'static str, authority: Option<&str>, host: Option<&str>, expect: Expect) -> Case {
    let mut block = Block::new().indexed(2).indexed(6).field(":path", PAGE);
    if let Some(authority) = authority {
        block = block.field(":authority", authority);
    }
    if let Some(host) = host {
        block = block.field("host", host);
    }
    sent("9113 8.3.1", says, block, expect)
}

fn refused_hosts() -> Vec<Case> {
    vec![
        sent(
            "9113 8.5",
            "CONNECT without :authority is malformed",
            Block::new().field(":method", "CONNECT"),
            REFUSED,
        ),
        host(
            "a request with neither :authority nor host is malformed",
            None,
            None,
            REFUSED,
        ),
        host(
            "a user in :authority is malformed",
            Some("user@a"),
            None,
            REFUSED,
        ),
        host(
            "host that differs from :authority is malformed",
            Some("a"),
            Some("b"),
            REFUSED,
        ),
    ]
}

fn hosts() -> Vec<Case> {
    vec![
        host(
            ":authority with a space is malformed",
            Some("a b"),
            None,
            MALFORMED,
        ),
        host(
            ":authority with a path is malformed",
            Some("a/b"),
            None,
            MALFORMED,
        ),
        sent(
            "9113 8.3.1",
            ":scheme that is none is malformed",
            Block::new()
                .indexed(2)
                .field(":scheme", "ht tp")
                .field(":path", PAGE)
                .field(":authority", "a"),
            MALFORMED,
        ),
        host("host may stand for :authority", None, Some("a"), ANSWERED),
        host(
            "host that is :authority again is taken",
            Some("a"),
            Some("a"),
            ANSWERED,
        ),
        host(
            "an empty :authority is malformed",
            Some(""),
            None,
            MALFORMED,
        ),
    ]
}
