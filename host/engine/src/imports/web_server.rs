//! `tessera:web/web-server`: the web server objects.

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, WasmList, WasmStr};

use crate::directory::{
    ControlFailure, Property, PropertyValue, SETTING_NAME_BYTES_MAX, SETTING_VALUES_BYTES_MAX,
    SETTINGS_MAX, ServerStatistics, StartError,
};
use crate::state::State;
use crate::wit::{
    PropertyThere, ServerError, Value, ValueThere, WitProperty, WitSelector, WitStartError,
    WitStatistics,
};

type Done = Result<(), ServerError>;

pub(super) fn add_to_linker(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "server",
        |store: StoreContextMut<'_, State>, (selector,): (WitSelector,)| {
            let state = store.data();
            Ok((match selector {
                WitSelector::Database => state.profile.component.to_string(),
                WitSelector::HostDatabase => state.profile.directory.host(),
                WitSelector::ReceivingRequest => state.exchange.call.receiving_server.to_string(),
            },))
        },
    )?;
    linker.func_wrap("servers", |store: StoreContextMut<'_, State>, (): ()| {
        Ok((store.data().profile.directory.names(),))
    })?;
    linker.func_wrap(
        "get-properties",
        |store: StoreContextMut<'_, State>, (name,): (WasmStr,)| {
            let name = name.to_str(&store)?;
            Ok((properties(store.data(), &name),))
        },
    )?;
    linker.func_wrap(
        "get-statistics",
        |store: StoreContextMut<'_, State>, (name,): (WasmStr,)| {
            let name = name.to_str(&store)?;
            let statistics = store.data().profile.directory.statistics(&name);
            let statistics = statistics.map(WitStatistics::from);
            Ok((statistics.ok_or(ServerError::NotFound),))
        },
    )?;
    linker.func_wrap_async(
        "start",
        |store: StoreContextMut<'_, State>, (name, settings): (WasmStr, WasmList<_>)| {
            Box::new(async move { Ok((start(store, &name, &settings).await?,)) })
        },
    )?;
    linker.func_wrap_async(
        "stop",
        |store: StoreContextMut<'_, State>, (name,): (WasmStr,)| {
            Box::new(async move { Ok((stop(store, &name).await?,)) })
        },
    )
}

fn properties(state: &State, name: &str) -> Result<Vec<WitProperty>, ServerError> {
    let properties = state
        .profile
        .directory
        .properties(name)
        .ok_or(ServerError::NotFound)?;
    Ok(properties.into_iter().map(wit_property).collect())
}

fn wit_property(property: Property) -> WitProperty {
    let value = match property.value {
        PropertyValue::Null => Value::Null,
        PropertyValue::Boolean(value) => Value::Boolean(value),
        PropertyValue::Number(value) => Value::Number(value),
        PropertyValue::Text(value) => Value::Text(value),
        PropertyValue::Json(value) => Value::Json(value),
    };
    WitProperty {
        name: property.name,
        value,
    }
}

/// The guest waits meanwhile. Its deadline drops this future, and with it nothing but the waiting.
async fn start(
    mut store: StoreContextMut<'_, State>,
    name: &WasmStr,
    settings: &WasmList<PropertyThere>,
) -> wasmtime::Result<Done> {
    let settings = match read_settings(&mut store, settings)? {
        Ok(settings) => settings,
        Err(error) => return Ok(Err(ControlFailure::Start(vec![error]).into())),
    };
    if !store.data().exchange.call.is_request() {
        return Ok(Err(ServerError::Denied));
    }
    let name = name.to_str(&store)?;
    let starting = store.data().profile.directory.start(&name, settings);
    Ok(starting.await.map_err(ServerError::from))
}

/// A guest that waited for the end of its own request would wait in vain: so it does not for its own server, nor for
/// the one that received the request.
async fn stop(store: StoreContextMut<'_, State>, name: &WasmStr) -> wasmtime::Result<Done> {
    let state = store.data();
    let call = &state.exchange.call;
    // A component that is asked for its methods is just being loaded: its server's turn would wait for itself.
    if !call.is_request() {
        return Ok(Err(ServerError::Denied));
    }
    let name = name.to_str(&store)?;
    let serves_this = *name == *state.profile.component || *name == *call.receiving_server;
    let stopping = state.profile.directory.stop(&name, !serves_this);
    Ok(stopping.await.map_err(ServerError::from))
}

