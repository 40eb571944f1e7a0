//! Whatever bytes there are, reading them ends in settings or in faults, and never in a panic.

use super::*;

const SEEDS: [&str; 3] = [
    "HTTPPort = 8080\nIPAddressToListen = ['127.0.0.1', '::1']\nrootFolder = \"a/b\"\n\
     [admin]\naddress = '127.0.0.1:7080'\naccess_key = \"12345678\"\n[log]\nlevel = 'a=info,warn'\n",
    "HTTPPort = 0x1F\n[mount]\npath = '/a/b'\nhost = \"a.example\"\n[limits]\nmemory = '64 MiB'\n\
     deadline = 1.5e0\n[environment]\n\"a.b\" = '''x\ny'''\n[pool]\nmin = 1_0\n",
    "a = {b = [1, {c = 1979-05-27T07:32:00Z}], 'é' = nan}\n[[x]]\ny.z = -inf\n\"\\u00e9\" = 0b1\n",
];
const TOKENS: [&str; 16] = [
    "[",
    "]",
    "{",
    "}",
    "=",
    "\n",
    "\"",
    "'",
    "'''",
    ".",
    ",",
    "\\u",
    "é",
    "\u{0}",
    "99999999999",
    "#",
];

#[test]
fn nothing_that_is_written_causes_a_panic() {
    let mut random = Random(0x7e55_e7a0);
    for round in 0..3_000 {
        let mut bytes = SEEDS[random.below(SEEDS.len())].as_bytes().to_vec();
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len() + 1);
            match random.below(4) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => bytes[at] = random.byte(),
                2 => drop(bytes.splice(at..at, TOKENS[random.below(TOKENS.len())].bytes())),
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.push(random.byte()),
            }
        }
        check(&String::from_utf8_lossy(&bytes), round);
    }
    for round in 0..1_000 {
        let bytes: Vec<u8> = (0..random.below(64)).map(|_| random.byte()).collect();
        check(&String::from_utf8_lossy(&bytes), round);
    }
}

#[test]
fn depth_and_length_are_bounded() {
    for text in [
        "[", "{a=", "a.", "[a.", "[[", "x=[", "x={y=", "\"", "'''", "a\n", "a=1\n",
    ] {
        check(&text.repeat(10_000), 0);
        check(&format!("x = {}", text.repeat(10_000)), 0);
    }
    let many: String = (0..2_000).map(|n| format!("HTTPProt{n} = {n}\n")).collect();
    assert_eq!(host_settings(&many, &[]).unwrap_err().faults().len(), 2_000);
}

/// Reads a text as file and as override, and writes the faults, if any.
fn check(text: &str, round: usize) {
    let faults = [
        host_settings(text, &[]).err(),
        component_settings(text).err(),
        Override::parse(text)
            .ok()
            .and_then(|_| host_settings("", &[text]).err()),
        host_settings(
            "",
            &[&format!("HTTPPort={text}"), &format!("rootFolder={text}")],
        )
        .err(),
    ];
    for error in faults.into_iter().flatten() {
        assert!(
            !error.faults().is_empty() && !error.to_string().is_empty(),
            "round {round}"
        );
        let lines = error.to_string().lines().count();
        assert_eq!(lines, error.faults().len(), "round {round}: {error}");
    }
}

/// A xorshift generator: the same texts in every run, so that a failure can be seen again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        (self.next() >> 32) as u8
    }
}
