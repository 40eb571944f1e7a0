//! A file that there may be.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::folder::read_path;
use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;

/// A file; an empty text is none. A path that is not absolute is one inside the folder of the site.
#[derive(Debug)]
pub(in crate::settings) struct OptionalFile {
    /// What it might be called.
    pub(in crate::settings) example: &'static str,
}

impl Kind for OptionalFile {
    type Value = Option<PathBuf>;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Option<PathBuf>, Refusal> {
        match loose.text()? {
            "" => Ok(None),
            _ => read_path(loose).map(Some),
        }
    }

    fn allowed(&self) -> String {
        format!(
            "an absolute path, or one inside the folder of the site, such as \"{}\": without \"..\" or a slash at the end; \"\" is none",
            self.example
        )
    }

    fn default_text(&self) -> String {
        "\"\"".to_owned()
    }

    fn json(&self, value: &Option<PathBuf>) -> Json {
        let path = value.as_ref().map(|path| path.to_string_lossy());
        path.unwrap_or_default().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "default": ""})
    }
}

impl Preset for OptionalFile {
    fn preset(&self) -> Option<PathBuf> {
        None
    }
}
