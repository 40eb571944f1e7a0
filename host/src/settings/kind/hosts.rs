//! A list of servers to send requests to.

use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::allowed_hosts::AllowedHosts;
use crate::settings::file::Loose;

/// Servers that a component may send requests to.
#[derive(Debug)]
pub(in crate::settings) struct HostList;

const ENTRIES_MAX: usize = 1_000;
const ENTRY_BYTES_MAX: usize = 300;

impl Kind for HostList {
    type Value = AllowedHosts;
    const TYPE: &'static str = "list of texts";
    const NOUN: &'static str = "a list of";

    fn read(&self, loose: &Loose) -> Result<AllowedHosts, Refusal> {
        let Loose::List(list) = loose else {
            return Err(Refusal::Type);
        };
        if list.len() > ENTRIES_MAX {
            return Err(Refusal::Value);
        }
        let mut entries = Vec::with_capacity(list.len());
        for loose in list {
            let entry = loose.text().map_err(|_| Refusal::Value)?;
            if entry.len() > ENTRY_BYTES_MAX {
                return Err(Refusal::Value);
            }
            entries.push(entry);
        }
        AllowedHosts::of(entries)
            .map_err(|entry| Refusal::Because(format!("{entry:?} is none of {}", self.allowed())))
    }

    fn allowed(&self) -> String {
        "hosts such as \"api.example.com\", \"*.example.org:8443\", \"http://localhost:9000\" or \"10.0.0.0/8\"".to_owned()
    }

    fn default_text(&self) -> String {
        "[]".to_owned()
    }

    fn json(&self, value: &AllowedHosts) -> Json {
        value.entries().collect()
    }

    fn schema(&self) -> Json {
        let entry = json!({"type": "string", "minLength": 1, "maxLength": ENTRY_BYTES_MAX});
        json!({"type": "array", "items": entry, "maxItems": ENTRIES_MAX, "default": []})
    }
}

impl Preset for HostList {
    fn preset(&self) -> AllowedHosts {
        AllowedHosts::default()
    }
}
