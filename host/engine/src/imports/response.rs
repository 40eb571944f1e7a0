//! `tessera:web/response`: the response of the web process.

use bytes::Bytes;
use tessera_tags::{Syntax, has_tags};
use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, WasmList, WasmStr};

use crate::answer::Answer;
use crate::raw;
use crate::state::State;
use crate::wit::{HeaderField, ResponseError};

type Done = Result<(), ResponseError>;

pub(super) fn add_to_linker(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "set-status",
        |mut store: StoreContextMut<'_, State>, (status,): (u16,)| {
            Ok((answer(&mut store).set_status(status),))
        },
    )?;
    linker.func_wrap(
        "set-header",
        |mut store: StoreContextMut<'_, State>, (name, value): (String, String)| {
            Ok((answer(&mut store).set_header(&name, &value),))
        },
    )?;
    linker.func_wrap(
        "add-header",
        |mut store: StoreContextMut<'_, State>, (name, value): (String, String)| {
            Ok((answer(&mut store).add_header(&name, &value),))
        },
    )?;
    linker.func_wrap(
        "set-headers",
        |mut store: StoreContextMut<'_, State>, (fields,): (Vec<HeaderField>,)| {
            Ok((answer(&mut store).set_headers(&fields),))
        },
    )?;
    linker.func_wrap(
        "send-text",
        |store: StoreContextMut<'_, State>, parameters: (WasmStr, Option<String>)| {
            Ok((send_text(store, &parameters.0, parameters.1.as_deref())?,))
        },
    )?;
    linker.func_wrap(
        "send-blob",
        |store: StoreContextMut<'_, State>, parameters: (WasmList<u8>, String)| {
            Ok((send_blob(store, &parameters.0, &parameters.1),))
        },
    )?;
    linker.func_wrap_async(
        "send-raw-data",
        |store: StoreContextMut<'_, State>, (data, chunked): (WasmList<u8>, bool)| {
            Box::new(async move { Ok((raw::send(store, data, chunked).await?,)) })
        },
    )?;
    linker.func_wrap(
        "send-http-redirect",
        |mut store: StoreContextMut<'_, State>, (url, verbatim): (String, bool)| {
            Ok((answer(&mut store).redirect(&url, verbatim),))
        },
    )
}

fn answer<'a>(store: &'a mut StoreContextMut<'_, State>) -> &'a mut Answer {
    &mut store.data_mut().exchange.answer
}

/// The text is looked at where it lies in the guest's memory, and copied once if it is within the limit.
fn send_text(
    mut store: StoreContextMut<'_, State>,
    text: &WasmStr,
    content_type: Option<&str>,
) -> wasmtime::Result<Done> {
    let max = store.data().profile.response_bytes_max;
    let text = text.to_str(&store)?;
    if text.len() > max {
        return Ok(Err(ResponseError::TooLarge));
    }
    let text = text.into_owned();
    let has_tags = has_tags(text.as_bytes(), Syntax::Comments);
    let done = answer(&mut store).send_text(text, content_type);
    if has_tags && done.is_ok() && answer(&mut store).may_have_tags() {
        transform(&mut store);
    }
    Ok(done)
}

/// Has the tags in what was sent carried out, with the variables as they are now.
fn transform(store: &mut StoreContextMut<'_, State>) {
    let exchange = &mut store.data_mut().exchange;
    let variables = exchange.process_variables.clone();
    exchange.answer.transform(variables);
}

fn send_blob(
    mut store: StoreContextMut<'_, State>,
    data: &WasmList<u8>,
    content_type: &str,
) -> Done {
    let data = data.as_le_slice(&store);
    if data.len() > store.data().profile.response_bytes_max {
        return Err(ResponseError::TooLarge);
    }
    let data = Bytes::copy_from_slice(data);
    let bytes = data.clone();
    answer(&mut store).send_blob(data, content_type)?;
    if answer(&mut store).may_have_tags() && has_tags(&bytes, Syntax::Comments) {
        transform(&mut store);
    }
    Ok(())
}
