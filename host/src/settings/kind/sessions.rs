//! What is said of sessions: where they are kept, and which privileges include which.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::grants::store;
use super::{Kind, Preset, Refusal};
use crate::settings::error::shown;
use crate::settings::file::Loose;
use crate::settings::grants::StoreKind;

/// Far more than a site has, and few enough to look through for every login.
const ROLES_MAX: usize = 256;
const INCLUDED_MAX: usize = 64;
/// Longest name of a privilege or a role, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The documents keep it for the administration server.
const RESERVED: &str = "WebAdmin";

/// `memory`, `file` or the URL of a Redis server.
#[derive(Debug)]
pub(in crate::settings) struct SessionStore;

impl Kind for SessionStore {
    type Value = StoreKind;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;
    // The URL of a Redis server may hold its password.
    const IS_SECRET: bool = true;

    fn read(&self, loose: &Loose) -> Result<StoreKind, Refusal> {
        store(loose.text()?).ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        "\"memory\", \"file\" or the URL of a Redis server (\"redis://host:6379/0\")".to_owned()
    }

    fn default_text(&self) -> String {
        "\"file\"".to_owned()
    }

    fn json(&self, value: &StoreKind) -> Json {
        match value {
            StoreKind::Memory => "memory".into(),
            StoreKind::File => "file".into(),
            StoreKind::Redis(url) => without_password(url.expose()).into(),
        }
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": "^(memory|file|redis://.+)$", "default": "file"})
    }
}

impl Preset for SessionStore {
    fn preset(&self) -> StoreKind {
        StoreKind::File
    }
}

/// A URL as it may be shown.
fn without_password(url: &str) -> String {
    let rest = url.strip_prefix("redis://").unwrap_or(url);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("redis://{host}")
}

/// Privileges and roles, each with those that it includes.
#[derive(Debug)]
pub(in crate::settings) struct RoleTable;

impl Kind for RoleTable {
    type Value = BTreeMap<String, Vec<String>>;
    const TYPE: &'static str = "table";
    const NOUN: &'static str = "a table of";

    fn read(&self, loose: &Loose) -> Result<Self::Value, Refusal> {
        let Loose::Table(members) = loose else {
            return Err(Refusal::Type);
        };
        if members.len() > ROLES_MAX {
            return Err(Refusal::Value);
        }
        let mut roles = BTreeMap::new();
        for (name, included) in members {
            let included = role(name, included).map_err(Refusal::Because)?;
            roles.insert(name.clone(), included);
        }
        Ok(roles)
    }

    fn allowed(&self) -> String {
        format!(
            "at most {ROLES_MAX} names, each with the list of those that it includes (at most {INCLUDED_MAX}): \
             {{reader = [], editor = [\"reader\"]}}"
        )
    }

    fn default_text(&self) -> String {
        "{}".to_owned()
    }

    fn json(&self, value: &Self::Value) -> Json {
        let roles: Map<String, Json> = value
            .iter()
            .map(|(name, included)| (name.clone(), included.clone().into()))
            .collect();
        roles.into()
    }

    fn schema(&self) -> Json {
        let name = json!({"type": "string", "minLength": 1, "maxLength": NAME_BYTES_MAX});
        json!({
            "type": "object",
            "additionalProperties": {"type": "array", "items": name, "maxItems": INCLUDED_MAX},
            "default": {},
        })
    }
}

impl Preset for RoleTable {
    fn preset(&self) -> Self::Value {
        BTreeMap::new()
    }
}

fn role(name: &str, included: &Loose) -> Result<Vec<String>, String> {
    check_name(name)?;
    let Loose::List(list) = included else {
        return Err(format!(
            "\"{}\" must be a list of names, not {}",
            shown(name),
            included.type_name()
        ));
    };
    if list.len() > INCLUDED_MAX {
        return Err(format!(
            "\"{}\" must include at most {INCLUDED_MAX} others",
            shown(name)
        ));
    }
    let one = |loose: &Loose| {
        let text = loose.text();
        let text = text.map_err(|_| format!("\"{}\" must be a list of names", shown(name)))?;
        check_name(text)?;
        Ok(text.to_owned())
    };
    list.iter().map(one).collect()
}

fn check_name(name: &str) -> Result<(), String> {
    if name == RESERVED {
        return Err(format!(
            "must not name {RESERVED}, which is the administration server's"
        ));
    }
    let is_plain = |c: char| !c.is_control() && c != ',';
    let is_name = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.trim() == name
        && name.chars().all(is_plain);
    if is_name {
        return Ok(());
    }
    Err(format!(
        "\"{}\" is no name: 1 to {NAME_BYTES_MAX} bytes without commas, control characters, or blanks around them",
        shown(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, expected) in [
            ("redis://host:1/0", "redis://host:1/0"),
            ("redis://:hunter2@host", "redis://host"),
            ("redis://a:b@c@host/1", "redis://host/1"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }
}
