//! RFC 7541 as the server reads it: each representation, the tables, and what cannot be decoded.

use tessera_tests::frames::frame::{WHOLE, headers};
use tessera_tests::frames::hpack::{Indexing, Name, Text, integer};
use tessera_tests::frames::{Block, Code};

use super::case::{Case, Expect, PAGE, case};

fn get() -> Block {
    Block::get(PAGE)
}

/// What ends a connection whose compression state is lost: RFC 9113, section 4.3.
const LOST: Expect = Expect::Connection(Code::COMPRESSION_ERROR);
/// What ends it here.
const ENDED: Expect = Expect::Connection(Code::PROTOCOL_ERROR);

/// A block that cannot be decoded: found, but under another name.
fn broken(section: &'static str, says: &'static str, block: Block) -> Case {
    case(section, says, headers(1, WHOLE, block), LOST).but(ENDED)
}

fn right(section: &'static str, says: &'static str, block: Block) -> Case {
    case(
        section,
        says,
        headers(1, WHOLE, block),
        Expect::Answer(1, 200),
    )
}

pub(super) fn cases() -> Vec<Case> {
    all().filter(|case| !case.deviates()).collect()
}

/// Blocks that cannot be decoded, for the table of deviations.
pub(super) fn undecodable() -> Vec<Case> {
    all().filter(Case::deviates).collect()
}

fn all() -> impl Iterator<Item = Case> {
    let groups = [
        tables(),
        entries(),
        size_updates(),
        integers(),
        strings(),
        representations(),
    ];
    groups.into_iter().flatten()
}

fn tables() -> Vec<Case> {
    let filling = || vec![b'x'; 4096];
    vec![
        broken("7541 6.1", "the index 0 is an error", get().indexed(0)),
        broken(
            "7541 2.3.3",
            "an index beyond both tables is an error",
            get().indexed(62),
        ),
        broken(
            "7541 2.3.3",
            "an index far beyond both tables is an error",
            get().indexed(70_000),
        ),
        broken(
            "7541 2.3.3",
            "a name's index beyond both tables is an error",
            get().literal(Indexing::Without, Name::Index(62), Text::Plain(b"x")),
        ),
        broken(
            "7541 4.4",
            "an entry larger than the table empties it",
            get()
                .indexing_field("x-first", "x")
                .indexing_field("x-large", filling())
                .indexed(62),
        ),
        broken(
            "7541 4.3",
            "a table of size 0 holds nothing",
            Block::new()
                .size_update(0)
                .raw(Vec::from(get()))
                .indexing_field("x-first", "x")
                .indexed(62),
        ),
    ]
}

fn entries() -> Vec<Case> {
    vec![
        broken(
            "7541 4.1",
            "an entry counts its name, its value and 32 bytes",
            // 6 + 1 + 32 is 39, which two times is one more than 77.
            Block::new()
                .size_update(77)
                .raw(Vec::from(get()))
                .indexing_field("x-aaaa", "1")
                .indexing_field("x-bbbb", "2")
                .indexed(63),
        ),
        right(
            "7541 4.1",
            "two entries that just fit are both kept",
            Block::new()
                .size_update(78)
                .raw(Vec::from(get()))
                .indexing_field("x-aaaa", "1")
                .indexing_field("x-bbbb", "2")
                .indexed(63),
        ),
        right(
            "7541 2.3.2",
            "an entry may be in the table twice",
            get()
                .indexing_field("x", "y")
                .indexing_field("x", "y")
                .indexed(62)
                .indexed(63),
        ),
        right(
            "7541 4.4",
            "a new entry may take its name from one that it evicts",
            Block::new()
                .size_update(40)
                .raw(Vec::from(get()))
                .indexing_field("x-aaaa", "1")
                .literal(Indexing::Incremental, Name::Index(62), Text::Plain(b"2"))
                .indexed(62),
        ),
    ]
}

fn size_updates() -> Vec<Case> {
    let first = |size| Block::new().size_update(size).raw(Vec::from(get()));
    vec![
        broken(
            "7541 6.3",
            "a size above SETTINGS_HEADER_TABLE_SIZE is an error",
            first(4097),
        ),
        broken(
            "7541 4.2",
            "a size update after a field is an error",
            get().size_update(0),
        ),
        right(
            "7541 6.3",
            "a size of SETTINGS_HEADER_TABLE_SIZE is taken",
            first(4096),
        ),
        right(
            "7541 4.2",
            "a block may begin with two size updates",
            Block::new().size_update(0).raw(Vec::from(first(4096))),
        ),
        case(
            "7541 4.2",
            "a smaller table forgets what it has no room for",
            [
                headers(1, WHOLE, get().indexing_field("x", "y")),
                headers(3, WHOLE, first(0).indexed(62)),
            ],
            LOST,
        )
        .but(ENDED),
        case(
            "7541 2.2",
            "the table lives as long as the connection",
            [
                headers(
                    1,
                    WHOLE,
                    Block::new()
                        .indexed(2)
                        .indexed(6)
                        .indexing_field(":path", PAGE),
                ),
                headers(
                    3,
                    WHOLE,
                    Block::new()
                        .indexed(2)
                        .indexed(6)
                        .indexed(62)
                        .field("host", "a"),
                ),
            ],
            Expect::Answer(3, 200),
        ),
    ]
}

