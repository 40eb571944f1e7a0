//! `tessera:web/web-server`: the web server objects.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use crate::directory::{Property, PropertyValue};
use crate::state::State;
use crate::wit::{ServerError, Value, WitProperty, WitSelector};

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
        |store: StoreContextMut<'_, State>, (name,): (String,)| {
            Ok((properties(store.data(), &name),))
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
