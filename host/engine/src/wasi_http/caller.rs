//! Which of an instance's requests sends one to another server: an instance of 0.3 has several at a time.

use std::future::Future;
use std::pin::Pin;

use wasmtime::AsContextMut;
use wasmtime::component::{Access, Accessor, GuestTaskId, Linker, Resource};
use wasmtime_wasi_http::p3::bindings::http::client::HostWithStore;
use wasmtime_wasi_http::p3::bindings::http::types::{ErrorCode, Request, Response};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use crate::state::State;

type Sent = (Result<Resource<Response>, ErrorCode>,);

/// `wasi:http/client`, in the place of Wasmtime's, which does not tell who calls it.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = linker
        .instance("wasi:http/client@0.3.0")
        .and_then(|mut client| client.func_wrap_concurrent("send", send));
    linker.allow_shadowing(false);
    added
}

fn send(
    store: &Accessor<State>,
    (request,): (Resource<Request>,),
) -> Pin<Box<dyn Future<Output = wasmtime::Result<Sent>> + Send + '_>> {
    Box::pin(async move {
        store.with(note)?;
        let http = store.with_getter::<WasiHttp>(State::http);
        // It asks for the way out before it waits for anything: nobody else has called meanwhile.
        match WasiHttp::send(&http, request).await {
            Ok(response) => Ok((Ok(response),)),
            Err(error) => Ok((Err(error.downcast()?),)),
        }
    })
}

/// Finds the request that the calling task belongs to.
fn note(mut access: Access<'_, State>) -> wasmtime::Result<()> {
    let mut store = access.as_context_mut();
    let tasks: Vec<GuestTaskId> = store.async_call_stack()?.collect();
    let (http, _) = store.data_mut().http_parts();
    let origin = http.company().and_then(|company| company.origin_of(&tasks));
    if let Some(origin) = origin {
        http.is_sent_by(origin);
    }
    Ok(())
}
