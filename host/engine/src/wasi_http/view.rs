//! What the implementation of `wasi:http` finds in a store.

use std::sync::Arc;

use http::{Request, Response};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::outbound::{self, Origin, Outbound};
#[cfg(feature = "p3")]
use super::ticket::Company;
use crate::answer::HEADER_BYTES_MAX;
use crate::state::State;

/// Bytes of one write of a guest, and writes that may wait for the client: what one answer holds in memory.
const CHUNK_BYTES_MAX: usize = 64 * 1024;
const CHUNKS_MAX: usize = 8;
/// What one `fields` may take: a whole head and, as names and places are counted too, as much again.
const FIELDS_BYTES_MAX: usize = 2 * HEADER_BYTES_MAX;

/// `wasi:http` of one store.
pub(crate) struct HttpState {
    context: WasiHttpCtx,
    hooks: Hooks,
}

/// What is asked before and while a guest's request goes out.
struct Hooks {
    outbound: Arc<dyn Outbound>,
    component: Arc<str>,
    /// The request being answered; of several, the one that was asked about last. None while there is none.
    origin: Option<Origin>,
    calls_left: u32,
    /// The requests that the instance has, if it may have several.
    #[cfg(feature = "p3")]
    company: Option<Arc<Company>>,
}

impl HttpState {
    pub(crate) fn new(component: Arc<str>, outbound: Arc<dyn Outbound>) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELDS_BYTES_MAX);
        Self {
            context,
            hooks: Hooks {
                outbound,
                component,
                origin: None,
                calls_left: 0,
                #[cfg(feature = "p3")]
                company: None,
            },
        }
    }

    /// The next web process of the instance may send so many requests.
    pub(crate) fn begin(&mut self, origin: Origin, calls: u32) {
        self.hooks.origin = Some(origin);
        self.hooks.calls_left = calls;
    }

    /// One more web process of an instance that has several may send so many.
    #[cfg(feature = "p3")]
    pub(super) fn also(&mut self, company: &Arc<Company>, calls: u32) {
        self.hooks.company.get_or_insert_with(|| company.clone());
        self.hooks.calls_left = self.hooks.calls_left.saturating_add(calls);
    }

    /// Those that the instance has.
    #[cfg(feature = "p3")]
    pub(super) fn company(&self) -> Option<Arc<Company>> {
        self.hooks.company.clone()
    }

    /// What is sent next comes from this one.
    #[cfg(feature = "p3")]
    pub(super) fn is_sent_by(&mut self, origin: Origin) {
        self.hooks.origin = Some(origin);
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

/// The response, and what goes on beside its body.
type Sent = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl WasiHttpHooks for Hooks {
    fn set_host_header(&mut self) -> bool {
        // The client does where it belongs: HTTP/2 has none.
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _finished: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let Some(origin) = &mut self.origin else {
            return Box::new(async { Err(Error::HttpRequestDenied) });
        };
        let Some(left) = self.calls_left.checked_sub(1) else {
            let (component, id) = (&*self.component, format_args!("{:016x}", origin.id));
            tracing::warn!(component, request = %id, "{component}, request {id}: no more requests to other servers: [limits] outbound_calls is reached");
            return Box::new(async { Err(Error::ConnectionLimitReached) });
        };
        self.calls_left = left;
        let sending = outbound::send(&*self.outbound, request, options, origin);
        Box::new(async move {
            let response = sending.await?;
            let nothing: Box<dyn Future<Output = Result<(), Error>> + Send> =
                Box::new(async { Ok(()) });
            Ok((response, nothing))
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        CHUNKS_MAX
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES_MAX
    }

    #[cfg(feature = "p3")]
    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES_MAX
    }
}
