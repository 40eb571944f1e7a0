//! `rules`: what responses by pattern are changed to.

use std::sync::Arc;

use http::StatusCode;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, HeaderName, HeaderValue,
    SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VARY,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::error::shown;
use crate::settings::file::Loose;
use crate::settings::rule::{Patterns, Rule, Rules};

/// The path of every request is held against all of them.
const RULES_MAX: usize = 1_000;
/// Longest pattern, and longest name or value of a field, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Most fields that one rule names.
const FIELDS_MAX: usize = 100;

/// What responses say of themselves, or of the connection: another value than the host's would break them.
const PROTECTED: [HeaderName; 10] = [
    DATE,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    CONTENT_RANGE,
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    TE,
    TRAILER,
    HeaderName::from_static("keep-alive"),
];

/// What a URL in a field may not hold as it is.
const URL_SPECIALS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\');

/// A list of rules.
#[derive(Debug)]
pub(in crate::settings) struct RuleList;

impl Kind for RuleList {
    type Value = Rules;
    const TYPE: &'static str = "list of tables";

    fn read(&self, loose: &Loose) -> Result<Rules, Refusal> {
        let list: Vec<_> = entries(loose, RULES_MAX, |entry| rule(entry).map(Arc::new))?;
        let patterns = Patterns::compile(list.iter().map(|rule| rule.pattern.as_str()))
            .map_err(|reason| Refusal::Because(format!("the patterns together: {reason}")))?;
        Ok(Rules { list, patterns })
    }

    fn allowed(&self) -> String {
        format!(
            "a list of at most {RULES_MAX} {{regexPattern, ...}}, each with any of removeHeaders (a name or a list \
             of names), addHeaders and setHeaders (values by name), denyAccess (true or false), redirect (a URL) \
             and status (from 200 to 599); other keys are ignored"
        )
    }

    fn default_text(&self) -> String {
        "[]".to_owned()
    }

    fn json(&self, value: &Rules) -> Json {
        value.list.iter().map(|rule| rule.shown.clone()).collect()
    }

    fn schema(&self) -> Json {
        let fields = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let text = json!({"type": "string"});
        json!({
            "type": "array",
            "maxItems": RULES_MAX,
            "items": {
                "type": "object",
                "properties": {
                    "regexPattern": text,
                    "RegExPattern": text,
                    "removeHeaders": {"type": ["string", "array"], "items": text},
                    "addHeaders": fields,
                    "setHeaders": fields,
                    "denyAccess": {"type": "boolean"},
                    "redirect": text,
                    "status": {"type": "integer", "minimum": 200, "maximum": 599},
                },
            },
            "default": [],
        })
    }
}

impl Preset for RuleList {
    fn preset(&self) -> Rules {
        Rules::default()
    }
}

/// Says what is wrong with one rule.
pub(in crate::settings) fn check(entry: &Loose) -> Result<(), String> {
    rule(entry).map(drop)
}

/// Reads a list entry by entry; one long list is hard to search, so the entry is told.
pub(super) fn entries<T>(
    loose: &Loose,
    max: usize,
    read: impl Fn(&Loose) -> Result<T, String>,
) -> Result<Vec<T>, Refusal> {
    let Loose::List(list) = loose else {
        return Err(Refusal::Type);
    };
    if list.len() > max {
        return Err(Refusal::Value);
    }
    let numbered = list.iter().enumerate().map(|(index, entry)| {
        read(entry).map_err(|reason| Refusal::Because(format!("entry {}: {reason}", index + 1)))
    });
    numbered.collect()
}

/// Checks one regular expression by itself, so that it is known which one is wrong.
pub(super) fn check_pattern(name: &str, pattern: &str) -> Result<(), String> {
    if pattern.is_empty() || pattern.len() > TEXT_BYTES_MAX {
        return Err(format!(
            "{name} must be a regular expression of 1 to {TEXT_BYTES_MAX} bytes"
        ));
    }
    let wrong = |reason| {
        let pattern = shown(pattern);
        format!("{name} \"{pattern}\" must be a regular expression: {reason}")
    };
    Patterns::compile(std::iter::once(pattern)).map_err(wrong)?;
    Ok(())
}

