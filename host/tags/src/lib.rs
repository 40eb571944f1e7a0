//! Transformation tags: pages with `<!--#4DTEXT name-->` in them, compiled once and rendered without waiting.
//!
//! A page becomes a [`Template`]: one flat list of instructions. A [`Renderer`] goes through it and writes into a [`Sink`]. It
//! never waits and never recurses: where it needs something that takes time, it says so in a [`Step`] (a method to be called, a
//! page to be included) and goes on when it has the answer. So it can be driven from blocking code as well as from async code.
//!
//! What is on a page cannot fail it: a tag that is wrong leaves an error text in its place and a [`Fault`] for the log. Everything
//! that a page can ask for is bounded by [`Limits`].
//!
//! ```
//! use std::sync::Arc;
//! use tessera_tags::{Limits, Renderer, Step, Syntax, Template, Value};
//!
//! struct Names;
//!
//! impl tessera_tags::Context for Names {
//!     fn variable(&self, name: &str) -> Option<Value> {
//!         (name == "who").then(|| Value::from("you & me"))
//!     }
//! }
//!
//! let page = b"Hello <!--#4DTEXT who-->!".to_vec();
//! let template = Arc::new(Template::compile(page, Syntax::All, &Limits::default())?);
//! let mut output = Vec::new();
//! let mut renderer = Renderer::new(template, "index.shtml", Limits::default());
//! assert!(matches!(renderer.run(&mut Names, &mut output), Step::Done));
//! assert_eq!(output, b"Hello you &amp; me!");
//! # Ok::<(), tessera_tags::PageTooLong>(())
//! ```

mod value;
mod number;
mod fault;
mod limits;
mod scan;
mod lex;
mod program;
mod expression;
mod compile;
mod operate;
mod builtin;
mod escape;
mod path;
mod variables;
mod render;

pub use compile::PageTooLong;
pub use fault::{Code, Fault};
pub use limits::{Limit, Limits};
pub use program::Template;
pub use render::{Call, CallFailure, Context, Occasion, Renderer, Sink, Step};
pub use scan::{Syntax, has_tags};
pub use value::{Object, Value};
