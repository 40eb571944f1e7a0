//! `wasi:keyvalue`, in both drafts that components are built with: buckets that `[keyvalue]` of the settings names.
//!
//! The drafts differ in the types of cursors and numbers, in what `batch.get-many` returns, and in that the first has
//! no compare-and-swap.

mod atomics;
mod batch;
mod bucket;

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower, Resource, ResourceType};

use crate::state::State;
use crate::store::{Bucket, StoreError};

use atomics::Swap;
use bucket::OpenBucket;

/// The draft of Wasmtime and wasmCloud.
const DRAFT: &str = "0.2.0-draft";
/// The draft of Spin, and of the proposal as it stands.
const DRAFT_2: &str = "0.2.0-draft2";

/// `store.error`.
#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq, Eq)]
#[component(variant)]
pub(super) enum WitError {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

type Done<T> = Result<T, WitError>;

impl From<StoreError> for WitError {
    fn from(error: StoreError) -> Self {
        Self::Other(error.to_string())
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    for draft in [DRAFT, DRAFT_2] {
        let mut store = linker.instance(&format!("wasi:keyvalue/store@{draft}"))?;
        store.resource(
            "bucket",
            ResourceType::host::<OpenBucket>(),
            |mut store, rep| {
                let handle = Resource::<OpenBucket>::new_own(rep);
                store.data_mut().table.delete(handle)?;
                Ok(())
            },
        )?;
        bucket::add_to_linker(&mut store, draft == DRAFT)?;
        let mut atomics = linker.instance(&format!("wasi:keyvalue/atomics@{draft}"))?;
        if draft == DRAFT {
            atomics::add_draft(&mut atomics)?;
        } else {
            atomics.resource("cas", ResourceType::host::<Swap>(), |mut store, rep| {
                atomics::release(store.data_mut(), Resource::new_own(rep))?;
                Ok(())
            })?;
            atomics::add_draft_2(&mut atomics)?;
        }
        let mut batch = linker.instance(&format!("wasi:keyvalue/batch@{draft}"))?;
        batch::add_to_linker(&mut batch, draft == DRAFT)?;
    }
    Ok(())
}

/// The bucket behind a handle, to be asked while the store of the instance is not borrowed.
fn bucket_of(
    store: &StoreContextMut<'_, State>,
    handle: &Resource<OpenBucket>,
) -> wasmtime::Result<Bucket> {
    Ok(store.data().table.get(handle)?.bucket.clone())
}

fn to_list(value: Option<Bytes>) -> Option<Vec<u8>> {
    value.map(Vec::from)
}
