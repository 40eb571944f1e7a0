//! Attributes of the session cookie. They end up in a response header, so nothing in them may end it.

use serde_json::{Value as Json, json};

use super::network::host_name;
use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;

/// What browsers keep of an attribute.
const ATTRIBUTE_BYTES_MAX: usize = 1024;

/// The domain of the cookie; empty for none.
#[derive(Debug)]
pub(in crate::settings) struct CookieDomain;

impl Kind for CookieDomain {
    type Value = String;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<String, Refusal> {
        let text = loose.text()?;
        // The documents write "/*.4d.fr" for what a cookie writes ".4d.fr" or "4d.fr".
        let prefixes = ["/*.", "*.", "."];
        let name = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix));
        let name = host_name(name.unwrap_or(text));
        let is_name = name.is_some_and(|name| name.parse::<std::net::IpAddr>().is_err());
        if text.is_empty() || is_name {
            Ok(text.to_owned())
        } else {
            Err(Refusal::Value)
        }
    }

    fn allowed(&self) -> String {
        "a domain name in ASCII, such as \"example.com\" or \"/*.example.com\"; or \"\" for none"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "\"\"".to_owned()
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "default": ""})
    }
}

impl Preset for CookieDomain {
    fn preset(&self) -> String {
        String::new()
    }
}

/// The path of the cookie; empty for none.
#[derive(Debug)]
pub(in crate::settings) struct CookiePath;

impl Kind for CookiePath {
    type Value = String;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<String, Refusal> {
        let path = loose.text()?;
        let is_in_path = |b: u8| b.is_ascii_graphic() && !b";,\"\\".contains(&b);
        let is_path = path.is_empty() || path.starts_with('/');
        if is_path && path.len() <= ATTRIBUTE_BYTES_MAX && path.bytes().all(is_in_path) {
            Ok(path.to_owned())
        } else {
            Err(Refusal::Value)
        }
    }

    fn allowed(&self) -> String {
        "a path such as \"/4DACTION\": it starts with a slash, and is visible ASCII without any of \
         ;,\"\\; or \"\" for none"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "\"\"".to_owned()
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "maxLength": ATTRIBUTE_BYTES_MAX, "default": ""})
    }
}

impl Preset for CookiePath {
    fn preset(&self) -> String {
        String::new()
    }
}
