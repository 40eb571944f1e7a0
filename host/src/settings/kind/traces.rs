//! Where traces go, and which requests are traced.

use http::Uri;
use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;

/// Where a collector takes traces, by convention.
const PATH: &str = "/v1/traces";
const NAME_BYTES_MAX: usize = 100;

/// The URL of a collector; an empty text is none.
#[derive(Debug)]
pub(in crate::settings) struct Collector;

impl Kind for Collector {
    type Value = Option<Uri>;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Option<Uri>, Refusal> {
        match loose.text()? {
            "" => Ok(None),
            text => collector(text).map(Some).ok_or(Refusal::Value),
        }
    }

    fn allowed(&self) -> String {
        "an http or https URL with a host, such as \"http://127.0.0.1:4318\", whose path is \"/v1/traces\" if it has none; \"\" is none"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "\"\"".to_owned()
    }

    fn json(&self, value: &Option<Uri>) -> Json {
        let url = value.as_ref().map(Uri::to_string);
        url.unwrap_or_default().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "default": ""})
    }
}

impl Preset for Collector {
    fn preset(&self) -> Option<Uri> {
        None
    }
}

fn collector(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    // A password in front is for the file of header fields, which nobody else can read.
    if !is_http || uri.host().is_none_or(str::is_empty) || authority.contains('@') {
        return None;
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Some(uri);
    }
    let scheme = uri.scheme_str()?;
    format!("{scheme}://{authority}{PATH}").parse().ok()
}

/// A part of a whole, from 0 to 1.
#[derive(Debug)]
pub(in crate::settings) struct Fraction {
    pub(in crate::settings) default: f64,
}

impl Kind for Fraction {
    type Value = f64;
    const TYPE: &'static str = "number";
    const NOUN: &'static str = "a number";

    fn read(&self, loose: &Loose) -> Result<f64, Refusal> {
        let fraction = match loose {
            Loose::Integer(0) => 0.0,
            Loose::Integer(1) => 1.0,
            Loose::Integer(_) => return Err(Refusal::Value),
            Loose::Float(fraction) => *fraction,
            _ => return Err(Refusal::Type),
        };
        match (0.0..=1.0).contains(&fraction) {
            true => Ok(fraction),
            false => Err(Refusal::Value),
        }
    }

    fn allowed(&self) -> String {
        "from 0 (none) to 1 (all)".to_owned()
    }

    fn default_text(&self) -> String {
        self.default.to_string()
    }

    fn json(&self, value: &f64) -> Json {
        (*value).into()
    }

    fn schema(&self) -> Json {
        json!({"type": "number", "minimum": 0, "maximum": 1, "default": self.default})
    }
}

impl Preset for Fraction {
    fn preset(&self) -> f64 {
        self.default
    }
}

/// What the process is called among others.
#[derive(Debug)]
pub(in crate::settings) struct ServiceName {
    pub(in crate::settings) default: &'static str,
}

impl Kind for ServiceName {
    type Value = String;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<String, Refusal> {
        let name = loose.text()?;
        let is_name =
            (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains(char::is_control);
        is_name.then(|| name.to_owned()).ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        format!("a text of 1 to {NAME_BYTES_MAX} bytes without control characters")
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", self.default)
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "minLength": 1, "maxLength": NAME_BYTES_MAX, "default": self.default})
    }
}

impl Preset for ServiceName {
    fn preset(&self) -> String {
        self.default.to_owned()
    }
}
