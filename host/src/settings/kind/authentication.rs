//! The realm of BASIC and DIGEST.

use serde_json::{Value as Json, json};

use super::{Kind, Refusal};
use crate::settings::file::Loose;

const BYTES_MAX: usize = 100;

/// A text that browsers show. It stands in quotes in a header, so ASCII without quotes and backslashes.
#[derive(Debug)]
pub(in crate::settings) struct Realm;

/// Whether a character may stand in a realm.
pub(in crate::settings) fn is_in_realms(c: char) -> bool {
    (c.is_ascii_graphic() || c == ' ') && c != '"' && c != '\\'
}

impl Kind for Realm {
    type Value = String;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<String, Refusal> {
        let text = loose.text()?;
        match (1..=BYTES_MAX).contains(&text.len()) && text.chars().all(is_in_realms) {
            true => Ok(text.to_owned()),
            false => Err(Refusal::Value),
        }
    }

    fn allowed(&self) -> String {
        format!("1 to {BYTES_MAX} characters of ASCII, without quotes and backslashes")
    }

    fn default_text(&self) -> String {
        "the component's name".to_owned()
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "minLength": 1, "maxLength": BYTES_MAX, "pattern": "^[ !#-\\[\\]-~]+$"})
    }
}