/// The text of a member, or what it must be.
pub(super) fn text<'a>(name: &str, value: &'a Loose) -> Result<&'a str, String> {
    let wrong = |_| format!("{name} must be a text, not {}", value.type_name());
    value.text().map_err(wrong)
}

fn rule(entry: &Loose) -> Result<Rule, String> {
    let Loose::Table(members) = entry else {
        return Err(format!(
            "must be {{regexPattern, ...}}, not {}",
            entry.type_name()
        ));
    };
    let mut rule = Rule {
        pattern: String::new(),
        remove: Vec::new(),
        set: Vec::new(),
        add: Vec::new(),
        deny: None,
        redirect: None,
        status: None,
        shown: Json::Null,
    };
    let mut shown = Map::new();
    for (name, value) in members {
        let key = name.as_str();
        match key {
            // The documents spell it in both ways.
            _ if key.eq_ignore_ascii_case("regexPattern") => {
                let pattern = text(key, value)?;
                check_pattern(key, pattern)?;
                rule.pattern = pattern.to_owned();
                shown.insert("regexPattern".to_owned(), pattern.into());
                continue;
            }
            "removeHeaders" => rule.remove = names(key, value)?,
            "addHeaders" => rule.add = fields(key, value)?,
            "setHeaders" => rule.set = fields(key, value)?,
            "denyAccess" => rule.deny = Some(flag(key, value)?),
            "redirect" => rule.redirect = Some(url(key, value)?),
            "status" => rule.status = Some(status(key, value)?),
            _ => continue,
        }
        shown.insert(name.clone(), value.json());
    }
    if rule.pattern.is_empty() {
        return Err("needs regexPattern".to_owned());
    }
    rule.shown = Json::Object(shown);
    leave_out_protected(&mut rule);
    Ok(rule)
}

/// What no rule may change is ignored without a word, as the documents have it.
fn leave_out_protected(rule: &mut Rule) {
    rule.remove
        .retain(|name| !PROTECTED.contains(name) && *name != VARY && *name != SET_COOKIE);
    rule.add.retain(|(name, _)| !PROTECTED.contains(name));
    let set = std::mem::take(&mut rule.set);
    for (name, value) in set {
        // A cookie that is set is one more.
        if name == SET_COOKIE {
            rule.add.push((name, value));
        } else if !PROTECTED.contains(&name) && name != VARY {
            rule.set.push((name, value));
        }
    }
}

fn names(key: &str, value: &Loose) -> Result<Vec<HeaderName>, String> {
    let one = |value: &Loose| {
        let name = value.text().map_err(|_| {
            let found = value.type_name();
            format!("{key} must be a name or a list of names, not {found}")
        })?;
        field_name(key, name)
    };
    match value {
        Loose::List(list) if list.len() > FIELDS_MAX => Err(too_many(key)),
        Loose::List(list) => list.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

fn fields(key: &str, value: &Loose) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let Loose::Table(members) = value else {
        let found = value.type_name();
        return Err(format!("{key} must be values by name, not {found}"));
    };
    if members.len() > FIELDS_MAX {
        return Err(too_many(key));
    }
    let field = |(name, value): &(String, Loose)| {
        let parsed = field_name(key, name)?;
        let text = text(&format!("{key}: {}", shown(name)), value)?;
        let value = HeaderValue::from_str(text).ok();
        let value = value.filter(|value| value.len() <= TEXT_BYTES_MAX);
        let wrong = || {
            let (name, text) = (shown(name), shown(text));
            format!(
                "{key}: {name} \"{text}\" must be of visible ASCII, at most {TEXT_BYTES_MAX} bytes"
            )
        };
        Ok((parsed, value.ok_or_else(wrong)?))
    };
    members.iter().map(field).collect()
}

fn field_name(key: &str, name: &str) -> Result<HeaderName, String> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
    parsed
        .filter(|_| name.len() <= TEXT_BYTES_MAX)
        .ok_or_else(|| format!("{key}: \"{}\" must be the name of a header", shown(name)))
}

