//! Everything that takes outside bytes apart, fed with mutations of what is right and of other projects' test data.
//!
//! A second of it with the other tests; `TESSERA_FUZZ_SECONDS=600` gives it more time, and `TESSERA_FUZZ_SEED` another start.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use crate::form::{FormEncoding, VARIABLES_MAX, plain_text, query_variables, url_encoded};
use crate::multipart::{Found, Malformed, Scanner};
use crate::parameters::{extended_parameter, parameter};
use crate::raw::RawData;

/// Longest input: long enough for every limit that is not about a whole body.
const BYTES_MAX: usize = 24 * 1024;
/// What means something to one of the parsers.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"--",
    b"\r\n--b",
    b"--b--",
    b"; ",
    b"=",
    b"&",
    b"+",
    b"%",
    b"%C3%A9",
    b"%zz",
    b"\"",
    b"\\\"",
    b"\\",
    b": ",
    b"\t ",
    b"\0",
    b"\xff\xfe",
    b"\xc3",
    b"name=\"a\"",
    b"filename=",
    b"filename*=UTF-8''%e2%82%ac",
    b"Content-Disposition: form-data; ",
    b"Content-Type: text/plain; charset=iso-8859-1",
    b"charset=shift_jis",
    b"_charset_=latin1",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/",
    b"Location: /x",
    b"Set-Cookie: a=b",
    b"Transfer-Encoding: chunked",
    b"999",
    b"boundary=",
];

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// One more mutation.
    fn change(&mut self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        match self.below(7) {
            0 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
            1 if at < bytes.len() => {
                let end = (at + 1 + self.below(40)).min(bytes.len());
                drop(bytes.drain(at..end));
            }
            2 => bytes.truncate(at),
            3 => {
                let other = &others[self.below(others.len())];
                let from = self.below(other.len() + 1);
                let end = (from + self.below(200)).min(other.len());
                drop(bytes.splice(at..at, other[from..end].iter().copied()));
            }
            4 => {
                let end = (at + self.below(60)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                for _ in 0..self.below(12) {
                    drop(bytes.splice(at..at, piece.iter().copied()));
                }
            }
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                drop(bytes.splice(at..at, word.iter().copied()));
            }
        }
        bytes.truncate(BYTES_MAX);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/multipart.json")).unwrap();
    let latin = |text: &str| -> Vec<u8> { text.chars().map(|c| c as u8).collect() };
    let mut seeds: Vec<_> = cases
        .iter()
        .map(|case| {
            // All under one boundary, so that mutations of one may go into another.
            let boundary = case["boundary"].as_str().unwrap();
            let body = case["body"].as_str().unwrap();
            match boundary {
                "" => latin(body),
                _ => latin(&body.replace(boundary, "b")),
            }
        })
        .collect();
    for text in [
        "a=1&b=%C3%A9+x&_charset_=iso-8859-1&a=%zz&c",
        "name=value\r\nother=a=b\r\n",
        "HTTP/1.1 404 Not Found\r\nA: b\r\n c\r\nSet-Cookie: d=e\r\nLocation: /x\r\n\r\nbody",
        "Location: http://a.example/\n",
        "multipart/form-data; boundary=\"a b\"; charset=utf-8",
    ] {
        seeds.push(text.into());
    }
    seeds
}

/// What a body comes to, however it is cut.
fn scanned(bytes: &[u8], size: usize) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut scanner = Scanner::new("b")?;
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for piece in bytes.chunks(size) {
        scanner.feed(piece);
        loop {
            match scanner.next()? {
                Found::Begin(fields) => {
                    for value in [fields.disposition, fields.content_type]
                        .into_iter()
                        .flatten()
                    {
                        values(&value);
                    }
                    parts.push(Vec::new());
                }
                Found::Content(content) => parts.last_mut().unwrap().extend_from_slice(&content),
                Found::End => {}
                Found::Nothing => break,
                Found::Last => return Ok(parts),
            }
        }
    }
    Ok(parts)
}

fn values(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in ["name", "filename", "boundary"] {
        for value in [parameter(&text, name), extended_parameter(&text, name)] {
            assert!(value.is_none_or(|value| value.len() <= 3 * text.len()));
        }
    }
    FormEncoding::of(Some(bytes));
}

fn try_all(bytes: &[u8], random: &mut Random) {
    let whole = scanned(bytes, BYTES_MAX);
    assert_eq!(scanned(bytes, 1 + random.below(60)), whole);
    if let Ok(parts) = whole {
        assert!(parts.iter().map(Vec::len).sum::<usize>() <= bytes.len());
    }
    values(bytes);
    let text = String::from_utf8_lossy(bytes);
    for variables in [
        url_encoded(bytes, None),
        plain_text(bytes, None),
        url_encoded(bytes, Some(encoding_rs::SHIFT_JIS)),
        plain_text(bytes, Some(encoding_rs::WINDOWS_1252)),
        query_variables(&text),
    ] {
        assert!(
            variables.is_ok_and(|variables| variables.len() <= VARIABLES_MAX)
                || bytes.len() > VARIABLES_MAX
        );
    }
    if let Ok(raw) = RawData::read(Bytes::copy_from_slice(bytes)) {
        assert!(bytes.ends_with(&raw.body));
        assert!((200..600).contains(&raw.status(None).as_u16()));
        for value in raw.headers.values() {
            assert!(!value.as_bytes().iter().any(|byte| b"\r\n\0".contains(byte)));
        }
    }
}

#[expect(clippy::print_stdout, reason = "says how far it came")]
#[test]
fn no_bytes_make_a_parser_fail() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let time = Duration::from_secs(number("TESSERA_FUZZ_SECONDS").unwrap_or(1));
    let mut random = Random(
        number("TESSERA_FUZZ_SEED")
            .unwrap_or(0x2545_f491_4f6c_dd1d)
            .max(1),
    );
    let mut pool = seeds();
    let first = pool.len();
    let (began, mut count) = (Instant::now(), 0_u64);
    while count < 2_000 || began.elapsed() < time {
        let mut bytes = pool[random.below(pool.len())].clone();
        for _ in 0..=random.below(6) {
            random.change(&mut bytes, &pool);
        }
        try_all(&bytes, &mut random);
        // Mutations of mutations, some of them kept for a while.
        if random.below(16) == 0 {
            let place = first + random.below(200);
            match pool.get_mut(place) {
                Some(old) => *old = bytes,
                None => pool.push(bytes),
            }
        }
        count += 1;
    }
    println!("{count} inputs in {:?}", began.elapsed());
}
