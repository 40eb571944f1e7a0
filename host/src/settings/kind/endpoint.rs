//! Where something of the process itself listens, and where it sends to.

use std::net::SocketAddr;

use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;

/// An address of this machine and a port; an empty text is none.
#[derive(Debug)]
pub(in crate::settings) struct ListenAddress;

impl Kind for ListenAddress {
    type Value = Option<SocketAddr>;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Option<SocketAddr>, Refusal> {
        match loose.text()? {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Refusal::Value),
        }
    }

    fn allowed(&self) -> String {
        "an IP address with a port, such as \"0.0.0.0:9080\" or \"[::]:9080\"; \"\" is none"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "\"\"".to_owned()
    }

    fn json(&self, value: &Option<SocketAddr>) -> Json {
        let address = value.map(|address| address.to_string());
        address.unwrap_or_default().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "default": ""})
    }
}

impl Preset for ListenAddress {
    fn preset(&self) -> Option<SocketAddr> {
        None
    }
}
