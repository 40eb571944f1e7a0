//! `tessera:web/request`, the parts of a multipart body: read when the first of these is called.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use super::request::form;
use crate::form::FormEncoding;
use crate::parts::Parts;
use crate::state::State;
use crate::wit::{WitBodyError, WitPart};

pub(super) fn add_to_linker(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "body-part-count",
        |mut store: StoreContextMut<'_, State>, (): ()| {
            Box::new(async move {
                let parts = parts(store.data_mut()).await;
                Ok((parts.map(|parts| parts.count()),))
            })
        },
    )?;
    linker.func_wrap_async(
        "body-part",
        |mut store: StoreContextMut<'_, State>, (number,): (u32,)| {
            Box::new(async move { Ok((described(store.data_mut(), number).await,)) })
        },
    )?;
    linker.func_wrap_async(
        "read-body-part",
        |mut store: StoreContextMut<'_, State>, place: (u32, u64, u32)| {
            Box::new(async move { Ok((piece(store.data_mut(), place).await,)) })
        },
    )
}

/// The parts of the body; none of one that has no parts. Read once, then kept.
pub(super) async fn parts(state: &mut State) -> Result<&Parts, WitBodyError> {
    let exchange = &mut state.exchange;
    if exchange.parts.is_none() {
        let parts = match form(&exchange.call) {
            Some(FormEncoding::Multipart(boundary)) => {
                let folder = &state.profile.spill_folder;
                Parts::read(&mut exchange.body, &boundary, folder).await?
            }
            _ => Parts::default(),
        };
        exchange.parts = Some(parts);
    }
    Ok(exchange.parts.get_or_insert_default())
}

async fn described(state: &mut State, number: u32) -> Result<WitPart, WitBodyError> {
    Ok(parts(state).await?.get(number)?.described())
}

async fn piece(
    state: &mut State,
    (number, offset, max): (u32, u64, u32),
) -> Result<Vec<u8>, WitBodyError> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let reader = parts(state).await?.get(number)?.reader(offset, max);
    reader.read().await
}