fn too_many(key: &str) -> String {
    format!("{key} must be at most {FIELDS_MAX} headers")
}

fn flag(key: &str, value: &Loose) -> Result<bool, String> {
    match value {
        Loose::Boolean(flag) => Ok(*flag),
        other => Err(format!(
            "{key} must be true or false, not {}",
            other.type_name()
        )),
    }
}

fn url(key: &str, value: &Loose) -> Result<HeaderValue, String> {
    let url = text(key, value)?;
    let has_control = url.chars().any(char::is_control);
    let encoded = utf8_percent_encode(url, URL_SPECIALS).to_string();
    let value = HeaderValue::try_from(encoded).ok();
    value
        .filter(|value| !has_control && (1..=TEXT_BYTES_MAX).contains(&value.len()))
        .ok_or_else(|| {
            let url = shown(url);
            format!("{key} \"{url}\" must be a URL of 1 to {TEXT_BYTES_MAX} bytes, without control characters")
        })
}

fn status(key: &str, value: &Loose) -> Result<StatusCode, String> {
    let Loose::Integer(number) = value else {
        return Err(format!(
            "{key} must be a whole number from 200 to 599, not {}",
            value.type_name()
        ));
    };
    let code = u16::try_from(*number).ok();
    code.filter(|code| (200..600).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| format!("{key} {number} must be from 200 to 599"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rules: Json) -> Result<Rules, Refusal> {
        RuleList.read(&Loose::from(&rules))
    }

    #[test]
    fn what_no_rule_may_change_is_shown_and_ignored() {
        let written = json!([{
            "regexPattern": "/",
            "removeHeaders": ["Date", "Vary", "set-cookie", "X-One"],
            "addHeaders": {"Content-Length": "1", "Vary": "X-Two", "Set-Cookie": "a=1", "X-One": "1"},
            "setHeaders": {
                "content-encoding": "br", "Vary": "X-Three", "Set-Cookie": "b=2", "Connection": "close",
                "Transfer-Encoding": "chunked", "Content-Range": "bytes */1", "X-Two": "2"
            },
        }]);
        let rules = read(written.clone()).unwrap();
        let rule = &rules.list[0];
        let names = |fields: &[(HeaderName, HeaderValue)]| {
            let name = |(name, _): &(HeaderName, HeaderValue)| name.to_string();
            fields.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(rule.remove, ["x-one"]);
        assert_eq!(names(&rule.set), ["x-two"]);
        let mut added = names(&rule.add);
        added.sort_unstable();
        assert_eq!(added, ["set-cookie", "set-cookie", "vary", "x-one"]);
        assert_eq!(RuleList.json(&rules), written);
    }

    #[test]
    fn a_url_is_sent_as_a_field_may_hold_it() {
        let rules = read(json!([{"RegExPattern": "a", "redirect": "/grün und blau?a=%20#\""}]));
        let redirect = rules.unwrap().list[0].redirect.clone().unwrap();
        assert_eq!(redirect, "/gr%C3%BCn%20und%20blau?a=%20#%22");
        assert!(read(json!([{"regexPattern": "a", "redirect": "/a\r\nSet-Cookie: b"}])).is_err());
    }

    #[test]
    fn keys_that_are_not_known_are_ignored() {
        let rules = read(json!([{"regexPattern": "a", "comment": {"by": 5}, "status": 503.0}]));
        let rules = rules.unwrap();
        let expected = json!([{"regexPattern": "a", "status": 503}]);
        assert_eq!(RuleList.json(&rules), expected);
        assert_eq!(read(expected).unwrap(), rules);
    }
}
