//! The engine: loads components and runs their hooks, one instance for each web process.
//!
//! Nothing outside of this crate knows that components are WebAssembly. What goes in is a [`Call`]
//! (a request) and a [`Target`] (which hook); what comes out is an [`Answer`] or a [`ProcessError`].

// From a file to something that can be called.
mod engine;
mod forge;
mod clock;
mod code_cache;
mod code_files;
mod code_pruning;
mod module;
mod turns;
mod component;
mod generation;
mod tally;
mod threads;
mod asks;
mod hooks;

// One web process, from its call to its answer.
mod call;
mod fields;
mod chain;
mod process;
mod ended;
mod bound;
mod pool;
mod slots;
mod instance;
mod forensics;
mod meters;
mod stages;
mod core_dump;
mod state;
mod limits;
mod cpu;
mod pace;
mod reached;
mod body;
mod ahead;
mod answer;
mod transform;
mod form;
mod charset;
mod parameters;
mod multipart;
mod parts;
#[cfg(test)]
mod parts_fixtures;
#[cfg(test)]
mod mutations;
mod raw;
mod home_page;
mod media_types;
mod due;
mod wasi_http;
mod imports;
mod json;
mod variables;
mod output;
mod wit;

// What a component may use beside.
mod grants;
mod store;

// What every part speaks.
mod directory;
mod folder;
mod session;
mod error;

pub use answer::{Answer, AnswerBody};
pub use asks::{new_imports, permissions_asked};
pub use body::{BodyError, RequestBody};
pub use bound::Context;
pub use call::{Call, DigestCheck, Peer, Target};
pub use chain::{Broken, Chain};
pub use component::{Component, ComponentInfo, DeclaredHandler, DeclaredPattern, Hooks, Method};
pub use core_dump::CoreDumpOptions;
pub use directory::{
    ControlFailure, NoDirectory, Pending, Property, PropertyValue, SETTING_NAME_BYTES_MAX,
    SETTING_VALUES_BYTES_MAX, SETTINGS_MAX, Selector, ServerDirectory, ServerStatistics,
    StartError,
};
pub use engine::{AllocatorStatistics, Engine, EngineOptions, EngineStatistics};
pub use error::{EngineError, LoadError, ProcessError};
pub use fields::Fields;
pub use folder::{Document, Lookup, WebFolder};
pub use forensics::Cost;
pub use generation::{Generation, GenerationOptions, InstanceLimits, PoolOptions, PoolPolicy};
pub use grants::{GrantedFolder, Grants};
pub use media_types::type_of_extension;
pub use meters::{Costs as MeteredCosts, Meters};
pub use module::{Digest, Module};
pub use pool::{PoolStatistics, Retired};
pub use raw::RawData;
pub use reached::Limit;
pub use session::{
    SESSION_KEY_BYTES_MAX, SESSION_VALUE_BYTES_MAX, Session, SessionError, SessionExpected,
    SessionValue, SessionWork, Sessions,
};
pub use stages::{Stage, Stages};
pub use store::{
    BATCH_BYTES_MAX, BATCH_MAX, Bucket, Change, FileStore, GroupedStore, KEY_BYTES_MAX, KeyPage,
    MemoryStore, RedisStore, Space, Store, StoreError, VALUE_BYTES_MAX, Waiting,
};
pub use tally::{Tally, TrialReport};
pub use threads::are_guests_at_work;
pub use transform::{PAGE_BYTES_MAX, SentFile, page_limits, render_alone};
pub use wasi_http::{
    AnswerStream, NoOutbound, Origin, Outbound, OutboundBody, OutboundError, OutboundTimes,
};
