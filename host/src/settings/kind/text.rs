//! Texts: folders, pages, log filters, secrets.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;
use crate::settings::value::Secret;

/// What the common file systems still carry.
const PATH_BYTES_MAX: usize = 1024;

/// A folder inside the folder of the site or component.
#[derive(Debug)]
pub(in crate::settings) struct Folder {
    pub(in crate::settings) default: &'static str,
    /// First segments that hold what no visitor may read.
    pub(in crate::settings) reserved: &'static [&'static str],
}

impl Kind for Folder {
    type Value = PathBuf;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<PathBuf, Refusal> {
        let path = loose.text()?;
        // Some file systems do not tell case apart, so neither does this.
        let first = path.split('/').next().unwrap_or_default();
        let is_reserved = self
            .reserved
            .iter()
            .any(|name| name.eq_ignore_ascii_case(first));
        if is_reserved || !is_path_inside(path) {
            Err(Refusal::Value)
        } else {
            Ok(path.into())
        }
    }

    fn allowed(&self) -> String {
        let reserved = self.reserved.join(" or ");
        format!(
            "a path inside the folder of the site or component, such as \"public/html\": relative, \
             without \"..\", dot folders or a slash at either end, and not in {reserved}"
        )
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", self.default)
    }

    fn json(&self, value: &PathBuf) -> Json {
        value.to_string_lossy().into()
    }
}

impl Preset for Folder {
    fn preset(&self) -> PathBuf {
        self.default.into()
    }
}

/// The page that answers `/`; an empty text is none.
#[derive(Debug)]
pub(in crate::settings) struct HomePage {
    pub(in crate::settings) default: &'static str,
}

impl Kind for HomePage {
    type Value = Option<String>;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Option<String>, Refusal> {
        match loose.text()? {
            "" => Ok(None),
            path if is_path_inside(path) => Ok(Some(path.to_owned())),
            _ => Err(Refusal::Value),
        }
    }

    fn allowed(&self) -> String {
        "a path inside rootFolder, such as \"welcome/index.html\": without \"..\", dot files or a \
         slash at either end; or \"\" for none"
            .to_owned()
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", self.default)
    }

    fn json(&self, value: &Option<String>) -> Json {
        value.clone().unwrap_or_default().into()
    }
}

impl Preset for HomePage {
    fn preset(&self) -> Option<String> {
        Some(self.default.to_owned())
    }
}

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
}

impl Preset for LogFilter {
    fn preset(&self) -> String {
        self.default.to_owned()
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
}

/// Whether a relative path stays inside, names something, and needs no reading twice.
fn is_path_inside(path: &str) -> bool {
    // A colon is a drive or a stream on Windows, a backslash its separator.
    let is_forbidden = |c: char| c.is_control() || c == '\\' || c == ':';
    let is_segment = |segment: &str| !segment.is_empty() && !segment.starts_with('.');
    path.len() <= PATH_BYTES_MAX && !path.contains(is_forbidden) && path.split('/').all(is_segment)
}
