//! `response.set-home-page`: what the client's session keeps of it.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use super::session::{WitError, does};
use crate::home_page::home_page;
use crate::state::State;
use crate::wit::ResponseError;

pub(super) fn add_to_linker(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "set-home-page",
        |store: StoreContextMut<'_, State>, (path,): (String,)| {
            Box::new(async move { Ok((set(store, &path).await,)) })
        },
    )
}

async fn set(store: StoreContextMut<'_, State>, path: &str) -> Result<(), ResponseError> {
    let page = home_page(path)?.to_owned();
    let done = does(store, |session| session.set_home_page(page)).await;
    done.map_err(|error| match error {
        WitError::TooLarge => ResponseError::TooLarge,
        WitError::Disabled => {
            let why =
                "the server keeps no sessions, which would have it (scalableSession is false)";
            ResponseError::Invalid(format!("home page: {why}"))
        }
        WitError::Unavailable(why) => ResponseError::Invalid(format!("home page: {why}")),
        // It is written whatever was there.
        WitError::Conflict(_) => ResponseError::Invalid("home page: it changed meanwhile".into()),
    })
}
