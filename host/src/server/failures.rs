//! The last requests that a component failed to answer, for whoever looks for the reason.

use std::collections::VecDeque;
use std::time::SystemTime;

use ::http::{Method, Uri};
use serde_json::{Value, json};
use tessera_engine::{Cost, ProcessError};

use super::generations::milliseconds;

/// Failures that are remembered; older ones are in the log.
pub(crate) const KEPT: usize = 50;
/// Where a backtrace begins in a message.
const BACKTRACE: &str = "wasm backtrace:";
/// Longest URL that is remembered, in characters.
const URL_MAX: usize = 500;

/// The last failures of a web server, the newest last.
#[derive(Default)]
pub(crate) struct Failures(VecDeque<Failure>);

/// One failure.
pub(crate) struct Failure {
    at: SystemTime,
    request: u64,
    method: Method,
    url: String,
    kind: &'static str,
    status: Option<u16>,
    message: String,
    generation: Option<u64>,
    cost: Option<Cost>,
}

/// The request that failed.
#[derive(Clone, Debug)]
pub(crate) struct FailedRequest {
    /// Its number in the log.
    pub(crate) id: u64,
    /// Its method.
    pub(crate) method: Method,
    /// Its URL as it was received.
    pub(crate) uri: Uri,
}

impl Failure {
    /// A failure of now. `status` is what its client was told, none if its answer had begun; `generation` is the number of
    /// the one that failed.
    pub(crate) fn new(
        request: &FailedRequest,
        error: &ProcessError,
        status: Option<u16>,
        generation: Option<u64>,
        cost: Option<Cost>,
    ) -> Self {
        Self {
            at: SystemTime::now(),
            request: request.id,
            method: request.method.clone(),
            url: request.uri.to_string().chars().take(URL_MAX).collect(),
            kind: kind(error),
            status,
            message: error.to_string(),
            generation,
            cost,
        }
    }

    fn document(&self) -> Value {
        let cost = self.cost.as_ref();
        json!({
            "at": httpdate::fmt_http_date(self.at),
            "request": format!("{:016x}", self.request),
            "method": self.method.as_str(),
            "url": self.url,
            "kind": self.kind,
            "status": self.status,
            "message": self.message,
            "backtrace": backtrace(&self.message),
            "generation": self.generation,
            "memory": cost.map(|cost| cost.memory_bytes),
            "time": cost.map(|cost| milliseconds(cost.time)),
        })
    }
}

impl Failures {
    pub(super) fn add(&mut self, failure: Failure) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(failure);
    }

    /// At most `max` of them as JSON, the newest first.
    pub(super) fn document(&self, max: usize) -> Value {
        let newest = self.0.iter().rev().take(max);
        newest.map(Failure::document).collect()
    }
}

/// The frames of a trap, the innermost first.
fn backtrace(message: &str) -> Option<&str> {
    let (_, frames) = message.split_once(BACKTRACE)?;
    Some(frames.trim_start_matches('\n').trim_end())
}

/// What failed, in one word.
fn kind(error: &ProcessError) -> &'static str {
    match error {
        ProcessError::Trap { .. } => "trap",
        ProcessError::OutOfMemory { .. } => "memory",
        ProcessError::Instantiate(_) => "instantiate",
        ProcessError::Deadline(_) => "deadline",
        ProcessError::Busy(_) | ProcessError::QueueFull(_) | ProcessError::SessionBusy(_) => "busy",
        ProcessError::Limit { .. } => "limit",
        ProcessError::Failed { .. } => "error",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_backtrace_stands_by_itself_too() {
        let message =
            "error while executing at wasm backtrace:\n    0:  0x1 - f\n    1:  0x2 - g\n";
        assert_eq!(backtrace(message), Some("    0:  0x1 - f\n    1:  0x2 - g"));
        assert_eq!(backtrace("no frames"), None);
    }

    #[test]
    fn failures_are_few_and_bounded() {
        let mut failures = Failures::default();
        for id in 0..80 {
            let request = FailedRequest {
                id,
                method: Method::GET,
                uri: format!("/{}", "a".repeat(2_000)).parse().unwrap(),
            };
            let error = ProcessError::Deadline(Duration::from_secs(1));
            failures.add(Failure::new(&request, &error, Some(504), Some(2), None));
        }
        let all = failures.document(KEPT);
        assert_eq!(failures.document(2).as_array().unwrap().len(), 2);
        assert_eq!(all.as_array().unwrap().len(), KEPT);
        assert_eq!(all[0]["request"], format!("{:016x}", 79));
        assert_eq!(all[0]["kind"], "deadline");
        assert_eq!(
            (&all[0]["status"], &all[0]["backtrace"]),
            (&504.into(), &Value::Null)
        );
        assert_eq!(all[0]["url"].as_str().unwrap().len(), URL_MAX);
    }
}
