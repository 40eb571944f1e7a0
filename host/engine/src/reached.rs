//! Which limit a guest reached, told from the error that it ended with.

use wasmtime::Store;
use wasmtime::component::ResourceTableError;

use crate::cpu::CpuSpent;
use crate::error::ProcessError;
use crate::generation::InstanceLimits;
use crate::limits::Refused;
use crate::session::NoSessions;
use crate::state::State;

/// What the host copies beside a response in the call that sends it, in bytes: its content type.
const BESIDE_RESPONSE_BYTES: u64 = 64 * 1024;

/// A limit of `[limits]` at which a guest ended. That of memory is [`crate::ProcessError::OutOfMemory`], the wall-clock
/// deadline [`crate::ProcessError::Deadline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// The time of computing.
    #[error("computed for too long")]
    CpuTime,
    /// Elements of tables.
    #[error("asked for too many table elements")]
    TableElements,
    /// Handles of resources.
    #[error("held too many handles")]
    Handles,
    /// Bytes passed in one call of a host function.
    #[error("passed too much to the host in one call")]
    CallSize,
    /// The memory of all components together, which is the engine's to give.
    #[error("found no memory: all components together hold as much as they may")]
    AllMemory,
}

impl Limit {
    /// The setting that sets it, if one does.
    pub fn setting(self) -> &'static str {
        match self {
            Self::CpuTime => "[limits] cpu_time",
            Self::TableElements => "[limits] table_elements",
            Self::Handles => "[limits] handles",
            Self::CallSize => "[limits] call_size",
            Self::AllMemory => "half of the machine's memory",
        }
    }
}

/// Sets the limits that Wasmtime itself holds a store to.
pub(crate) fn hold(store: &mut Store<State>) {
    let (handles, bytes) = {
        let profile = &store.data().profile;
        (profile.handles_max, profile.call_bytes_max)
    };
    store.set_max_component_handles(handles);
    store.set_hostcall_fuel(bytes);
}

/// What one call may pass: never so little that a response of the largest size could not be sent.
pub(crate) fn call_bytes_max(limits: &InstanceLimits) -> usize {
    let response = limits.response_size.saturating_add(BESIDE_RESPONSE_BYTES);
    usize::try_from(limits.call_size.max(response)).unwrap_or(usize::MAX)
}

/// What a trap comes to: the limit behind it, or the guest's own failure.
pub(crate) fn ended(
    error: &wasmtime::Error,
    state: &State,
    hook: &'static str,
    message: String,
) -> ProcessError {
    if error.downcast_ref::<NoSessions>().is_some() {
        return ProcessError::NoSessions;
    }
    let limiter = &state.limiter;
    let (limit, value) = if error.downcast_ref::<CpuSpent>().is_some() {
        (Limit::CpuTime, format!("{:?}", state.meter.limit()))
    } else if let Some(refused) = limiter.refused() {
        match refused {
            Refused::Memory => {
                let limit = limiter.memory_max();
                return ProcessError::OutOfMemory {
                    hook,
                    limit,
                    message,
                };
            }
            Refused::AllMemory => (
                Limit::AllMemory,
                format!("{} bytes", limiter.all_memory_max()),
            ),
            Refused::Tables => (
                Limit::TableElements,
                limiter.table_elements_max().to_string(),
            ),
        }
    } else if has_too_many_handles(error) {
        (Limit::Handles, state.profile.handles_max.to_string())
    } else if says(error, "fuel allocated for hostcalls has been exhausted") {
        let limit = state.profile.call_bytes_max;
        (Limit::CallSize, format!("{limit} bytes"))
    } else {
        return ProcessError::Trap { hook, message };
    };
    ProcessError::Limit {
        hook,
        limit,
        value,
        message,
    }
}

/// Why there is no instance: the limit that it would have begun beyond, or what is wrong with the component.
pub(crate) fn not_made(error: &wasmtime::Error, state: &State, message: String) -> ProcessError {
    match ended(error, state, "its start", message) {
        ProcessError::Trap { message, .. } => ProcessError::Instantiate(message),
        limit => limit,
    }
}

fn has_too_many_handles(error: &wasmtime::Error) -> bool {
    let is_full = |error: &ResourceTableError| matches!(error, ResourceTableError::Full);
    error.downcast_ref().is_some_and(is_full) || says(error, "store handle limit exceeded")
}

/// Wasmtime has no types for some of its own errors; their words are held fast by tests.
fn says(error: &wasmtime::Error, words: &str) -> bool {
    error.chain().any(|cause| cause.to_string().contains(words))
}
