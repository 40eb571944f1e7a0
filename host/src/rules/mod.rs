//! `rules`: which of them are about a request, and what they make of its response.
//!
//! A pattern is held against the path as the web server sees it, percent-decoded once as files are found by it, without
//! the query: a rule that denies `/private/` holds however the path is spelled. All rules that match are applied in
//! their order, and of those that contradict one another the last counts.

use std::sync::Arc;

use ::http::header::LOCATION;
use ::http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;

use crate::http::Response;
use crate::settings::{Rule, Rules};

/// Most header fields that a response has with those of rules: no client reads more, and most read fewer.
const FIELDS_MAX: usize = 256;

/// What the rules say of one request. Small where they say nothing: it is moved as often as the request.
#[derive(Debug, Default)]
pub struct Plan(Option<Box<Said>>);

#[derive(Debug, Default)]
struct Said {
    matched: Vec<Arc<Rule>>,
    access: Access,
    status: Option<StatusCode>,
}

/// Whether the request is answered at all.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// As if there were no rules.
    #[default]
    Free,
    /// No.
    Denied,
    /// By a redirect.
    Redirected(HeaderValue),
}

impl Plan {
    /// Adds the rules of a web server that are about a path, after those that are there. Costs nothing where there are
    /// none, and no memory where none matches.
    pub fn add(&mut self, rules: &Rules, path: &str) {
        if rules.patterns.is_empty() {
            return;
        }
        let path = percent_decode_str(path).decode_utf8_lossy();
        if !rules.patterns.is_match(&path) {
            return;
        }
        let said = self.0.get_or_insert_default();
        for index in rules.patterns.matching(&path) {
            if let Some(rule) = rules.list.get(index) {
                said.take(rule);
            }
        }
    }

    /// Whether the request is answered at all.
    pub fn access(&self) -> &Access {
        self.0.as_ref().map_or(&Access::Free, |said| &said.access)
    }

    /// Whether the response gets another status than it would have.
    pub fn has_status(&self) -> bool {
        self.status().is_some()
    }

    fn status(&self) -> Option<StatusCode> {
        self.0.as_ref()?.status
    }

    /// Gives the response the status that the rules say.
    pub fn set_status(&self, response: &mut Response) {
        if let Some(status) = self.status() {
            *response.status_mut() = status;
        }
    }

    /// Changes the header fields. To be done last: rules may change what the host itself says.
    pub fn change(&self, headers: &mut HeaderMap) {
        if let Some(said) = &self.0 {
            said.change(headers);
        }
    }
}

impl Said {
    fn take(&mut self, rule: &Arc<Rule>) {
        if let Some(location) = &rule.redirect {
            (self.access, self.status) = (Access::Redirected(location.clone()), None);
        }
        match rule.deny {
            Some(true) => (self.access, self.status) = (Access::Denied, None),
            // What was denied is as if it had never been, with the status that it was to have.
            Some(false) if self.access == Access::Denied => {
                (self.access, self.status) = (Access::Free, None);
            }
            Some(false) | None => {}
        }
        self.status = rule.status.or(self.status);
        self.matched.push(rule.clone());
    }

    fn change(&self, headers: &mut HeaderMap) {
        for rule in &self.matched {
            for name in &rule.remove {
                headers.remove(name);
            }
            for (name, value) in &rule.set {
                if headers.len() < FIELDS_MAX || headers.contains_key(name) {
                    headers.insert(name, value.clone());
                }
            }
            for (name, value) in &rule.add {
                if headers.len() < FIELDS_MAX {
                    headers.append(name, value.clone());
                }
            }
        }
    }
}

/// The response that sends a client elsewhere.
pub fn redirect(location: HeaderValue) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(LOCATION, location);
    response
}

#[cfg(test)]
mod tests;
