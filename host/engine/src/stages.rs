//! Who wants to know how a web process spends its time. Implemented by the host, for the requests that it traces.

use std::any::Any;
use std::fmt;
use std::time::Instant;

use crate::call::Target;
use crate::hooks;

/// A part of a web process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waited for an instance.
    Wait,
    /// An instance was made for it.
    Instantiate,
    /// Its hooks ran.
    Guest {
        /// What was called: On Web Connection, or the kind of what was called in its place.
        hook: &'static str,
        /// The method, where it was one.
        method: Option<String>,
    },
}

/// What is told of the stages of one web process.
pub trait Stages: Any + fmt::Debug + Send + Sync {
    /// One has ended, just now.
    fn ended(&self, component: &str, stage: Stage, began: Instant);
}

impl Stage {
    /// The one in which a target is called.
    pub(crate) fn guest(target: &Target) -> Self {
        let (hook, method) = match target {
            Target::Connection => (hooks::CONNECTION, None),
            Target::Method { name, .. } => ("method", Some(name.clone())),
            Target::Page(_) => ("tags", None),
        };
        Self::Guest { hook, method }
    }
}
