//! Settings from text to strict values, and the faults on the way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::file::Document;
use super::reader::Reader;
use super::setting::Scope;
use super::table::{NOT_YET, READ_ONLY, SETTINGS, TABLES};
use super::*;

mod component;
mod faults;
mod garbage;
mod host;
mod reference;

const SITE: &str = "/site";
const SHOP: &str = "/site/components/shop";

fn host_settings(text: &str, overrides: &[&str]) -> Result<HostSettings, SettingsError> {
    let overrides: Vec<Override> = overrides
        .iter()
        .map(|text| Override::parse(text).unwrap())
        .collect();
    let document = Document::parse(Path::new("/site/tessera.toml"), text);
    HostSettings::read(
        Path::new(SITE),
        Reader::new(Scope::Host, document, &overrides),
    )
}

fn component_settings(text: &str) -> Result<ComponentSettings, SettingsError> {
    let document = Document::parse(&Path::new(SHOP).join("settings.toml"), text);
    let reader = Reader::new(Scope::Component, document, &[]);
    ComponentSettings::read("shop", Some(Path::new(SHOP)), reader)
}

/// Reads one setting in the file it belongs to, and gives what was recorded of it.
fn read_one(key: &str, value: &str) -> Result<Json, SettingsError> {
    let (table, name) = key.split_once('.').unwrap_or(("", key));
    let header = if table.is_empty() {
        String::new()
    } else {
        format!("[{table}]\n")
    };
    let text = format!("{header}{name} = {value}\n");
    let definition = SETTINGS.iter().find(|it| it.key() == key).unwrap();
    let values = if definition.scope().covers(Scope::Host) {
        host_settings(&text, &[])?.values().clone()
    } else {
        component_settings(&text)?.values().clone()
    };
    Ok(values.value(key))
}
