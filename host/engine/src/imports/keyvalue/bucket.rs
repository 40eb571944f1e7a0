//! `wasi:keyvalue/store`: opening buckets, one key at a time, and listing.

use std::collections::VecDeque;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};

use super::{Done, WitError, bucket_of, to_list};
use crate::state::State;
use crate::store::{Bucket, KeyPage, StoreError};

/// Cursors of the first draft that a handle remembers: who lists goes on with the last.
const CURSORS_MAX: usize = 16;

/// A bucket that a guest has opened.
pub(super) struct OpenBucket {
    pub(super) bucket: Bucket,
    cursors: Cursors,
}

/// The first draft has numbers for cursors; here they stand for those of the store.
#[derive(Default)]
struct Cursors {
    last: u64,
    known: VecDeque<(u64, String)>,
}

impl Cursors {
    fn number(&mut self, cursor: String) -> u64 {
        if self.known.len() == CURSORS_MAX {
            self.known.pop_front();
        }
        self.last += 1;
        self.known.push_back((self.last, cursor));
        self.last
    }

    fn cursor(&self, number: u64) -> Result<String, StoreError> {
        let known = self.known.iter().find(|(known, _)| *known == number);
        let (_, cursor) = known.ok_or(StoreError::BadCursor)?;
        Ok(cursor.clone())
    }
}

/// `store.key-response`, with the cursor of either draft.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
struct KeyResponse<C> {
    keys: Vec<String>,
    cursor: Option<C>,
}

type Handle = Resource<OpenBucket>;

pub(super) fn add_to_linker(
    linker: &mut LinkerInstance<'_, State>,
    is_first_draft: bool,
) -> wasmtime::Result<()> {
    linker.func_wrap(
        "open",
        |mut store: StoreContextMut<'_, State>, (name,): (String,)| {
            Ok((open(store.data_mut(), &name)?,))
        },
    )?;
    linker.func_wrap_async(
        "[method]bucket.get",
        |store: StoreContextMut<'_, State>, (this, key): (Handle, String)| {
            Box::new(async move {
                let value = bucket_of(&store, &this)?.get(key).await;
                Ok((value.map(to_list).map_err(WitError::from),))
            })
        },
    )?;
    linker.func_wrap_async(
        "[method]bucket.set",
        |store: StoreContextMut<'_, State>, (this, key, value): (Handle, String, Vec<u8>)| {
            Box::new(async move {
                let changes = vec![(key, Some(value.into()))];
                let written = bucket_of(&store, &this)?.write(changes, None).await;
                Ok((written.map_err(WitError::from),))
            })
        },
    )?;
    linker.func_wrap_async(
        "[method]bucket.delete",
        |store: StoreContextMut<'_, State>, (this, key): (Handle, String)| {
            Box::new(async move {
                let written = bucket_of(&store, &this)?
                    .write(vec![(key, None)], None)
                    .await;
                Ok((written.map_err(WitError::from),))
            })
        },
    )?;
    linker.func_wrap_async(
        "[method]bucket.exists",
        |store: StoreContextMut<'_, State>, (this, key): (Handle, String)| {
            Box::new(async move {
                let value = bucket_of(&store, &this)?.get(key).await;
                Ok((value.map(|it| it.is_some()).map_err(WitError::from),))
            })
        },
    )?;
    if is_first_draft {
        add_list_by_number(linker)
    } else {
        add_list(linker)
    }
}

fn open(state: &mut State, name: &str) -> wasmtime::Result<Done<Handle>> {
    let granted = &state.profile.granted.buckets;
    let Some((_, bucket)) = granted.iter().find(|(granted, _)| granted == name) else {
        tracing::debug!(
            component = &*state.profile.component,
            bucket = name,
            "opened a bucket that [keyvalue] of its settings does not name"
        );
        return Ok(Err(WitError::NoSuchStore));
    };
    let open = OpenBucket {
        bucket: bucket.clone(),
        cursors: Cursors::default(),
    };
    Ok(Ok(state.table.push(open)?))
}

fn add_list(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "[method]bucket.list-keys",
        |store: StoreContextMut<'_, State>, (this, cursor): (Handle, Option<String>)| {
            Box::new(async move {
                let page = bucket_of(&store, &this)?.keys(cursor).await;
                let response = |KeyPage { keys, next }| KeyResponse { keys, cursor: next };
                Ok((page.map(response).map_err(WitError::from),))
            })
        },
    )
}

fn add_list_by_number(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "[method]bucket.list-keys",
        |mut store: StoreContextMut<'_, State>, (this, cursor): (Handle, Option<u64>)| {
            Box::new(async move {
                let open = store.data().table.get(&this)?;
                let from = cursor.map(|number| open.cursors.cursor(number));
                let page = match from.transpose() {
                    Ok(from) => open.bucket.clone().keys(from).await,
                    Err(error) => Err(error),
                };
                let open = store.data_mut().table.get_mut(&this)?;
                let response = |KeyPage { keys, next }| KeyResponse {
                    keys,
                    cursor: next.map(|cursor| open.cursors.number(cursor)),
                };
                Ok((page.map(response).map_err(WitError::from),))
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_remembers_the_last_cursors() {
        let mut cursors = Cursors::default();
        let numbers: Vec<_> = (0..20)
            .map(|number| cursors.number(format!("c{number}")))
            .collect();
        assert_eq!(cursors.cursor(numbers[19]), Ok("c19".to_owned()));
        assert_eq!(cursors.cursor(numbers[4]), Ok("c4".to_owned()));
        assert_eq!(cursors.cursor(numbers[3]), Err(StoreError::BadCursor));
        assert_eq!(cursors.cursor(77), Err(StoreError::BadCursor));
    }
}
