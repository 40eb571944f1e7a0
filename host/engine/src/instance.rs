//! One instance of a component, and the calls into it.

use std::sync::Arc;

use wasmtime::component::{ComponentNamedList, Lift, Lower, TypedFunc};
use wasmtime::{Store, UpdateDeadline, WasmCoreDump};

use crate::call::{self, HEADER_TEXT_BYTES_MAX, Target};
use crate::clock::TICKS_INLINE;
use crate::cpu::CpuMeter;
use crate::error::ProcessError;
use crate::generation::{Generation, PoolOptions, PoolPolicy};
use crate::hooks::{self, BoundHooks, IncomingHandler};
use crate::limits::InstanceLimiter;
use crate::pool::{Cause, Kept};
use crate::reached;
use crate::slots::Slot;
use crate::state::{Exchange, State};
use crate::wasi_http;
use crate::wit::{Value, WebCall, WitHandler, WitMethod};

/// Most bytes of a trap's message and backtrace that are logged.
const TRAP_TEXT_BYTES_MAX: usize = 16 * 1024;

/// When COMPILER_WEB runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    /// Before every method and On Web Connection.
    EachTime,
    /// Before the next one, and then not any more: the instance belongs to a session.
    Due,
    /// Not any more.
    Done,
}

impl Setup {
    /// What comes when it has run.
    fn after(self) -> Self {
        match self {
            Self::EachTime => Self::EachTime,
            Self::Due | Self::Done => Self::Done,
        }
    }
}

/// An instance with everything it needs to run.
pub(crate) struct Instance {
    store: Store<State>,
    hooks: BoundHooks,
    /// Requests after which this instance is retired; 0 is never.
    requests_max: u32,
    requests: u32,
    setup: Setup,
    /// Bytes that it held when it was made.
    memory_at_first: u64,
    /// Its place among the engine's instances. Last, so that the place is free only when the instance is gone.
    _slot: Slot<Kept>,
}

impl Instance {
    pub(crate) async fn new(
        generation: &Generation,
        slot: Slot<Kept>,
        exchange: Box<Exchange>,
        meter: Arc<CpuMeter>,
    ) -> Result<Self, ProcessError> {
        let _timed = generation.meters.instantiation();
        let mut store = new_store(generation, exchange, meter);
        let instance = generation
            .component
            .pre
            .instantiate_async(&mut store)
            .await
            .map_err(|error| reached::not_made(&error, store.data(), trap_text(&error)))?;
        let hooks = generation
            .component
            .hooks
            .bind(&mut store, &instance)
            .map_err(|error| ProcessError::Instantiate(trap_text(&error)))?;
        let number = generation.pool.count_new();
        let requests_max = jittered(generation.pool_options.max_requests, number);
        let memory_at_first = store.data().limiter.memory_used();
        Ok(Self {
            store,
            hooks,
            requests_max,
            requests: 0,
            setup: Setup::EachTime,
            memory_at_first,
            _slot: slot,
        })
    }

    /// Makes the instance ready for the next request.
    pub(crate) fn begin(&mut self, exchange: Box<Exchange>, meter: Arc<CpuMeter>) {
        self.store.data_mut().begin(exchange, meter);
    }

    /// Runs the hooks of one request, in the order of the documents: authentication, COMPILER_WEB, handler.
    pub(crate) async fn perform(&mut self, target: Target) -> Result<(), ProcessError> {
        self.requests += 1;
        self.store.data_mut().exchange.restore_session().await?;
        // The documents: for a request with a handler "no other processing features are called".
        let is_handler = target.is_handler();
        let is_admitted = is_handler || self.store.data().exchange.call.is_admitted;
        let guard = self.hooks.authenticate.filter(|_| !is_admitted);
        let needs_call =
            guard.is_some() || (target == Target::Connection && self.hooks.connect.is_some());
        let web_call = if needs_call {
            Some(self.web_call().await?)
        } else {
            None
        };

        if let (Some(authenticate), Some(web_call)) = (guard, &web_call) {
            match self
                .call(hooks::AUTHENTICATION, &authenticate, (web_call.clone(),))
                .await?
                .0
            {
                Ok(true) => {
                    if let Some(outlet) = &mut self.store.data_mut().exchange.outlet {
                        outlet.accepted();
                    }
                }
                Ok(false) => return Err(self.refused(None)),
                Err(reason) => return Err(self.refused(Some(one_line(&reason)))),
            }
        }
        if self.hooks.compiler_web.is_some() && !is_handler {
            self.declare().await?;
        }
        let (hook, result) = match target {
            Target::Connection if self.hooks.connect.is_none() => {
                let Some(incoming) = self.hooks.incoming else {
                    return Err(ProcessError::NoHook(hooks::CONNECTION));
                };
                return self.serve_http(incoming).await;
            }
            Target::Connection => {
                let (Some(connect), Some(web_call)) = (self.hooks.connect, web_call) else {
                    return Err(ProcessError::NoHook(hooks::CONNECTION));
                };
                (
                    hooks::CONNECTION,
                    self.call(hooks::CONNECTION, &connect, (web_call,)).await?.0,
                )
            }
            Target::Page(document) => {
                self.send_page(document);
                return Ok(());
            }
            Target::Method {
                name, parameter, ..
            } => {
                let Some(method) = self.hooks.call else {
                    return Err(ProcessError::NoHook(hooks::METHOD));
                };
                let arguments = parameter.map(Value::Text).into_iter().collect();
                let (result,) = self.call(hooks::METHOD, &method, (name, arguments)).await?;
                (hooks::METHOD, result.map(drop))
            }
        };
        result.map_err(|message| ProcessError::Failed {
            hook,
            message: one_line(&message),
        })
    }

