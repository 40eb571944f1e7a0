//! `wasi:keyvalue/atomics`: counters, and compare-and-swap.

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};

use super::bucket::OpenBucket;
use super::{Done, WitError, bucket_of, to_list};
use crate::state::State;
use crate::store::{Bucket, StoreError};

/// Most bytes of the values that the handles of an instance hold.
const HELD_BYTES_MAX: usize = 8 << 20;

/// What a guest has read and is going to replace, if nobody else does before.
pub(super) struct Swap {
    bucket: Bucket,
    key: String,
    seen: Option<Bytes>,
}

/// `atomics.cas-error`.
#[derive(ComponentType, Lift, Lower, Debug)]
#[component(variant)]
enum SwapError {
    #[component(name = "store-error")]
    Store(WitError),
    #[component(name = "cas-failed")]
    Failed(Resource<Swap>),
}

pub(super) fn add_draft(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "increment",
        |store: StoreContextMut<'_, State>,
         (bucket, key, delta): (Resource<OpenBucket>, String, u64)| {
            Box::new(async move {
                let bucket = bucket_of(&store, &bucket)?;
                Ok((increment_unsigned(&bucket, key, delta).await,))
            })
        },
    )
}

/// The stores count with a sign, for the second draft does.
async fn increment_unsigned(bucket: &Bucket, key: String, delta: u64) -> Done<u64> {
    let delta = i64::try_from(delta).map_err(|_| StoreError::NotANumber)?;
    let sum = bucket.increment(key, delta).await?;
    Ok(u64::try_from(sum).map_err(|_| StoreError::NotANumber)?)
}

pub(super) fn add_draft_2(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "increment",
        |store: StoreContextMut<'_, State>,
         (bucket, key, delta): (Resource<OpenBucket>, String, i64)| {
            Box::new(async move {
                let sum = bucket_of(&store, &bucket)?.increment(key, delta).await;
                Ok((sum.map_err(WitError::from),))
            })
        },
    )?;
    linker.func_wrap_async(
        "[static]cas.new",
        |mut store: StoreContextMut<'_, State>, (bucket, key): (Resource<OpenBucket>, String)| {
            Box::new(async move {
                let bucket = bucket_of(&store, &bucket)?;
                let made = match look(bucket, key).await {
                    Ok(swap) => hold(store.data_mut(), swap)?,
                    Err(error) => Err(error.into()),
                };
                Ok((made,))
            })
        },
    )?;
    linker.func_wrap(
        "[method]cas.current",
        |store: StoreContextMut<'_, State>, (this,): (Resource<Swap>,)| {
            // What the handle is about: a later value would make the swap fail anyway.
            let seen = store.data().table.get(&this)?.seen.clone();
            Ok((Done::Ok(to_list(seen)),))
        },
    )?;
    linker.func_wrap_async(
        "swap",
        |mut store: StoreContextMut<'_, State>, (this, value): (Resource<Swap>, Vec<u8>)| {
            Box::new(async move {
                let Swap { bucket, key, seen } = release(store.data_mut(), this)?;
                let change = (key.clone(), Some(value.into()));
                let again = match bucket.swap(seen, change, None).await {
                    Ok(true) => return Ok((Ok(()),)),
                    Ok(false) => look(bucket, key).await,
                    Err(error) => Err(error),
                };
                let error = match again {
                    Ok(swap) => match hold(store.data_mut(), swap)? {
                        Ok(handle) => SwapError::Failed(handle),
                        Err(error) => SwapError::Store(error),
                    },
                    Err(error) => SwapError::Store(error.into()),
                };
                Ok((Err(error),))
            })
        },
    )
}

async fn look(bucket: Bucket, key: String) -> Result<Swap, StoreError> {
    let seen = bucket.get(key.clone()).await?;
    Ok(Swap { bucket, key, seen })
}

impl Swap {
    fn bytes(&self) -> usize {
        self.key.len() + self.seen.as_ref().map_or(0, Bytes::len)
    }
}

/// Gives the guest a handle, unless it holds so much by others that the host's memory would be its store.
fn hold(state: &mut State, swap: Swap) -> wasmtime::Result<Done<Resource<Swap>>> {
    let held = state.swap_bytes + swap.bytes();
    if held > HELD_BYTES_MAX {
        let message = format!(
            "the compare-and-swap handles hold too much: drop some (at most {HELD_BYTES_MAX} bytes)"
        );
        return Ok(Err(WitError::Other(message)));
    }
    let handle = state.table.push(swap)?;
    state.swap_bytes = held;
    Ok(Ok(handle))
}

pub(super) fn release(state: &mut State, handle: Resource<Swap>) -> wasmtime::Result<Swap> {
    let swap = state.table.delete(handle)?;
    state.swap_bytes -= swap.bytes();
    Ok(swap)
}
