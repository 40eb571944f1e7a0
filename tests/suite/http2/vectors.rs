//! That the harness itself reads and writes HPACK as RFC 7541 does: the examples of its appendix C.

use tessera_tests::frames::hpack::{
    Decoder, Indexing, Name, Text, huffman_decode, huffman_encode, integer,
};
use tessera_tests::frames::{Block, Fields};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.split_whitespace().collect();
    let digits = digits.concat();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn fields(all: &[(&str, &str)]) -> Fields {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    all.iter().map(owned).collect()
}

#[test]
fn integers_are_coded_as_in_c1() {
    assert_eq!(integer(0, 5, 10), [0x0a]);
    assert_eq!(integer(0, 5, 1337), [0x1f, 0x9a, 0x0a]);
    assert_eq!(integer(0, 8, 42), [0x2a]);
    assert_eq!(integer(0x80, 7, 127), [0xff, 0x00]);
}

#[test]
fn literals_are_coded_as_in_c2() {
    let plain = |text: &'static str| Text::Plain(text.as_bytes());
    let coded: Vec<u8> = Block::new()
        .indexing_field("custom-key", "custom-header")
        .literal(Indexing::Without, Name::Index(4), plain("/sample/path"))
        .literal(
            Indexing::Never,
            Name::Text(plain("password")),
            plain("secret"),
        )
        .indexed(2)
        .into();
    let expected = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572
        040c 2f73 616d 706c 652f 7061 7468
        1008 7061 7373 776f 7264 0673 6563 7265 74
        82";
    assert_eq!(coded, bytes(expected));
    let decoded = Decoder::default().decode(&coded).unwrap();
    let expected = [
        ("custom-key", "custom-header"),
        (":path", "/sample/path"),
        ("password", "secret"),
        (":method", "GET"),
    ];
    assert_eq!(decoded.fields, fields(&expected));
}

/// A block, its fields, and the size of the table after it.
type Step = (&'static str, Sent, usize);

/// Decodes the blocks one after the other, and compares fields and the size of the table after each.
fn check(limit: usize, blocks: &[Step]) -> Decoder {
    let mut decoder = Decoder::default();
    decoder.set_limit(limit);
    for (number, (block, expected, size)) in blocks.iter().enumerate() {
        let mut block = bytes(block);
        if number == 0 && limit < 4096 {
            // Where the appendix sets the size by other means, a server has to say it.
            block = [integer(0x20, 5, limit as u64), block].concat();
        }
        let decoded = decoder.decode(&block).unwrap();
        assert_eq!(decoded.fields, fields(expected));
        assert_eq!(decoder.size(), *size, "{decoder:?}");
    }
    decoder
}

type Sent = &'static [(&'static str, &'static str)];

const REQUESTS: [Sent; 3] = [
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
    ],
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
        ("cache-control", "no-cache"),
    ],
    &[
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ],
];

const COOKIE: &str = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

const RESPONSES: [Sent; 3] = [
    &[
        (":status", "302"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "307"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "200"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
        ("location", "https://www.example.com"),
        ("content-encoding", "gzip"),
        ("set-cookie", COOKIE),
    ],
];

#[test]
fn requests_are_decoded_as_in_c3_and_c4() {
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let huffman = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for blocks in [plain, huffman] {
        let decoder = check(
            4096,
            &[
                (blocks[0], REQUESTS[0], 57),
                (blocks[1], REQUESTS[1], 110),
                (blocks[2], REQUESTS[2], 164),
            ],
        );
        let entries = [
            ("custom-key", "custom-value"),
            ("cache-control", "no-cache"),
            (":authority", "www.example.com"),
        ];
        assert_eq!(decoder.entries(), fields(&entries));
    }
}

#[test]
fn responses_are_decoded_as_in_c5_and_c6() {
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
         2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
         6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
         54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
         5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e
         3d31",
    ];
    let huffman = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
         2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
         77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
         9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    for blocks in [plain, huffman] {
        let decoder = check(
            256,
            &[
                (blocks[0], RESPONSES[0], 222),
                (blocks[1], RESPONSES[1], 222),
                (blocks[2], RESPONSES[2], 215),
            ],
        );
        let entries = [
            ("set-cookie", COOKIE),
            ("content-encoding", "gzip"),
            ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
        ];
        assert_eq!(decoder.entries(), fields(&entries));
    }
}

#[test]
fn every_byte_has_a_huffman_code() {
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(huffman_decode(&huffman_encode(&all)).unwrap(), all);
    for byte in all {
        assert_eq!(huffman_decode(&huffman_encode(&[byte])).unwrap(), [byte]);
    }
    for wrong in ["ff", "1e", "00", "ff ff ff ff", "07 ff ff ff ff"] {
        assert!(huffman_decode(&bytes(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn a_server_that_codes_wrongly_is_found_out() {
    for wrong in [
        "80",                   // Index 0.
        "be",                   // Beyond the tables.
        "82 20",                // A size update after a field.
        "3f e2 1f 82",          // A size above the limit.
        "20 20 20 82",          // Three size updates.
        "40 01 61",             // No value.
        "ff ff ff ff ff ff ff", // An integer without an end.
    ] {
        assert!(Decoder::default().decode(&bytes(wrong)).is_err(), "{wrong}");
    }
    // A limit below the table's size has to be said, the lowest first.
    let changed = |limits: &[usize]| {
        let mut decoder = Decoder::default();
        limits.iter().for_each(|limit| decoder.set_limit(*limit));
        decoder
    };
    assert!(changed(&[100]).decode(&bytes("82")).is_err());
    assert!(changed(&[0, 4096]).decode(&bytes("82")).is_err());
    assert!(changed(&[0, 4096]).decode(&bytes("3f e1 1f 82")).is_err());
    assert!(changed(&[0, 4096]).decode(&bytes("20 3f e1 1f 82")).is_ok());
    assert!(changed(&[0, 4096]).decode(&bytes("20 82")).is_ok());
    assert!(changed(&[8192]).decode(&bytes("82")).is_ok());
}
