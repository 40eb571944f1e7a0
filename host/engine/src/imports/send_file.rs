//! `tessera:web/response`, the files of the HTML root.

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, WasmStr};

use crate::state::State;
use crate::wit::ResponseError;

/// Longer paths name no file.
const PATH_BYTES_MAX: usize = 4096;

pub(super) fn add_to_linker(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "send-file",
        |mut store: StoreContextMut<'_, State>, (path,): (WasmStr,)| {
            Box::new(async move {
                let path = path.to_str(&store)?;
                if path.len() > PATH_BYTES_MAX {
                    return Ok((Err(ResponseError::NotFound),));
                }
                let path = path.into_owned();
                Ok((send_file(store.data_mut(), &path).await,))
            })
        },
    )
}

/// Finds the file now, so that the component is told if there is none. It is read when the hook has returned.
async fn send_file(state: &mut State, path: &str) -> Result<(), ResponseError> {
    let folder = state.exchange.call.folder.clone();
    let document = match &folder {
        Some(folder) => folder.document(path).await,
        None => None,
    };
    let document = document.ok_or(ResponseError::NotFound)?;
    let exchange = &mut state.exchange;
    let variables = exchange.process_variables.clone();
    exchange.answer.send_document(document, variables)
}
