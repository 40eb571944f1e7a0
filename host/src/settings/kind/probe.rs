//! The URL that a new version of a component is asked for.

use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;

/// Path and query of a request to the component; none, written as an empty text, asks nothing.
#[derive(Debug)]
pub(in crate::settings) struct ProbePath;

const BYTES_MAX: usize = 1024;

impl Kind for ProbePath {
    type Value = Option<String>;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Option<String>, Refusal> {
        let text = loose.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        let is_url = text.len() <= BYTES_MAX
            && text.starts_with('/')
            && !text.contains('#')
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_url {
            Ok(Some(text.to_owned()))
        } else {
            Err(Refusal::Value)
        }
    }

    fn allowed(&self) -> String {
        "a URL as the component sees it, such as \"/health?deep=1\": it starts with a slash, and has no spaces, \
         no fragment and nothing but ASCII; \"\" is none"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "\"\"".to_owned()
    }

    fn json(&self, value: &Option<String>) -> Json {
        value.as_deref().unwrap_or_default().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "maxLength": BYTES_MAX, "default": ""})
    }
}

impl Preset for ProbePath {
    fn preset(&self) -> Option<String> {
        None
    }
}