/// Copies the settings out of the guest's memory, once they are known to be within the limits.
fn read_settings(
    store: &mut StoreContextMut<'_, State>,
    list: &WasmList<PropertyThere>,
) -> wasmtime::Result<Result<Vec<Property>, StartError>> {
    let count = list.len();
    if count > SETTINGS_MAX {
        let message = format!("{count} settings are too many: at most {SETTINGS_MAX}");
        return Ok(Err(StartError::too_much(message)));
    }
    let mut settings = Vec::with_capacity(count);
    let mut room = SETTING_VALUES_BYTES_MAX;
    for index in 0..count {
        let Some(there) = element(store, list, index)? else {
            return Ok(Err(too_large()));
        };
        let name = there.name.to_str(&*store)?;
        if name.len() > SETTING_NAME_BYTES_MAX {
            let message = format!(
                "the name of a setting is too long ({} bytes): at most {SETTING_NAME_BYTES_MAX}",
                name.len()
            );
            return Ok(Err(StartError::too_much(message)));
        }
        let name = name.into_owned();
        let value = match &there.value {
            ValueThere::Null => PropertyValue::Null,
            ValueThere::Boolean(value) => PropertyValue::Boolean(*value),
            ValueThere::Number(value) => PropertyValue::Number(*value),
            ValueThere::Text(text) | ValueThere::Json(text) => {
                let text = text.to_str(&*store)?;
                let Some(left) = room.checked_sub(text.len()) else {
                    return Ok(Err(too_large()));
                };
                room = left;
                let text = text.into_owned();
                match there.value {
                    ValueThere::Json(_) => PropertyValue::Json(text),
                    _ => PropertyValue::Text(text),
                }
            }
        };
        settings.push(Property { name, value });
    }
    Ok(Ok(settings))
}

/// One element of the list; `None` if its texts are certainly too long. Decoding a text that is not UTF-8 copies it,
/// so this must be known before.
fn element(
    store: &mut StoreContextMut<'_, State>,
    list: &WasmList<PropertyThere>,
    index: usize,
) -> wasmtime::Result<Option<PropertyThere>> {
    // An element is charged with the bytes of its texts, two for each character in UTF-16.
    const CHARGE_MAX: usize = 2 * (SETTING_NAME_BYTES_MAX + SETTING_VALUES_BYTES_MAX);
    let usual = store.hostcall_fuel();
    store.set_hostcall_fuel(CHARGE_MAX);
    let charged = list.get(&mut *store, index);
    store.set_hostcall_fuel(usual);
    match charged {
        Some(Ok(element)) => Ok(Some(element)),
        // Either too long, or not lawful at all, which is a trap.
        _ => list.get(store, index).transpose().map(|_| None),
    }
}

fn too_large() -> StartError {
    StartError::too_much(format!(
        "the settings are too large: their values have at most {SETTING_VALUES_BYTES_MAX} bytes together"
    ))
}

impl From<ControlFailure> for ServerError {
    fn from(failure: ControlFailure) -> Self {
        match failure {
            ControlFailure::NotFound => Self::NotFound,
            ControlFailure::Denied => Self::Denied,
            ControlFailure::Start(errors) => {
                Self::Start(errors.into_iter().map(WitStartError::from).collect())
            }
        }
    }
}

impl From<StartError> for WitStartError {
    fn from(error: StartError) -> Self {
        Self {
            err_code: error.code,
            message: error.message,
            component_signature: error.signature.to_owned(),
        }
    }
}

impl From<ServerStatistics> for WitStatistics {
    fn from(statistics: ServerStatistics) -> Self {
        Self {
            requests: statistics.requests,
            bytes_sent: statistics.bytes_sent,
            current_processes: statistics.current_processes,
            highest_processes: statistics.highest_processes,
            cache_hits: statistics.cache_hits,
            cache_misses: statistics.cache_misses,
            cache_bytes: statistics.cache_bytes,
            uptime_seconds: statistics.uptime_seconds,
        }
    }
}