    /// Calls COMPILER_WEB, as often as it is to run.
    async fn declare(&mut self) -> Result<(), ProcessError> {
        let compiler_web = self.hooks.compiler_web;
        if let Some(compiler_web) = compiler_web.filter(|_| self.setup != Setup::Done) {
            self.call(hooks::COMPILER, &compiler_web, ()).await?;
            self.setup = self.setup.after();
        }
        Ok(())
    }

    /// Hands the request to a handler of `wasi:http`, and sees it through.
    async fn serve_http(&mut self, incoming: IncomingHandler) -> Result<(), ProcessError> {
        let parameters = wasi_http::resources(self.store.data_mut())
            .map_err(|error| ProcessError::Instantiate(trap_text(&error)))?;
        self.call(hooks::HTTP, &incoming, parameters).await
    }

    /// Calls a method for a tag.
    pub(crate) async fn call_method(
        &mut self,
        name: String,
        arguments: Vec<Value>,
    ) -> Result<Result<Value, String>, ProcessError> {
        let Some(method) = self.hooks.call else {
            return Err(ProcessError::NoHook(hooks::METHOD));
        };
        let returned = self.call(hooks::METHOD, &method, (name, arguments)).await?;
        Ok(returned.0.map_err(|message| one_line(&message)))
    }

    pub(crate) fn state(&self) -> &State {
        self.store.data()
    }

    pub(crate) fn state_mut(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// The refusal of On Web Authentication, with what it set and sent.
    fn refused(&mut self, reason: Option<String>) -> ProcessError {
        let answer = std::mem::take(&mut self.store.data_mut().exchange.answer);
        ProcessError::Unauthorized {
            reason,
            answer: Box::new(answer),
        }
    }

    pub(crate) async fn ask_methods(&mut self) -> Result<Vec<WitMethod>, ProcessError> {
        let Some(methods) = self.hooks.methods else {
            return Ok(Vec::new());
        };
        Ok(self.call(hooks::METHODS, &methods, ()).await?.0)
    }

    pub(crate) async fn ask_handlers(&mut self) -> Result<Vec<WitHandler>, ProcessError> {
        let Some(handlers) = self.hooks.handlers else {
            return Ok(Vec::new());
        };
        Ok(self.call(hooks::HANDLERS, &handlers, ()).await?.0)
    }

    /// From now on COMPILER_WEB runs as `setup` says.
    pub(crate) fn set_up(&mut self, setup: Setup) {
        self.setup = setup;
    }

    /// Calls On Web Close Process, if the component has it.
    pub(crate) async fn close_process(&mut self) -> Result<(), ProcessError> {
        match self.hooks.close_process {
            Some(hook) => self.call(hooks::CLOSE_PROCESS, &hook, ()).await,
            None => Ok(()),
        }
    }

    /// Ends a web process: what it answered, and whether its request's body was refused for its size.
    pub(crate) fn finish(&mut self) -> Box<Exchange> {
        self.store.data_mut().end()
    }

    /// Bytes of linear memory that it holds; as memory never shrinks, the most it ever held.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.store.data().limiter.memory_used()
    }

    /// Why the instance ends after its request; `None` if it is kept for the next one.
    pub(crate) fn end(&self, trapped: bool, options: &PoolOptions) -> Option<Cause> {
        let limiter = &self.store.data().limiter;
        let growth = limiter.memory_used().saturating_sub(self.memory_at_first);
        let is_spent = self.requests_max > 0 && self.requests >= self.requests_max;
        if trapped {
            Some(Cause::Trap)
        } else if matches!(options.policy, PoolPolicy::Fresh | PoolPolicy::Session) || is_spent {
            // One of a session ends in another way; this one answered a request that has none.
            Some(Cause::Requests)
        } else if limiter.refused().is_some() {
            Some(Cause::Limit)
        } else if growth > options.max_growth {
            Some(Cause::Growth)
        } else {
            None
        }
    }

