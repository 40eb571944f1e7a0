//! Texts: log filters, names of servers, secrets.

use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;
use crate::settings::value::Secret;

/// What is logged: a level, or levels per part of the program.
#[derive(Debug)]
pub(in crate::settings) struct LogFilter {
    pub(in crate::settings) default: &'static str,
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl Kind for LogFilter {
    type Value = String;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<String, Refusal> {
        let is_target = |target: &str| {
            let is_in_target = |b: u8| b.is_ascii_alphanumeric() || b"_:-.".contains(&b);
            !target.is_empty() && target.bytes().all(is_in_target)
        };
        // A bare word is a level and never a target: a slip such as "inof" must not be taken for
        // a part of the program of that name.
        let is_directive = |directive: &str| match directive.split_once('=') {
            Some((target, level)) => is_target(target) && LEVELS.contains(&level),
            None => LEVELS.contains(&directive),
        };
        let filter = loose.text()?;
        if filter.split(',').all(is_directive) {
            Ok(filter.to_owned())
        } else {
            Err(Refusal::Value)
        }
    }

    fn allowed(&self) -> String {
        format!(
            "one of {}, or a list such as \"info,hyper=warn\"",
            LEVELS.join(", ")
        )
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", self.default)
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "default": self.default})
    }
}

impl Preset for LogFilter {
    fn preset(&self) -> String {
        self.default.to_owned()
    }
}

/// Servers that a component may start and stop.
#[derive(Debug)]
pub(in crate::settings) struct ServerNames;

const SERVERS_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 255;

impl Kind for ServerNames {
    type Value = Vec<String>;
    const TYPE: &'static str = "list of texts";
    const NOUN: &'static str = "a list of";

    fn read(&self, loose: &Loose) -> Result<Vec<String>, Refusal> {
        let Loose::List(list) = loose else {
            return Err(Refusal::Type);
        };
        if list.len() > SERVERS_MAX {
            return Err(Refusal::Value);
        }
        let mut names: Vec<String> = Vec::with_capacity(list.len());
        for loose in list {
            let name = loose.text().map_err(|_| Refusal::Value)?;
            let is_name = (1..=NAME_BYTES_MAX).contains(&name.len())
                && !name.contains(|c: char| c.is_control() || c == '/');
            if !is_name {
                return Err(Refusal::Value);
            }
            if !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn allowed(&self) -> String {
        "names of components, \"self\", \"host\", or \"*\" for all but itself".to_owned()
    }

    fn default_text(&self) -> String {
        "[]".to_owned()
    }

    fn json(&self, value: &Vec<String>) -> Json {
        value.as_slice().into()
    }

    fn schema(&self) -> Json {
        let name = json!({"type": "string", "minLength": 1, "maxLength": NAME_BYTES_MAX});
        json!({"type": "array", "items": name, "maxItems": SERVERS_MAX, "default": []})
    }
}

impl Preset for ServerNames {
    fn preset(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The access key of admin: it travels in a header, so visible ASCII without spaces.
#[derive(Debug)]
pub(in crate::settings) struct AccessKey;

impl Kind for AccessKey {
    type Value = Secret;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;
    const IS_SECRET: bool = true;

    fn read(&self, loose: &Loose) -> Result<Secret, Refusal> {
        let text = loose.text()?;
        let is_key = (8..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if is_key {
            Ok(Secret::new(text))
        } else {
            Err(Refusal::Value)
        }
    }

    fn allowed(&self) -> String {
        "a text of 8 to 256 visible ASCII characters without spaces".to_owned()
    }

    fn default_text(&self) -> String {
        "generated at the first start".to_owned()
    }

    fn json(&self, _: &Secret) -> Json {
        Json::Null
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "minLength": 8, "maxLength": 256, "writeOnly": true})
    }
}

/// The value of an environment variable; hidden in messages, since many are passwords.
#[derive(Debug)]
pub(in crate::settings) struct Variable;

impl Kind for Variable {
    type Value = String;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;
    const IS_SECRET: bool = true;

    fn read(&self, loose: &Loose) -> Result<String, Refusal> {
        let text = loose.text()?;
        if text.contains('\0') {
            Err(Refusal::Value)
        } else {
            Ok(text.to_owned())
        }
    }

    fn allowed(&self) -> String {
        "a text without NUL".to_owned()
    }

    fn default_text(&self) -> String {
        "none".to_owned()
    }

    fn json(&self, _: &String) -> Json {
        Json::Null
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "writeOnly": true})
    }
}
