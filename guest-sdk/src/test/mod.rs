//! Native tests of a component: a request made up, a function run, a response to look at.
//!
//! ```standalone_crate
//! use tessera_guest::prelude::*;
//! use tessera_guest::test;
//!
//! #[on_web_connection]
//! fn shop(call: &WebCall) -> impl Reply {
//!     text(format!("you asked for {}", call.url))
//! }
//!
//! #[web_method]
//! fn greet(name: &str) -> impl Reply {
//!     html(format!("<p>Hello {}", escape(name)))
//! }
//!
//! // One function:
//! let response = test::get("/a?b=c").connect(shop);
//! assert_eq!(response.text(), "you asked for /a?b=c");
//!
//! let response = test::get("/").argument("Ann & Bob").method(greet);
//! assert_eq!(response.text(), "<p>Hello Ann &amp; Bob");
//!
//! // The whole component, as the host would run it:
//! let response = test::get("/4DACTION/greet/Ann").send();
//! assert_eq!((response.status, response.text()), (200, "<p>Hello Ann"));
//! ```
//!
//! Each test has a host of its own in memory; nothing is shared but what is handed over, like a [`Session`].

mod component;
mod request;
mod response;

pub use component::{Decide, Handler, Method};
pub use request::{Request, Session, get, post, request};
pub use response::Response;