fn integers() -> Vec<Case> {
    let long = |bytes: &[u8]| get().raw([&[0x7f_u8], bytes].concat());
    vec![
        broken(
            "7541 5.1",
            "an integer beyond all limits is an error",
            long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ),
        broken(
            "7541 5.1",
            "an integer without an end is an error",
            long(&[0x80; 40]),
        ),
        broken(
            "7541 5.1",
            "an integer that is cut off is an error",
            long(&[]),
        ),
        broken(
            "7541 5.1",
            "an index of 2^32 is an error",
            get().raw(integer(0x80, 7, 1 << 32)),
        ),
        broken(
            "7541 5.1",
            "an index that is 62 modulo 2^32 is an error",
            get()
                .indexing_field("x", "y")
                .raw(integer(0x80, 7, (1 << 32) + 62)),
        ),
        right(
            "7541 5.1",
            "an integer may have zeros in front",
            // 2 of 7 bits would be enough for :status; here "accept" as 15 + 4, then a zero.
            get().raw([0x0f, 0x80 | 4, 0x00, 0x01, b'x']),
        ),
    ]
}

fn strings() -> Vec<Case> {
    let value = |is_huffman, bytes: &'static [u8]| {
        let length = bytes.len() as u64;
        let name = Name::Text(Text::Plain(b"x-test"));
        let value = Text::Raw {
            is_huffman,
            length,
            bytes,
        };
        get().literal(Indexing::Without, name, value)
    };
    let cut = |is_huffman| {
        let name = Name::Text(Text::Plain(b"x-test"));
        let value = Text::Raw {
            is_huffman,
            length: 10,
            bytes: b"x",
        };
        get().literal(Indexing::Without, name, value)
    };
    vec![
        broken(
            "7541 5.2",
            "a string that is cut off is an error",
            cut(false),
        ),
        broken(
            "7541 5.2",
            "a Huffman string that is cut off is an error",
            cut(true),
        ),
        broken(
            "7541 5.2",
            "the code of the end of a string within it is an error",
            value(true, b"\xff\xff\xff\xff"),
        ),
        broken(
            "7541 5.2",
            "the code of the end of a string after text is an error",
            // "0", and then 30 ones and more.
            value(true, b"\x07\xff\xff\xff\xff"),
        ),
        broken(
            "7541 5.2",
            "padding of 8 bits is an error",
            value(true, b"\xf8\xff"),
        ),
        broken(
            "7541 5.2",
            "padding of zeros is an error",
            value(true, b"\x00"),
        ),
        broken(
            "7541 5.2",
            "padding that is not all ones is an error",
            value(true, b"\x1e"),
        ),
        right(
            "7541 5.2",
            "padding of 7 ones is right",
            // 13 and 12 bits.
            get().literal(
                Indexing::Without,
                Name::Text(Text::Plain(b"x-test")),
                Text::Huffman(b"$#"),
            ),
        ),
        right(
            "7541 5.2",
            "a Huffman string may be empty",
            value(true, b""),
        ),
    ]
}

fn representations() -> Vec<Case> {
    let all = |indexing| {
        let text = |bytes| Text::Huffman(bytes);
        Block::new()
            .literal(indexing, Name::Index(2), Text::Plain(b"GET"))
            .literal(indexing, Name::Index(6), text(b"http"))
            .literal(indexing, Name::Text(text(b":path")), text(PAGE.as_bytes()))
            .literal(indexing, Name::Index(1), text(b"a"))
    };
    vec![
        right(
            "7541 6.1",
            "fields of the static table can be asked for by index",
            Block::new()
                .indexed(2)
                .indexed(6)
                .field(":path", PAGE)
                .field("host", "a")
                .indexed(16),
        ),
        right(
            "7541 6.2.1",
            "literals with indexing are read",
            all(Indexing::Incremental),
        ),
        right(
            "7541 6.2.2",
            "literals without indexing are read",
            all(Indexing::Without),
        ),
        right(
            "7541 6.2.3",
            "literals that are never indexed are read",
            all(Indexing::Never),
        ),
        broken(
            "7541 6.2",
            "a literal without its value is an error",
            get().raw([0x0f, 0x04]),
        ),
        broken(
            "7541 6.2",
            "a literal without anything is an error",
            get().raw([0x40]),
        ),
    ]
}
