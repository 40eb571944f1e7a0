//! `HTTPRules.json` and `HTTPHandlers.json` beside a settings file: one list each, as the documents have them.

use std::path::Path;

use serde_json::{Deserializer, Value as Json};

use super::error::{Fault, FaultKind, Place, shown};
use super::file::{Document, Entry, Loose, count, read_bounded};
use super::kind::{handlers, rules};

/// Says what is wrong with one entry of a list.
type Check = fn(&Loose) -> Result<(), String>;

/// The files, and the setting that each holds.
pub(crate) const LIST_FILES: [&str; 2] = ["HTTPRules.json", "HTTPHandlers.json"];
const SETTINGS: [(&str, Check); 2] = [("rules", rules::check), ("handlers", handlers::check)];

impl Document {
    /// Adds the lists that stand in files of their own in the same folder.
    pub(super) fn add_lists(&mut self, folder: &Path) {
        for (file, (setting, check)) in LIST_FILES.into_iter().zip(SETTINGS) {
            let path = folder.join(file);
            match read_bounded(&path) {
                Ok(bytes) => self.add_list(&path, &bytes, setting, check),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    let reason = format!("cannot be read: {error}");
                    let place = place(&path, None, None);
                    self.faults.push(Fault::of_place(place, reason));
                }
            }
        }
    }

    fn add_list(&mut self, path: &Path, bytes: &[u8], setting: &'static str, check: Check) {
        let here = |line| place(path, Some(line), None);
        if let Some(other) = self.entries.iter().find(|entry| entry.key() == setting) {
            let reason = format!(
                "{setting} stand in {} already: keep one of them",
                other.place
            );
            self.faults.push(Fault::of_place(here(1), reason));
            return;
        }
        let list = match serde_json::from_slice::<Json>(bytes) {
            Ok(Json::Array(list)) => list,
            Ok(other) => {
                let found = Loose::from(&other).type_name();
                let reason = format!("must be a list of {setting}, not {found}");
                self.faults.push(Fault::of_place(here(1), reason));
                return;
            }
            Err(error) => {
                let line = count(error.line());
                let place = place(path, Some(line), Some(count(error.column())));
                self.faults.push(Fault::of_place(place, not_json(&error)));
                return;
            }
        };
        let mut is_right = true;
        for (index, (entry, line)) in list.iter().zip(lines(bytes)).enumerate() {
            if let Err(reason) = check(&entry.into()) {
                is_right = false;
                self.faults.push(Fault {
                    place: here(line),
                    kind: FaultKind::BadValue,
                    key: Some(setting.to_owned()),
                    value: Some(shown(&entry.to_string())),
                    reason: format!("entry {}: {reason}", index + 1),
                });
            }
        }
        if is_right {
            self.entries.push(Entry {
                table: String::new(),
                name: setting.to_owned(),
                value: Loose::List(list.iter().map(Into::into).collect()),
                written: shown(&String::from_utf8_lossy(bytes)),
                place: here(1),
            });
        }
    }
}

fn place(path: &Path, line: Option<u32>, column: Option<u32>) -> Place {
    Place::File {
        path: path.to_owned(),
        line,
        column,
    }
}

/// The library ends with the place, which is told before.
fn not_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    format!("is not JSON: {text}")
}

/// The lines on which the entries of a list begin; `bytes` is a list.
fn lines(bytes: &[u8]) -> Vec<u32> {
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
    let begin = bytes.iter().position(|byte| *byte == b'[');
    let split = begin.and_then(|begin| bytes.split_at_checked(begin + 1));
    let (before, mut rest) = split.unwrap_or_default();
    let (mut lines, mut line) = (Vec::new(), 1 + newlines(before));
    loop {
        let start = rest.iter().position(|byte| !is_between(byte));
        let split = start.and_then(|start| rest.split_at_checked(start));
        let (between, entry) = split.unwrap_or_default();
        let mut values = Deserializer::from_slice(entry).into_iter::<Json>();
        let Some(Ok(_)) = values.next() else {
            return lines;
        };
        line += newlines(between);
        lines.push(line);
        let split = entry.split_at_checked(values.byte_offset());
        let (entry, after) = split.unwrap_or_default();
        line += newlines(entry);
        rest = after;
    }
}

