//! Whatever bytes there are, reading them ends in settings or in faults, and never in a panic.

use super::*;

const SEEDS: [&str; 4] = [
    "HTTPPort = 8080\nIPAddressToListen = ['127.0.0.1', '::1']\nrootFolder = \"a/b\"\n\
     [admin]\naddress = '127.0.0.1:7080'\naccess_key = \"12345678\"\n[log]\nlevel = 'a=info,warn'\n",
    "HTTPPort = 0x1F\n[mount]\npath = '/a/b'\nhost = \"a.example\"\n[limits]\nmemory = '64 MiB'\n\
     deadline = 1.5e0\n[environment]\n\"a.b\" = '''x\ny'''\n[pool]\nmin = 1_0\n",
    "HTTPSPort = 443\ncertificateFolder = '/a'\ncipherSuite = 'TLS_AES_128_GCM_SHA256'\nCORSEnabled = true\n\
     CORSSettings = [{host = '*.a.b', methods = 'get;post'}]\n[[x]]\n[permissions]\ncontrol = ['self']\n\
     [[rules]]\nregexPattern = '^/a(.*)$'\nsetHeaders = {A = 'b'}\n[[handlers]]\npattern = 'a'\nmethod = 'm'\n",
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

const TEXTS: [&str; 14] = [
    "",
    "a",
    "*",
    "/",
    "/site",
    "/site/components",
    "..",
    "a/b",
    "TLS_AES_128_GCM_SHA256:",
    "http://*.example.com:80",
    "post;get",
    "\u{0}\r\n",
    "é\u{202e}",
    "::1",
];
const NAMES: [&str; 10] = [
    "host",
    "methods",
    "max",
    "enabled",
    "",
    "a.b",
    "regexPattern",
    "setHeaders",
    "pattern",
    "method",
];

#[test]
fn nothing_that_is_written_causes_a_panic() {
    let mut random = Random(0x7e55_e7a0);
    for round in 0..1_500 {
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
    for round in 0..500 {
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
    let many: serde_json::Map<_, _> = (0..2_000)
        .map(|n| (format!("HTTPProt{n}"), n.into()))
        .collect();
    let error = host_with("", &Override::from_json(Origin::Guest, &many)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "start by a component: must be at most 1000 settings"
    );
}

#[test]
fn nothing_that_is_given_as_json_causes_a_panic() {
    let mut random = Random(0x7e55_e7a1);
    for round in 0..400 {
        let mut settings = serde_json::Map::new();
        for _ in 0..=random.below(4) {
            let definition = SETTINGS[random.below(SETTINGS.len())];
            let mut key = definition.key().to_owned();
            match random.below(6) {
                0 => key.truncate(random.below(key.len())),
                1 => key.insert_str(random.below(key.len()), TOKENS[random.below(TOKENS.len())]),
                2 => key = definition.table().to_owned(),
                _ => {}
            }
            settings.insert(key, random.json(4));
        }
        for origin in [Origin::Start, Origin::Session, Origin::Guest] {
            let overrides = Override::from_json(origin, &settings);
            let nulls = Override::nulls(&settings);
            assert!(
                overrides.len() + nulls.len() >= settings.len() - 1,
                "round {round}"
            );
            for given in &overrides {
                let (key, value) = given.to_json();
                assert!(!nulls.contains(&key) && !value.is_null(), "round {round}");
            }
            let errors = [
                host_with("", &overrides).err(),
                component_with("HTTPPort = 8080", &overrides).err(),
            ];
            errors
                .iter()
                .flatten()
                .for_each(|error| check_faults(error, round));
        }
    }
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
    faults
        .iter()
        .flatten()
        .for_each(|error| check_faults(error, round));
    if let Ok(parsed) = Override::parse(text) {
        assert!(!parsed.to_json().1.is_null(), "round {round}");
    }
}

fn check_faults(error: &SettingsError, round: usize) {
    assert!(
        !error.faults().is_empty() && !error.to_string().is_empty(),
        "round {round}"
    );
    let lines = error.to_string().lines().count();
    assert_eq!(lines, error.faults().len(), "round {round}: {error}");
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

    fn json(&mut self, depth: usize) -> Json {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Json::Null,
            1 => self.next().is_multiple_of(2).into(),
            2 => (self.next() as i64).into(),
            3 => (self.next() as f64 * 1e-9).into(),
            4 => json!([0, 1, -1, 80, 443, 1e300, 8080.0, u64::MAX])[self.below(8)].clone(),
            5 => TEXTS[self.below(TEXTS.len())].into(),
            6 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => (0..self.below(4))
                .map(|_| {
                    (
                        NAMES[self.below(NAMES.len())].to_owned(),
                        self.json(depth - 1),
                    )
                })
                .collect(),
        }
    }
}
