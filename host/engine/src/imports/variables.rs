//! `tessera:web/variables`: the process variables.

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, WasmStr};

use crate::json::{self, JsonError};
use crate::state::State;
use crate::variables::{SetError, Stored, VARIABLES_BYTES_MAX};
use crate::wit::{Value, ValueThere, WitVariableError};

type Done = Result<(), WitVariableError>;

pub(super) fn add_to_linker(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "get",
        |store: StoreContextMut<'_, State>, (name,): (WasmStr,)| {
            let name = name.to_str(&store)?;
            Ok((get(store.data(), &name),))
        },
    )?;
    linker.func_wrap(
        "set",
        |mut store: StoreContextMut<'_, State>, (name, value): (WasmStr, ValueThere)| {
            let name = name.to_str(&store)?.into_owned();
            let stored = match stored(&store, &value)? {
                Ok(stored) => stored,
                Err(error) => return Ok((Err(error),)),
            };
            Ok((set(store.data_mut(), &name, stored),))
        },
    )
}

fn get(state: &State, name: &str) -> Value {
    let Some(stored) = state.exchange.process_variables.get(name) else {
        return Value::Null;
    };
    match &stored.value {
        tessera_tags::Value::Null => Value::Null,
        tessera_tags::Value::Boolean(value) => Value::Boolean(*value),
        tessera_tags::Value::Number(value) => Value::Number(*value),
        tessera_tags::Value::Text(text) => Value::Text(text.as_ref().to_owned()),
        _ => stored.json().map_or(Value::Null, Value::Json),
    }
}

/// What is to be kept of a value; `None` of null. Texts are looked at where they lie in the guest's memory.
fn stored(
    store: &StoreContextMut<'_, State>,
    value: &ValueThere,
) -> wasmtime::Result<Result<Option<Stored>, WitVariableError>> {
    let plain = |value| Ok(Ok(Some(Stored::plain(value))));
    match value {
        ValueThere::Null => Ok(Ok(None)),
        ValueThere::Boolean(value) => plain((*value).into()),
        ValueThere::Number(value) => plain((*value).into()),
        ValueThere::Text(text) => {
            let text = text.to_str(store)?;
            if text.len() > VARIABLES_BYTES_MAX {
                return Ok(Err(WitVariableError::TooLarge));
            }
            plain(text.as_ref().into())
        }
        ValueThere::Json(text) => {
            let text = text.to_str(store)?;
            if text.len() > VARIABLES_BYTES_MAX {
                return Ok(Err(WitVariableError::TooLarge));
            }
            Ok(match json::parse(&text, VARIABLES_BYTES_MAX) {
                Ok((value, bytes)) => Ok(Some(Stored::parsed(value, bytes, &text))),
                Err(JsonError::Invalid(why)) => Err(WitVariableError::InvalidValue(why)),
                Err(JsonError::TooLarge) => Err(WitVariableError::TooLarge),
            })
        }
    }
}

fn set(state: &mut State, name: &str, stored: Option<Stored>) -> Done {
    let budget = state.limiter.budget();
    let variables = &mut state.exchange.process_variables;
    variables
        .set(name, stored, budget)
        .map_err(|error| match error {
            SetError::InvalidName => WitVariableError::InvalidName,
            SetError::TooLarge => WitVariableError::TooLarge,
        })
}
