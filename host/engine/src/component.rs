//! A loaded component: compiled, linked, and its hooks known.

use wasmtime::component::InstancePre;
use wasmtime::component::types::{ComponentExtern, ComponentItem};

use crate::engine::Engine;
use crate::error::LoadError;
use crate::generation::PoolPolicy;
use crate::hooks::HookIndices;
use crate::module::Module;
use crate::state::State;
use crate::wit::{WitHandler, WitPattern};
#[cfg(feature = "p3")]
use wasmtime_wasi_http::p3::bindings::ServicePre;

const RESPONSE: &str = "tessera:web/response@0.1.0";

/// A component that can be instantiated.
#[derive(Clone)]
pub struct Component {
    pub(crate) pre: InstancePre<State>,
    pub(crate) hooks: HookIndices,
    /// Of a component of `wasi:http` 0.3, if it has no hooks of its own.
    #[cfg(feature = "p3")]
    pub(crate) service: Option<ServicePre<State>>,
    sends_raw_data: bool,
    info: ComponentInfo,
}

/// What a component offers and wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentInfo {
    /// The hooks it exports.
    pub hooks: Hooks,
    /// All names it exports.
    pub exports: Vec<String>,
    /// All names it imports.
    pub imports: Vec<String>,
    /// Whether its compiled code was found on disk.
    pub from_cache: bool,
}

/// Which hooks a component exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// On Web Authentication.
    pub authentication: bool,
    /// On Web Connection.
    pub connection: bool,
    /// Methods for 4DACTION and tags.
    pub actions: bool,
    /// On Web Close Process.
    pub session_end: bool,
    /// COMPILER_WEB.
    pub compiler: bool,
}

/// One method of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// Attribute "Available through 4D tags and URLs".
    pub available: bool,
}

/// One handler that the component declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredHandler {
    /// Which URLs.
    pub pattern: DeclaredPattern,
    /// For which HTTP methods; none are all.
    pub verbs: Vec<String>,
    /// The method that answers.
    pub method: String,
}

/// Which URLs a handler is for, as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclaredPattern {
    /// The beginning of a path.
    Prefix(String),
    /// A regular expression.
    Regex(String),
}

impl From<WitHandler> for DeclaredHandler {
    fn from(handler: WitHandler) -> Self {
        Self {
            pattern: match handler.pattern {
                WitPattern::Prefix(prefix) => DeclaredPattern::Prefix(prefix),
                WitPattern::Regex(regex) => DeclaredPattern::Regex(regex),
            },
            verbs: handler.verbs,
            method: handler.method,
        }
    }
}

impl Component {
    /// Compiles (or finds compiled) and links a component. Takes seconds for a large one: not for serving threads.
    pub fn load(engine: &Engine, module: &Module<'_>) -> Result<Self, LoadError> {
        check_header(module.wasm())?;
        let (component, from_cache) = engine.compile(module)?;
        let ty = component.component_type();
        let names = |list: &mut dyn Iterator<Item = (&str, ComponentExtern<'_>)>| {
            list.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        };
        let exports = names(&mut ty.exports(component.engine()));
        let imports = names(&mut ty.imports(component.engine()));

        let sends_raw_data = imports_function(&component, RESPONSE, "send-raw-data");
        let hooks = HookIndices::of(&component);
        if !hooks.has_connection() && !hooks.has_actions() {
            let list = if exports.is_empty() {
                "nothing".to_owned()
            } else {
                exports.join(", ")
            };
            return Err(LoadError::NoHooks(list));
        }
        let pre = engine.link(&component)?;
        // The first request should not pay for the memory image.
        component
            .initialize_copy_on_write_image()
            .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        let info = ComponentInfo {
            hooks: Hooks {
                authentication: hooks.has_authentication(),
                connection: hooks.has_connection(),
                actions: hooks.has_actions(),
                session_end: hooks.has_session_end(),
                compiler: hooks.has_compiler(),
            },
            exports,
            imports,
            from_cache,
        };
        #[cfg(feature = "p3")]
        let service = match hooks.has_service() {
            true => Some(
                ServicePre::new(pre.clone())
                    .map_err(|error| LoadError::Link(format!("{error:#}")))?,
            ),
            false => None,
        };
        Ok(Self {
            pre,
            hooks,
            #[cfg(feature = "p3")]
            service,
            sends_raw_data,
            info,
        })
    }

    /// Whether it is one of `wasi:http` 0.3, whose instances may serve several requests at a time.
    pub(crate) fn is_service(&self) -> bool {
        #[cfg(feature = "p3")]
        let is_service = self.service.is_some();
        #[cfg(not(feature = "p3"))]
        let is_service = false;
        is_service
    }

    /// Whether its answers may go out while they are made.
    pub(crate) fn sends_raw_data(&self) -> bool {
        self.sends_raw_data
    }

    /// How its instances are kept, if `wanted` is.
    pub(crate) fn policy(&self, wanted: PoolPolicy) -> Result<PoolPolicy, LoadError> {
        match wanted {
            PoolPolicy::Auto if self.is_service() => Ok(PoolPolicy::Concurrent),
            PoolPolicy::Auto if self.hooks.has_http() => Ok(PoolPolicy::Fresh),
            PoolPolicy::Auto => Ok(PoolPolicy::Reuse),
            PoolPolicy::Concurrent if !self.is_service() => Err(LoadError::NotConcurrent),
            PoolPolicy::Session if self.is_service() => Err(LoadError::NoSessions),
            policy => Ok(policy),
        }
    }

    /// What the component offers and wants.
    pub fn info(&self) -> &ComponentInfo {
        &self.info
    }
}

/// Whether a component imports a function of an interface: what it does not use it does not import.
fn imports_function(
    component: &wasmtime::component::Component,
    interface: &str,
    function: &str,
) -> bool {
    let engine = component.engine();
    component
        .component_type()
        .imports(engine)
        .any(|(name, import)| match import.ty {
            ComponentItem::ComponentInstance(instance) if name == interface => {
                instance.exports(engine).any(|(name, _)| name == function)
            }
            _ => false,
        })
}

/// Says what a file is that is no component, before the compiler says it in its own words.
fn check_header(wasm: &[u8]) -> Result<(), LoadError> {
    let problem = match wasm {
        [] => "the file is empty",
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            "it is a core WebAssembly module; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
        }
        [0, b'a', b's', b'm', ..] => "its version of the component format is not supported",
        _ => "the file does not start as WebAssembly does",
    };
    Err(LoadError::NotAComponent(problem.into()))
}