    /// The six parameters. The body is read ahead as far as `$2` shows it.
    async fn web_call(&mut self) -> Result<Arc<WebCall>, ProcessError> {
        let exchange = &mut self.store.data_mut().exchange;
        let mut header = exchange.call.head_text();
        if let Some(room) = HEADER_TEXT_BYTES_MAX.checked_sub(header.len()) {
            // A body that breaks off is the handler's to find out, when it reads it.
            if let Ok(body) = exchange.body.peek(room).await {
                header.push_str(&String::from_utf8_lossy(body));
            }
        }
        call::cut(&mut header, HEADER_TEXT_BYTES_MAX);
        if exchange.body.is_too_large() {
            return Err(ProcessError::BodyTooLarge);
        }
        let call = &exchange.call;
        Ok(Arc::new(WebCall {
            url: call.url.clone(),
            header,
            browser_ip: call::hybrid_address(call.peer.client),
            server_ip: call::hybrid_address(call.peer.server),
            user: call.user.clone(),
            password: call.password.clone(),
        }))
    }

    async fn call<P, R>(
        &mut self,
        hook: &'static str,
        func: &TypedFunc<P, R>,
        parameters: P,
    ) -> Result<R, ProcessError>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        self.store.set_epoch_deadline(TICKS_INLINE);
        func.call_async(&mut self.store, parameters)
            .await
            .map_err(|error| {
                let message = trap_text_and_dump(&error, &mut self.store, None);
                reached::ended(&error, self.store.data(), hook, message)
            })
    }
}

/// A store for one instance, with its limits and its turns.
pub(crate) fn new_store(
    generation: &Generation,
    exchange: Box<Exchange>,
    meter: Arc<CpuMeter>,
) -> Store<State> {
    let limiter = InstanceLimiter::new(&generation.limits, generation.engine.budget.clone());
    let state = State::new(generation.profile.clone(), limiter, exchange, meter);
    let mut store = Store::new(generation.component.pre.engine(), state);
    store.limiter(|state| &mut state.limiter);
    reached::hold(&mut store);
    store.set_epoch_deadline(TICKS_INLINE);
    store.epoch_deadline_callback(|store| {
        let meter = store.data().meter.clone();
        meter.tick()?;
        // A plain yield would be polled again at once, ahead of every other task.
        let turn = async move {
            tokio::task::yield_now().await;
            meter.go_on();
        };
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(turn)))
    });
    store
}

/// The error with its backtrace, bounded: it goes into a log.
pub(crate) fn trap_text(error: &wasmtime::Error) -> String {
    let mut text = match error.is::<WasmCoreDump>() {
        false => format!("{error:?}"),
        // What else it would list are addresses in this process.
        true => {
            let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
            causes.join("\n\nCaused by:\n    ")
        }
    };
    call::cut(&mut text, TRAP_TEXT_BYTES_MAX);
    text
}

/// The same, of an error that a guest ended with, and what became of its core dump if one is wanted. The request is that
/// of the exchange unless it is named.
pub(crate) fn trap_text_and_dump(
    error: &wasmtime::Error,
    store: &mut Store<State>,
    request: Option<u64>,
) -> String {
    let mut text = trap_text(error);
    if let Some(dumps) = store.data().profile.core_dumps.clone() {
        let request = request.unwrap_or_else(|| store.data().exchange.call.id);
        let line = dumps.keep(store, error, request);
        text.push_str(&line.unwrap_or_default());
    }
    text
}

/// A guest's words as they may stand in a log: a line break in them must not begin a line of its own.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(TRAP_TEXT_BYTES_MAX));
    for c in text.chars().take(TRAP_TEXT_BYTES_MAX) {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Spreads the retirement of instances that were made together, by up to a quarter.
pub(crate) fn jittered(requests_max: u32, number: u64) -> u32 {
    // Multiples of the golden ratio: neighbours end up far apart, without a generator of random numbers.
    let spread =
        (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % (u64::from(requests_max / 4) + 1);
    requests_max - u32::try_from(spread).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::jittered;

    #[test]
    fn instances_retire_at_different_times_but_never_late() {
        let all: std::collections::BTreeSet<u32> =
            (0..10).map(|number| jittered(1000, number)).collect();
        assert!(all.len() > 5, "{all:?}");
        assert!(
            all.iter().all(|requests| (750..=1000).contains(requests)),
            "{all:?}"
        );
        assert_eq!(jittered(0, 3), 0);
        assert_eq!(jittered(1, 3), 1);
    }
}
