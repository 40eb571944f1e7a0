//! `wasi:keyvalue/batch`: several keys at once. All changes of one call happen, or none.

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Resource};

use super::bucket::OpenBucket;
use super::{WitError, bucket_of, to_list};
use crate::state::State;

type Handle = Resource<OpenBucket>;
type Pairs = Vec<(String, Vec<u8>)>;

pub(super) fn add_to_linker(
    linker: &mut LinkerInstance<'_, State>,
    is_first_draft: bool,
) -> wasmtime::Result<()> {
    if is_first_draft {
        add_get_many_found(linker)?;
    } else {
        add_get_many(linker)?;
    }
    linker.func_wrap_async(
        "set-many",
        |store: StoreContextMut<'_, State>, (bucket, pairs): (Handle, Pairs)| {
            Box::new(async move {
                let set = |(key, value): (String, Vec<u8>)| (key, Some(Bytes::from(value)));
                let changes = pairs.into_iter().map(set).collect();
                let written = bucket_of(&store, &bucket)?.write(changes, None).await;
                Ok((written.map_err(WitError::from),))
            })
        },
    )?;
    linker.func_wrap_async(
        "delete-many",
        |store: StoreContextMut<'_, State>, (bucket, keys): (Handle, Vec<String>)| {
            Box::new(async move {
                let changes = keys.into_iter().map(|key| (key, None)).collect();
                let written = bucket_of(&store, &bucket)?.write(changes, None).await;
                Ok((written.map_err(WitError::from),))
            })
        },
    )
}

/// Each key with its value, if it has one.
fn add_get_many(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "get-many",
        |store: StoreContextMut<'_, State>, (bucket, keys): (Handle, Vec<String>)| {
            Box::new(async move {
                let read = bucket_of(&store, &bucket)?.read(keys.clone()).await;
                let pairs = |values: Vec<Option<Bytes>>| -> Vec<(String, Option<Vec<u8>>)> {
                    keys.into_iter()
                        .zip(values.into_iter().map(to_list))
                        .collect()
                };
                Ok((read.map(pairs).map_err(WitError::from),))
            })
        },
    )
}

/// In place of each key, the key with its value, or nothing.
fn add_get_many_found(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "get-many",
        |store: StoreContextMut<'_, State>, (bucket, keys): (Handle, Vec<String>)| {
            Box::new(async move {
                let read = bucket_of(&store, &bucket)?.read(keys.clone()).await;
                let pairs = |values: Vec<Option<Bytes>>| -> Vec<Option<(String, Vec<u8>)>> {
                    let values = values.into_iter().map(to_list);
                    keys.into_iter()
                        .zip(values)
                        .map(|(key, value)| Some((key, value?)))
                        .collect()
                };
                Ok((read.map(pairs).map_err(WitError::from),))
            })
        },
    )
}
