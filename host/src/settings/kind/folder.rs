//! Folders and the pages in them.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;

/// What the common file systems still carry.
const PATH_BYTES_MAX: usize = 1024;
/// What Linux takes in one call.
const FULL_PATH_BYTES_MAX: usize = 4095;
/// Folders of a site that hold what no visitor may read; dot folders do, too.
pub(in crate::settings) const RESERVED: [&str; 2] = ["components", "Logs"];

/// The folder of the static files. A path that is not absolute is one inside the folder of the site or component.
#[derive(Debug)]
pub(in crate::settings) struct RootFolder {
    pub(in crate::settings) default: &'static str,
}

impl Kind for RootFolder {
    type Value = PathBuf;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<PathBuf, Refusal> {
        let path = loose.text()?;
        if is_full_path(path) || is_served_path(path) {
            Ok(path.into())
        } else {
            Err(Refusal::Value)
        }
    }

    fn allowed(&self) -> String {
        let reserved = RESERVED.join(" or ");
        format!(
            "an absolute path, or one inside the folder of the site or component, such as \
             \"public/html\": without \"..\", dot folders or a slash at the end, and not in {reserved}"
        )
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", self.default)
    }

    fn json(&self, value: &PathBuf) -> Json {
        value.to_string_lossy().into()
    }

    fn schema(&self) -> Json {
        json!({"type": ["string", "null"], "default": self.default})
    }
}

impl Preset for RootFolder {
    fn preset(&self) -> PathBuf {
        self.default.into()
    }
}

/// The folder of the certificate. A path that is not absolute is one inside the folder of the site or component.
#[derive(Debug)]
pub(in crate::settings) struct CertificateFolder;

impl Kind for CertificateFolder {
    type Value = PathBuf;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<PathBuf, Refusal> {
        read_path(loose)
    }

    fn allowed(&self) -> String {
        "an absolute path, or one inside the folder of the site or component, such as \"tls\": \
         without \"..\" or a slash at the end"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "the folder of the site or component".to_owned()
    }

    fn json(&self, value: &PathBuf) -> Json {
        value.to_string_lossy().into()
    }

    fn schema(&self) -> Json {
        json!({"type": ["string", "null"]})
    }
}

/// A page of the root folder; an empty text is none.
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

    fn schema(&self) -> Json {
        json!({"type": "string", "maxLength": PATH_BYTES_MAX, "default": self.default})
    }
}

impl Preset for HomePage {
    fn preset(&self) -> Option<String> {
        (!self.default.is_empty()).then(|| self.default.to_owned())
    }
}

/// Whether a path inside the folder of a site or component may be served from.
pub(in crate::settings) fn is_served_path(path: &str) -> bool {
    // Some file systems do not tell case apart, so neither does this.
    let first = path.split('/').next().unwrap_or_default();
    let is_reserved = RESERVED.iter().any(|name| name.eq_ignore_ascii_case(first));
    !is_reserved && is_path_inside(path)
}

/// Whether a relative path stays inside, names something, and needs no reading twice.
fn is_path_inside(path: &str) -> bool {
    // A colon is a drive or a stream on Windows, a backslash its separator.
    let is_dotted = path.split('/').any(|segment| segment.starts_with('.'));
    path.len() <= PATH_BYTES_MAX && !is_dotted && !path.contains(['\\', ':']) && is_plain(path)
}

/// A path that is absolute, or inside the folder of the site or component.
pub(super) fn read_path(loose: &Loose) -> Result<PathBuf, Refusal> {
    let path = loose.text()?;
    match is_path(path) {
        true => Ok(path.into()),
        false => Err(Refusal::Value),
    }
}

/// Whether a path is absolute, or one inside the folder of the site or component.
pub(super) fn is_path(path: &str) -> bool {
    is_full_path(path) || (path.len() <= PATH_BYTES_MAX && is_plain(path))
}

/// Whether an absolute path is written in one way only. What stands above the site is not Tessera's to name.
fn is_full_path(path: &str) -> bool {
    let inside = path.strip_prefix('/');
    path.len() <= FULL_PATH_BYTES_MAX
        && inside.is_some_and(|inside| inside.is_empty() || is_plain(inside))
}

/// Whether every segment names something.
fn is_plain(path: &str) -> bool {
    !path.contains(char::is_control)
        && !path
            .split('/')
            .any(|segment| matches!(segment, "" | "." | ".."))
}
