//! What responses look like: character set and compression.

use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;
use crate::settings::web_server::Charset;

/// A character set, by its MIBEnum or its name.
#[derive(Debug)]
pub(in crate::settings) struct CharacterSet;

impl Kind for CharacterSet {
    type Value = Charset;
    const TYPE: &'static str = "text or number";

    fn read(&self, loose: &Loose) -> Result<Charset, Refusal> {
        // IANA writes Shift_JIS what the documents write Shift-JIS.
        let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
        let is_it = |charset: &Charset| match loose {
            Loose::Integer(mib) => i128::from(charset.mib()) == *mib,
            Loose::Text(name) => plain(charset.name()) == plain(name),
            _ => false,
        };
        match loose {
            Loose::Integer(_) | Loose::Text(_) => Charset::ALL
                .iter()
                .copied()
                .find(is_it)
                .ok_or(Refusal::Value),
            _ => Err(Refusal::Type),
        }
    }

    fn allowed(&self) -> String {
        let sets: Vec<String> = Charset::ALL
            .iter()
            .map(|charset| format!("{} ({})", charset.name(), charset.mib()))
            .collect();
        format!("a name or number of {}", sets.join(", "))
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", Charset::Utf8.name())
    }

    fn json(&self, value: &Charset) -> Json {
        value.name().into()
    }

    fn schema(&self) -> Json {
        let numbers: Vec<u16> = Charset::ALL.iter().map(|charset| charset.mib()).collect();
        json!({"anyOf": [{"type": "string"}, {"enum": numbers}], "default": Charset::Utf8.name()})
    }
}

impl Preset for CharacterSet {
    fn preset(&self) -> Charset {
        Charset::Utf8
    }
}

/// How much is compressed: from 1, the fastest, to 9, or -1 for a compromise.
#[derive(Debug)]
pub(in crate::settings) struct CompressionLevel {
    pub(in crate::settings) default: u8,
}

impl Kind for CompressionLevel {
    type Value = Option<u8>;
    const TYPE: &'static str = "number";
    const NOUN: &'static str = "a whole number";

    fn read(&self, loose: &Loose) -> Result<Option<u8>, Refusal> {
        let Loose::Integer(number) = loose else {
            return Err(Refusal::Type);
        };
        match (number, u8::try_from(*number)) {
            (-1, _) => Ok(None),
            (_, Ok(level @ 1..=9)) => Ok(Some(level)),
            _ => Err(Refusal::Value),
        }
    }

    fn allowed(&self) -> String {
        "from 1 (fastest) to 9 (smallest), or -1 (a compromise)".to_owned()
    }

    fn default_text(&self) -> String {
        self.default.to_string()
    }

    fn json(&self, value: &Option<u8>) -> Json {
        value.map_or(Json::from(-1), Json::from)
    }

    fn schema(&self) -> Json {
        json!({"enum": [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9], "default": self.default})
    }
}

impl Preset for CompressionLevel {
    fn preset(&self) -> Option<u8> {
        Some(self.default)
    }
}
