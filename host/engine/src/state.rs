//! What an instance carries: the current exchange, and the little that outlives it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::answer::Answer;
use crate::body::BodyReader;
use crate::call::{Call, Deadline};
use crate::core_dump::CoreDumps;
use crate::cpu::CpuMeter;
use crate::directory::ServerDirectory;
use crate::grants::Granted;
use crate::limits::{InstanceLimiter, MemoryBudget};
use crate::output::{GuestLog, LogStream, Stream};
use crate::parts::Parts;
use crate::raw::Outlet;
use crate::session::CurrentSession;
use crate::variables::ProcessVariables;
use crate::wasi_http::{HttpState, Origin, Outbound, Responder};
use crate::wit::Variable;

/// Most random bytes that a guest may ask for at once.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// What all instances of a generation share.
pub(crate) struct Profile {
    pub(crate) component: Arc<str>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) granted: Granted,
    pub(crate) response_bytes_max: usize,
    /// Most resources (streams, pollables, ...) that an instance may hold.
    pub(crate) handles_max: usize,
    /// Most bytes that a guest may pass in one call.
    pub(crate) call_bytes_max: usize,
    pub(crate) directory: Arc<dyn ServerDirectory>,
    /// Where large parts of bodies are kept while they are needed.
    pub(crate) spill_folder: Arc<PathBuf>,
    pub(crate) core_dumps: Option<Arc<CoreDumps>>,
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) outbound_calls: u32,
}

/// The data of a store.
pub(crate) struct State {
    pub(crate) profile: Arc<Profile>,
    pub(crate) limiter: InstanceLimiter,
    pub(crate) exchange: Box<Exchange>,
    /// What stands for the exchange while there is none, kept while there is one.
    idle: Option<Box<Exchange>>,
    pub(crate) log: Arc<GuestLog>,
    /// Told when the guest has run for so long that it should make room for others.
    pub(crate) meter: Arc<CpuMeter>,
    pub(crate) table: ResourceTable,
    /// Bytes that the guest holds by handles for compare-and-swap.
    pub(crate) swap_bytes: usize,
    http: HttpState,
    /// Made when first needed: most handlers never call WASI, and it costs as much as the call itself.
    wasi: Option<WasiCtx>,
}

/// One request and what was answered so far.
pub(crate) struct Exchange {
    pub(crate) call: Call,
    pub(crate) body: BodyReader,
    pub(crate) answer: Answer,
    /// WEB GET VARIABLES, once it was asked for.
    pub(crate) variables: Option<Vec<Variable>>,
    /// The parts of the body, once they were asked for.
    pub(crate) parts: Option<Parts>,
    /// What tags see.
    pub(crate) process_variables: ProcessVariables,
    /// The session of the client.
    pub(crate) current: CurrentSession,
    pub(crate) deadline: Deadline,
    /// Where a handler of `wasi:http` puts its response.
    pub(crate) responder: Option<Responder>,
    /// Where raw data goes, if the component sends any.
    pub(crate) outlet: Option<Box<Outlet>>,
    /// Whether it read more of a body than is allowed.
    pub(crate) too_large: Option<Arc<AtomicBool>>,
}

impl Exchange {
    pub(crate) fn new(
        mut call: Call,
        deadline: Deadline,
        memory_max: u64,
        budget: Arc<MemoryBudget>,
    ) -> Self {
        let body = BodyReader::new(call.body.take(), memory_max, budget);
        Self::of(call, body, deadline)
    }

    /// Nothing was asked or answered yet.
    fn of(call: Call, body: BodyReader, deadline: Deadline) -> Self {
        Self {
            call,
            body,
            answer: Answer::default(),
            variables: None,
            parts: None,
            process_variables: ProcessVariables::default(),
            current: CurrentSession::default(),
            deadline,
            responder: None,
            outlet: None,
            too_large: None,
        }
    }

    /// What the requests that it sends come from.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            id: self.call.id,
            peer: self.call.peer,
            deadline: self.deadline.at,
            chain: self.call.chain.clone(),
            stages: self.call.stages.clone(),
        }
    }

    /// What stands for an exchange between two of them.
    fn idle(&self) -> Self {
        Self::of(
            Call::outside_of_a_request(),
            self.body.none(),
            self.deadline,
        )
    }

    /// When the web process must have ended, as things are.
    pub(crate) fn deadline_now(&self) -> Deadline {
        let outlet = self.outlet.as_ref();
        outlet.map_or(self.deadline, |outlet| outlet.deadline())
    }
}

impl State {
    pub(crate) fn new(
        profile: Arc<Profile>,
        limiter: InstanceLimiter,
        exchange: Box<Exchange>,
        meter: Arc<CpuMeter>,
    ) -> Self {
        let log = Arc::new(GuestLog::new(profile.component.clone()));
        log.begin(exchange.call.id);
        let mut http = HttpState::new(profile.component.clone(), profile.outbound.clone());
        http.begin(exchange.origin(), profile.outbound_calls);
        let mut table = ResourceTable::new();
        table.set_max_capacity(profile.handles_max);
        Self {
            profile,
            limiter,
            exchange,
            idle: None,
            log,
            meter,
            table,
            swap_bytes: 0,
            http,
            wasi: None,
        }
    }

    /// Starts the next web process on a kept instance.
    pub(crate) fn begin(&mut self, exchange: Box<Exchange>, meter: Arc<CpuMeter>) {
        self.log.begin(exchange.call.id);
        self.http
            .begin(exchange.origin(), self.profile.outbound_calls);
        self.idle = Some(std::mem::replace(&mut self.exchange, exchange));
        self.meter = meter;
    }

    /// Ends a web process, and gives what it was.
    pub(crate) fn end(&mut self) -> Box<Exchange> {
        self.log.end();
        let idle = self.idle.take();
        let idle = idle.unwrap_or_else(|| Box::new(self.exchange.idle()));
        std::mem::replace(&mut self.exchange, idle)
    }

    /// What `wasi:http` works on.
    pub(crate) fn http_parts(&mut self) -> (&mut HttpState, &mut ResourceTable) {
        (&mut self.http, &mut self.table)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (profile, log) = (&self.profile, &self.log);
        let ctx = self.wasi.get_or_insert_with(|| {
            let mut builder = WasiCtxBuilder::new();
            profile
                .granted
                .open_folders(&profile.component, &mut builder);
            builder
                .envs(&profile.environment)
                .args(&[&*profile.component])
                .stdout(LogStream {
                    log: log.clone(),
                    stream: Stream::Output,
                })
                .stderr(LogStream {
                    log: log.clone(),
                    stream: Stream::Error,
                })
                .max_random_size(RANDOM_BYTES_MAX)
                .build()
        });
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}
