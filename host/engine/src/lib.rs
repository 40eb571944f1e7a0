//! The engine: loads components and runs their hooks, one instance for each web process.
//!
//! Nothing outside of this crate knows that components are WebAssembly. What goes in is a [`Call`]
//! (a request) and a [`Target`] (which hook); what comes out is an [`Answer`] or a [`ProcessError`].

// From a file to something that can be called.
mod engine;
mod clock;
mod code_cache;
mod turns;
mod component;
mod generation;
mod hooks;

// One web process, from its call to its answer.
mod call;
mod process;
mod pool;
mod slots;
mod instance;
mod state;
mod limits;
mod cpu;
mod pace;
mod reached;
mod body;
mod answer;
mod form;
mod imports;
mod output;
mod wit;

// What every part speaks.
mod directory;
mod error;

pub use answer::{Answer, AnswerBody};
pub use body::{BodyError, RequestBody};
pub use call::{Call, Peer, Target};
pub use component::{Component, ComponentInfo, Hooks, Method};
pub use directory::{
    ControlFailure, NoDirectory, Pending, Property, PropertyValue, SETTING_NAME_BYTES_MAX,
    SETTING_VALUES_BYTES_MAX, SETTINGS_MAX, Selector, ServerDirectory, StartError,
};
pub use engine::{Engine, EngineOptions, EngineStatistics};
pub use error::{EngineError, LoadError, ProcessError};
pub use generation::{Generation, GenerationOptions, InstanceLimits, PoolOptions, PoolPolicy};
pub use pool::{PoolStatistics, Retired};
pub use reached::Limit;