fn newlines(bytes: &[u8]) -> u32 {
    count(bytes.iter().filter(|byte| **byte == b'\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(files: &[(&str, &str)]) -> Document {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut document = Document::read(&folder.path().join("tessera.toml"));
        document.add_lists(folder.path());
        document
    }

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let name = |fault: &Fault| {
            let text = fault.to_string();
            text.rsplit_once('/').unwrap_or_default().1.to_owned()
        };
        let document = read(files);
        assert_eq!(
            document.entries.len() + document.faults.len(),
            1.max(document.faults.len())
        );
        document.faults.iter().map(name).collect()
    }

    #[test]
    fn lists_stand_in_files_of_their_own() {
        let document = read(&[
            (
                "HTTPRules.json",
                "[{\"regexPattern\": \"a\", \"status\": 404}]",
            ),
            ("HTTPHandlers.json", "\n[\n]\n"),
        ]);
        assert!(document.faults.is_empty(), "{:?}", document.faults);
        let keys: Vec<_> = document.entries.iter().map(Entry::key).collect();
        assert_eq!(keys, ["rules", "handlers"]);
    }

    #[test]
    fn faults_are_told_with_the_line_of_the_entry() {
        let rules = "[\n  {\"regexPattern\": \"a\"},\n\n  {\n    \"regexPattern\": \"(\"\n  }, {\"redirect\":\n 5}]";
        assert_eq!(
            faults(&[("HTTPRules.json", rules)]),
            [
                "HTTPRules.json:4: rules = {\"regexPattern\":\"(\"}: entry 2: regexPattern \"(\" must be a regular \
                 expression: unclosed group",
                "HTTPRules.json:6: rules = {\"redirect\":5}: entry 3: redirect must be a text, not a number",
            ]
        );
    }

    #[test]
    fn what_is_no_list_is_told_with_its_place() {
        for (text, expected) in [
            (
                "{}",
                "HTTPHandlers.json:1: must be a list of handlers, not a table",
            ),
            (
                "[{]",
                "HTTPHandlers.json:1:3: is not JSON: key must be a string",
            ),
            (
                "[\n1,",
                "HTTPHandlers.json:2:2: is not JSON: EOF while parsing a value",
            ),
            (
                "[[]]",
                "HTTPHandlers.json:1: handlers = []: entry 1: must be {pattern, method, ...}, not a list",
            ),
        ] {
            assert_eq!(faults(&[("HTTPHandlers.json", text)]), [expected], "{text}");
        }
        let twice = [("tessera.toml", "\nrules = []\n"), ("HTTPRules.json", "[]")];
        let document = read(&twice);
        let fault = document.faults[0].to_string();
        assert!(
            fault.contains("HTTPRules.json:1: rules stand in"),
            "{fault}"
        );
        assert!(fault.contains("tessera.toml:2 already"), "{fault}");
    }

    #[test]
    fn no_bytes_cause_a_panic() {
        let seed =
            b"[{\"regexPattern\": \"/a(.*)\", \"setHeaders\": {\"A\": \"b\"}}, [1], \"\\u00e9\"]";
        for at in 0..seed.len() {
            for byte in [b'[', b']', b'{', b'"', b',', b'\n', 0, 0xff] {
                let mut bytes = seed.to_vec();
                bytes[at] = byte;
                for bytes in [&bytes[..], &bytes[..at]] {
                    let mut document = Document::default();
                    document.add_list(Path::new("a.json"), bytes, "rules", rules::check);
                    assert!(document.entries.len() < 2);
                }
            }
        }
    }
}
