//! The hooks of a component: found in its type once, looked up by index in every instance.

use std::sync::Arc;

use wasmtime::component::{Component, ComponentExportIndex, Instance, Resource, TypedFunc};
use wasmtime::{Result, Store};
use wasmtime_wasi_http::p2::bindings::http::types::{IncomingRequest, ResponseOutparam};

use crate::state::State;
use crate::wit::{Value, WebCall, WitHandler, WitMethod};

const VERSION: &str = "0.1.0";
/// Any 0.2 is found by it.
const INCOMING_HANDLER: &str = "wasi:http/incoming-handler@0.2.0";
/// Any 0.3.
const HANDLER: &str = "wasi:http/handler@0.3.0";

/// Names of the hooks, as messages write them.
pub(crate) const AUTHENTICATION: &str = "On Web Authentication";
pub(crate) const CONNECTION: &str = "On Web Connection";
pub(crate) const HTTP: &str = "the wasi:http handler";
pub(crate) const METHOD: &str = "the method";
pub(crate) const COMPILER: &str = "COMPILER_WEB";
pub(crate) const CLOSE_PROCESS: &str = "On Web Close Process";
pub(crate) const METHODS: &str = "the list of methods";
pub(crate) const TAGS: &str = "the tags of a page";
pub(crate) const HANDLERS: &str = "the list of handlers";

/// Where a component's hooks are; `None` for those it does not have.
#[derive(Clone)]
pub(crate) struct HookIndices {
    authenticate: Option<ComponentExportIndex>,
    connect: Option<ComponentExportIndex>,
    incoming: Option<ComponentExportIndex>,
    service: Option<ComponentExportIndex>,
    methods: Option<ComponentExportIndex>,
    call: Option<ComponentExportIndex>,
    handlers: Option<ComponentExportIndex>,
    close_process: Option<ComponentExportIndex>,
    compiler_web: Option<ComponentExportIndex>,
}

impl HookIndices {
    pub(crate) fn of(component: &Component) -> Self {
        let find_in = |name: &str, function: &str| {
            let instance = component.get_export_index(None, name)?;
            component.get_export_index(Some(&instance), function)
        };
        let find = |interface: &str, function: &str| {
            find_in(&format!("tessera:web/{interface}@{VERSION}"), function)
        };
        Self {
            authenticate: find("authentication", "authenticate"),
            connect: find("connection", "connect"),
            incoming: find_in(INCOMING_HANDLER, "handle"),
            service: find_in(HANDLER, "handle"),
            methods: find("actions", "methods"),
            call: find("actions", "call"),
            handlers: find("handlers", "handlers"),
            close_process: find("session-end", "close-process"),
            compiler_web: find("compiler", "compiler-web"),
        }
    }

    pub(crate) fn has_authentication(&self) -> bool {
        self.authenticate.is_some()
    }

    pub(crate) fn has_connection(&self) -> bool {
        self.connect.is_some() || self.has_http() || self.has_service()
    }

    /// Whether one of `wasi:http` 0.3 does. It has the component to itself: its instances serve several requests at a
    /// time, which hooks of `tessera:web` cannot.
    pub(crate) fn has_service(&self) -> bool {
        cfg!(feature = "p3")
            && self.service.is_some()
            && self.connect.is_none()
            && self.incoming.is_none()
    }

    /// Whether a handler of `wasi:http` 0.2 takes the place of On Web Connection.
    pub(crate) fn has_http(&self) -> bool {
        self.connect.is_none() && self.incoming.is_some()
    }

    pub(crate) fn has_actions(&self) -> bool {
        self.methods.is_some() && self.call.is_some()
    }

    pub(crate) fn has_session_end(&self) -> bool {
        self.close_process.is_some()
    }

    pub(crate) fn has_compiler(&self) -> bool {
        self.compiler_web.is_some()
    }

    /// The hooks of one instance, their types checked.
    pub(crate) fn bind(&self, store: &mut Store<State>, instance: &Instance) -> Result<BoundHooks> {
        macro_rules! bind {
            ($index:expr) => {
                match &$index {
                    Some(index) => Some(instance.get_typed_func(&mut *store, index)?),
                    None => None,
                }
            };
        }
        Ok(BoundHooks {
            authenticate: bind!(self.authenticate),
            connect: bind!(self.connect),
            incoming: bind!(self.incoming),
            methods: bind!(self.methods),
            call: bind!(self.call),
            handlers: bind!(self.handlers),
            close_process: bind!(self.close_process),
            compiler_web: bind!(self.compiler_web),
        })
    }
}

/// What a hook returns: one value, or the text of an error.
type Returned<T> = (std::result::Result<T, String>,);

/// `actions.call`: the method's name and its arguments.
type CallMethod = TypedFunc<(String, Vec<Value>), Returned<Value>>;

/// `incoming-handler.handle`: the request, and where the response is to be put.
pub(crate) type IncomingHandler =
    TypedFunc<(Resource<IncomingRequest>, Resource<ResponseOutparam>), ()>;

/// The hooks of one instance, ready to be called.
pub(crate) struct BoundHooks {
    pub(crate) authenticate: Option<TypedFunc<(Arc<WebCall>,), Returned<bool>>>,
    pub(crate) connect: Option<TypedFunc<(Arc<WebCall>,), Returned<()>>>,
    pub(crate) incoming: Option<IncomingHandler>,
    pub(crate) methods: Option<TypedFunc<(), (Vec<WitMethod>,)>>,
    pub(crate) call: Option<CallMethod>,
    pub(crate) handlers: Option<TypedFunc<(), (Vec<WitHandler>,)>>,
    pub(crate) close_process: Option<TypedFunc<(), ()>>,
    pub(crate) compiler_web: Option<TypedFunc<(), ()>>,
}
