//! The fields of the access log, and when it is rotated.

use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;
use crate::settings::logs::{AccessField, Rotation};

/// A list of fields, each once.
#[derive(Debug)]
pub(in crate::settings) struct FieldList;

impl Kind for FieldList {
    type Value = Vec<AccessField>;
    const TYPE: &'static str = "list of texts";
    const NOUN: &'static str = "a list of";

    fn read(&self, loose: &Loose) -> Result<Vec<AccessField>, Refusal> {
        let Loose::List(list) = loose else {
            return Err(Refusal::Type);
        };
        let mut fields = Vec::new();
        for entry in list {
            let text = entry.text().map_err(|_| Refusal::Value)?;
            let field = AccessField::of_token(text).ok_or_else(|| {
                Refusal::Because(format!("{text:?} is none of {}", self.allowed()))
            })?;
            if fields.contains(&field) {
                return Err(Refusal::Because(format!("must not have {text} twice")));
            }
            fields.push(field);
        }
        match fields.is_empty() {
            true => Err(Refusal::Because("must have at least one field".to_owned())),
            false => Ok(fields),
        }
    }

    fn allowed(&self) -> String {
        let tokens: Vec<&str> = AccessField::tokens().collect();
        format!("the fields {}", tokens.join(", "))
    }

    fn default_text(&self) -> String {
        self.json(&self.preset()).to_string()
    }

    fn json(&self, value: &Vec<AccessField>) -> Json {
        value.iter().map(|field| field.token()).collect()
    }

    fn schema(&self) -> Json {
        let tokens: Vec<&str> = AccessField::tokens().collect();
        json!({
            "type": "array",
            "items": {"enum": tokens},
            "minItems": 1,
            "default": self.json(&self.preset()),
        })
    }
}

impl Preset for FieldList {
    fn preset(&self) -> Vec<AccessField> {
        AccessField::STANDARD.to_vec()
    }
}

/// When a log is rotated, as a text.
#[derive(Debug)]
pub(in crate::settings) struct RotationText;

impl Kind for RotationText {
    type Value = Rotation;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Rotation, Refusal> {
        Rotation::parse(loose.text()?).ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        Rotation::GRAMMAR.to_owned()
    }

    fn default_text(&self) -> String {
        "\"\"".to_owned()
    }

    fn json(&self, value: &Rotation) -> Json {
        value.to_string().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": "^(every .*)?$", "maxLength": 100, "default": ""})
    }
}

impl Preset for RotationText {
    fn preset(&self) -> Rotation {
        Rotation::Never
    }
}
