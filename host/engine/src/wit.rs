//! The types of `wit/types.wit`, as the component model passes them.

use wasmtime::component::{ComponentType, Lift, Lower, WasmStr};

/// `types.header-field`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub(crate) struct HeaderField {
    #[component(name = "name")]
    pub(crate) name: String,
    #[component(name = "value")]
    pub(crate) value: String,
}

/// `types.variable`.
#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq, Eq)]
#[component(record)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// `types.web-call`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub(crate) struct WebCall {
    pub(crate) url: String,
    pub(crate) header: String,
    #[component(name = "browser-ip")]
    pub(crate) browser_ip: String,
    #[component(name = "server-ip")]
    pub(crate) server_ip: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

/// `types.value`.
#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(variant)]
pub(crate) enum Value {
    #[component(name = "null")]
    Null,
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "number")]
    Number(f64),
    #[component(name = "text")]
    Text(String),
    #[component(name = "json")]
    Json(String),
}

/// `types.body-error`.
#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq, Eq)]
#[component(variant)]
pub(crate) enum WitBodyError {
    #[component(name = "too-large")]
    TooLarge,
    #[component(name = "incomplete")]
    Incomplete,
    #[component(name = "malformed")]
    Malformed(String),
    #[component(name = "no-such-part")]
    NoSuchPart,
}

/// `request.part`.
#[derive(ComponentType, Lower, Clone, Debug, PartialEq, Eq)]
#[component(record)]
pub(crate) struct WitPart {
    pub(crate) name: String,
    #[component(name = "mime-type")]
    pub(crate) mime_type: String,
    #[component(name = "file-name")]
    pub(crate) file_name: Option<String>,
    pub(crate) size: u64,
}

/// `types.response-error`.
#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq, Eq)]
#[component(variant)]
pub(crate) enum ResponseError {
    #[component(name = "invalid")]
    Invalid(String),
    #[component(name = "too-large")]
    TooLarge,
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "already-sent")]
    AlreadySent,
}

/// `variables.variable-error`.
#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq, Eq)]
#[component(variant)]
pub(crate) enum WitVariableError {
    #[component(name = "invalid-name")]
    InvalidName,
    #[component(name = "invalid-value")]
    InvalidValue(String),
    #[component(name = "too-large")]
    TooLarge,
}

/// `actions.method`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub(crate) struct WitMethod {
    pub(crate) name: String,
    pub(crate) available: bool,
}

/// `web-server.selector`.
#[expect(
    dead_code,
    reason = "made by the component model only, from what a guest passes"
)]
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum WitSelector {
    #[component(name = "database")]
    Database,
    #[component(name = "host-database")]
    HostDatabase,
    #[component(name = "receiving-request")]
    ReceivingRequest,
}

/// `web-server.property`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub(crate) struct WitProperty {
    pub(crate) name: String,
    pub(crate) value: Value,
}

/// `types.value` as it lies in the guest's memory: nothing of it is copied before its length is known.
#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum ValueThere {
    #[component(name = "null")]
    Null,
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "number")]
    Number(f64),
    #[component(name = "text")]
    Text(WasmStr),
    #[component(name = "json")]
    Json(WasmStr),
}

/// `web-server.property` as it lies in the guest's memory.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct PropertyThere {
    pub(crate) name: WasmStr,
    pub(crate) value: ValueThere,
}

/// `web-server.statistics`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(record)]
pub(crate) struct WitStatistics {
    pub(crate) requests: u64,
    #[component(name = "bytes-sent")]
    pub(crate) bytes_sent: u64,
    #[component(name = "current-processes")]
    pub(crate) current_processes: u32,
    #[component(name = "highest-processes")]
    pub(crate) highest_processes: u32,
    #[component(name = "cache-hits")]
    pub(crate) cache_hits: u64,
    #[component(name = "cache-misses")]
    pub(crate) cache_misses: u64,
    #[component(name = "cache-bytes")]
    pub(crate) cache_bytes: u64,
    #[component(name = "uptime-seconds")]
    pub(crate) uptime_seconds: u64,
}

/// `web-server.start-error`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub(crate) struct WitStartError {
    #[component(name = "err-code")]
    pub(crate) err_code: u32,
    pub(crate) message: String,
    #[component(name = "component-signature")]
    pub(crate) component_signature: String,
}

/// `web-server.server-error`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(variant)]
pub(crate) enum ServerError {
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "denied")]
    Denied,
    #[component(name = "start")]
    Start(Vec<WitStartError>),
}
