//! Settings from text to strict values, and the faults on the way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::file::Document;
use super::reader::Reader;
use super::setting::Definition;
use super::table::{self, NOT_YET, READ_ONLY, SETTINGS, TABLES};
use super::*;

mod class;
mod component;
mod faults;
mod folders;
mod garbage;
mod grants;
mod host;
mod layers;
mod reference;
mod refused;
mod rules;
mod schema;
mod web;

const SITE: &str = "/site";
const SHOP: &str = "/site/components/shop";

/// Lets a component listen, so that no setting is refused for having no effect; without a certificate.
const PORTS: [(&str, &str); 3] = [
    ("HTTPPort", "8080"),
    ("HTTPSPort", "8443"),
    ("HTTPSEnabled", "false"),
];

fn host_settings(text: &str, overrides: &[&str]) -> Result<HostSettings, SettingsError> {
    host_with(text, &parsed(overrides))
}

fn host_with(text: &str, overrides: &[Override]) -> Result<HostSettings, SettingsError> {
    let document = Document::parse(Path::new("/site/tessera.toml"), text);
    let reader = Reader::new(Scope::Host, document, overrides);
    HostSettings::read(Path::new(SITE), reader)
}

fn component_settings(text: &str) -> Result<ComponentSettings, SettingsError> {
    component_with(text, &[])
}

fn component_with(text: &str, overrides: &[Override]) -> Result<ComponentSettings, SettingsError> {
    let document = Document::parse(&Path::new(SHOP).join("settings.toml"), text);
    let reader = Reader::new(Scope::Component, document, overrides);
    ComponentSettings::read("shop", Some(Path::new(SHOP)), reader)
}

fn parsed(overrides: &[&str]) -> Vec<Override> {
    let parse = |text: &&str| Override::parse(text).unwrap();
    overrides.iter().map(parse).collect()
}

fn given(origin: Origin, settings: &Json) -> Vec<Override> {
    Override::from_json(origin, settings.as_object().unwrap())
}

/// Reads one setting of every server that has it, from every place that it may come from, and gives what was recorded
/// of it: from all the same.
fn read_one(key: &str, value: &str) -> Result<Json, SettingsError> {
    let definition = SETTINGS.iter().find(|it| it.key() == key).unwrap();
    let servers = [Scope::Host, Scope::Component];
    let servers = servers
        .into_iter()
        .filter(|server| definition.scope().covers(*server));
    let results: Vec<_> = servers
        .map(|server| read_one_of(server, key, value))
        .collect();
    for other in &results[1..] {
        match (&results[0], other) {
            (Ok(first), Ok(other)) if key == "rootFolder" || key == "certificateFolder" => {
                let absolute = value.starts_with("'/");
                assert_eq!(first == other, absolute, "{key} = {value}");
            }
            (Ok(first), Ok(other)) => assert_eq!(first, other, "{key} = {value}"),
            (Err(first), Err(other)) => {
                let reason = |error: &SettingsError| error.faults()[0].reason().to_owned();
                assert_eq!(reason(first), reason(other), "{key} = {value}");
            }
            (first, other) => panic!("{key} = {value}: {first:?} and {other:?}"),
        }
    }
    results.into_iter().next().unwrap()
}

fn read_one_of(server: Scope, key: &str, value: &str) -> Result<Json, SettingsError> {
    let is_component = server == Scope::Component;
    let others = PORTS
        .iter()
        .filter(|(other, _)| is_component && *other != key && !key.starts_with("mount"));
    let others: String = others
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    let read = |text: &str, overrides: &[Override]| -> Result<Json, SettingsError> {
        let values = match server {
            Scope::Component => component_with(text, overrides)?.values().clone(),
            _ => host_with(text, overrides)?.values().clone(),
        };
        Ok(values.value(key))
    };
    let in_file = read(&format!("{others}{key} = {value}\n"), &[]);

    let set = Override::parse(&format!("{key}={value}")).unwrap();
    let from_set = read(&others, std::slice::from_ref(&set));
    let (name, json) = set.to_json();
    let nested = match key.split_once('.') {
        Some((table, name)) => json!({ table: { name: json } }),
        None => json!({ name: json }),
    };
    let start = given(Origin::Start, &nested);
    let from_json = read(&others, &start);
    assert_eq!(
        from_set.is_ok(),
        in_file.is_ok(),
        "--set {key}={value}: {from_set:?}"
    );
    if let (Ok(set), Ok(file)) = (&from_set, &in_file) {
        assert_eq!(set, file, "--set {key}={value}");
    }
    match from_json {
        Err(error) if effect_of(key) == Some(Effect::ProcessRestart) => {
            assert_eq!(
                error.faults()[0].kind(),
                FaultKind::ProcessSetting,
                "{error}"
            );
        }
        Err(error) => {
            assert!(in_file.is_err(), "{nested}: {error}");
            assert_eq!(error.faults()[0].kind(), FaultKind::BadValue, "{error}");
        }
        Ok(json) => assert_eq!(Ok(json), in_file, "{nested}"),
    }
    in_file
}
