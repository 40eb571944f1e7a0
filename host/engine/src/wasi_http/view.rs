//! What the implementation of `wasi:http` finds in a store.

use bytes::Bytes;
use http::Request;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::state::State;

/// Bytes of one write of a guest, and writes that may wait for the client: what one answer holds in memory.
const CHUNK_BYTES_MAX: usize = 64 * 1024;
const CHUNKS_MAX: usize = 8;
/// What one `fields` may take: a whole head and, as names and places are counted too, as much again.
const FIELDS_BYTES_MAX: usize = 2 * crate::answer::HEADER_BYTES_MAX;

/// `wasi:http` of one store.
pub(crate) struct HttpState {
    context: WasiHttpCtx,
    hooks: Hooks,
}

impl Default for HttpState {
    fn default() -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELDS_BYTES_MAX);
        Self {
            context,
            hooks: Hooks {},
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let (http, table) = self.http_parts();
        WasiHttpCtxView {
            hooks: &mut http.hooks,
            table,
            ctx: &mut http.context,
        }
    }
}

struct Hooks {}

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _finished: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let _ = (request, options, Bytes::new());
        Box::new(async { Err(Error::HttpRequestDenied) })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        CHUNKS_MAX
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES_MAX
    }
}
