//! Which running host a command talks to, and in which form it answers: the arguments of all commands that go through
//! admin.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::client::{Client, Connection};
use super::failure::Failure;
use super::{layout, output};

/// The host of a site, and the form of the answer.
#[derive(clap::Args)]
pub(super) struct Target {
    /// The folder of the site.
    #[arg(long, value_name = "SITE", default_value = ".")]
    site: PathBuf,
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Prints tables as wide as they are, also where the terminal is not.
    #[arg(long)]
    wide: bool,
}

impl Target {
    /// Finds the host.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        self.client_of(&self.site)
    }

    /// Finds the host, to ask what anybody may.
    pub(super) fn client_without_key(&self) -> Result<Client, Failure> {
        Client::without_key(&self.site, &self.connection)
    }

    /// Whether the answer is for a program.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Finds the host of a site that was named in another way.
    pub(super) fn client_of(&self, site: &Path) -> Result<Client, Failure> {
        Client::find(site, &self.connection)
    }

    /// Prints an answer: as it is for programs, or the text that is made of it for people.
    pub(super) fn print(
        &self,
        answer: &Value,
        text: impl FnOnce(&Value) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            output::print_json(answer)
        } else {
            let width = layout::terminal_width().filter(|_| !self.wide);
            output::print_as_wide_as(&text(answer), width)
        }
    }
}

/// The objects of a list.
pub(super) fn objects(list: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    let values = list.as_array().into_iter().flatten();
    values.filter_map(Value::as_object)
}

/// A text of an object; empty when it has none of that name.
pub(super) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A list of texts of an object, fit for a terminal.
pub(super) fn texts(object: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = object.get(key).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(output::printable).collect()
}
