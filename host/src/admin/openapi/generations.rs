//! The schemas of what admin tells of a component's versions and of its failures.

use serde_json::{Value, json};

use crate::server::FAILURES_KEPT;

/// The versions of a component.
pub(super) fn list() -> Value {
    let names = |about: &str| {
        json!({
            "type": ["array", "null"],
            "items": {"type": "string"},
            "description": about,
        })
    };
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    let generation = json!({
        "type": "object",
        "required": ["number", "state", "error", "digest", "size", "requests", "traps"],
        "properties": {
            "number": {
                "type": ["integer", "null"],
                "minimum": 1,
                "description": "Counts the versions that took over; null if it was refused.",
            },
            "state": {
                "enum": ["serving", "reserve", "draining", "replaced", "stopped", "refused", "rolled-back"],
                "description": "Reserve is the one before, while the newest is on trial; draining has requests of its \
                                own left; rolled-back failed its trial.",
            },
            "error": {"type": ["string", "null"], "description": "Why it was refused, or rolled back."},
            "digest": {"type": "string", "description": "SHA-256 of the module in hexadecimal; empty if it cannot be read."},
            "size": count("Bytes of the module."),
            "exports": names("Null if it does not compile."),
            "imports": names("Null if it does not compile."),
            "permissions": {
                "type": "object",
                "properties": {
                    "asked": names("Settings of [permissions] that its imports are about; null if it does not compile."),
                    "granted": {
                        "type": "object",
                        "description": "[permissions] as it was when it was loaded, and the names of its environment variables.",
                    },
                },
            },
            "loadedAt": {"type": "string", "description": "When it took over or was refused, as HTTP writes dates."},
            "loadTime": {"type": "number", "minimum": 0, "description": "Seconds from reading the module until it was ready."},
            "fromCache": {
                "type": ["boolean", "null"],
                "description": "Whether its compiled code was on disk; null if it does not compile.",
            },
            "requests": count("Requests that it was given."),
            "traps": count("How many of them trapped."),
        },
    });
    json!({"type": "array", "maxItems": 20, "items": generation})
}

/// The last requests that a component failed to answer.
pub(super) fn errors() -> Value {
    let failure = json!({
        "type": "object",
        "required": ["at", "request", "method", "url", "kind", "status", "message", "backtrace"],
        "properties": {
            "at": {"type": "string", "description": "When, as HTTP writes dates."},
            "request": {"type": "string", "description": "The number of the request, as the log has it."},
            "method": {"type": "string"},
            "url": {"type": "string", "description": "As it was received; at most 500 characters."},
            "kind": {"enum": ["trap", "memory", "instantiate", "deadline", "busy", "limit", "error", "refused"]},
            "status": {
                "type": ["integer", "null"],
                "description": "What the client was told; null if its answer had begun.",
            },
            "backtrace": {"type": ["string", "null"], "description": "Of a trap: the frames, a line for each."},
            "message": {"type": "string", "description": "What failed; of a trap with the backtrace."},
            "generation": {"type": ["integer", "null"], "description": "The version that failed."},
            "memory": {
                "type": ["integer", "null"],
                "description": "Of a trap: the most bytes of memory that its instance held.",
            },
            "time": {
                "type": ["number", "null"],
                "description": "Of a trap: seconds from the beginning of the web process.",
            },
        },
    });
    json!({"type": "array", "maxItems": FAILURES_KEPT, "items": failure})
}
