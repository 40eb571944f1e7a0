//! Components for the Tessera web server: plain functions with attributes.
//!
//! A component is one file, built by `cargo build --release --target wasm32-wasip2` with
//! `crate-type = ["cdylib"]`, and dropped into the `components` folder of a site:
//!
//! ```
//! use serde::Deserialize;
//! use tessera_guest::prelude::*;
//!
//! /// Answers every URL that is neither a file nor a method.
//! #[on_web_connection]
//! fn shop(call: &WebCall) -> impl Reply {
//!     html(format!("<p>You asked for {}.", escape(call.path())))
//! }
//!
//! /// Answers `/4DACTION/greet/Ann`.
//! #[web_method]
//! fn greet(name: &str) -> impl Reply {
//!     text(format!("Hello {name}!"))
//! }
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     article: String,
//!     pieces: u32,
//! }
//!
//! /// Answers a form that is posted to `/4DACTION/order`; one that does not fit is refused with 400.
//! #[web_method]
//! fn order(form: Form<Order>) -> Result<String, Error> {
//!     if form.article != "ink" {
//!         return Err(Error::refused(404, "there is only ink"));
//!     }
//!     Ok(format!("<p>Ordered: {} of {}", form.pieces, escape(&form.article)))
//! }
//! ```
//!
//! | for | there is |
//! |---|---|
//! | forms and queries | [`Form`], [`request::variables`], [`request::parts`] for files |
//! | JSON | [`Json`], as a parameter and as a reply |
//! | several addresses | [`routes!`] |
//! | pages with tags | [`fn@template`] |
//! | cookies | [`cookie`] |
//! | large bodies | [`request::BodyReader`], [`request::BodyPart::reader`], [`fn@stream`] |
//! | server-sent events | [`events`] |
//! | what goes wrong | [`Error`], [`OrRefuse`] |
//! | tests without a server | [`mod@test`] |
//!
//! An error that a function returns is a 500 for the visitor and a line in the host's log, unless it is a refusal
//! ([`Error::refused`]); a panic ends the web process with the same. What a component prints goes to its log too.
//!
//! Features, both on by default: `form` for [`Form`], `json` for [`Json`] and typed values; each needs `serde`.
//!
//! The functions stay plain functions, and [`mod@test`] runs them natively with `cargo test`, one by one or as the
//! host would. An instance serves many requests, one at a time: statics of a component survive from one to the
//! next, and nothing of this crate does.

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
#[cfg(not(target_arch = "wasm32"))]
mod memory;

pub mod cookie;
pub mod request;
pub mod response;
pub mod session;
pub mod variables;
pub mod web_server;

mod argument;
mod error;
mod escape;
mod export;
mod handlers;
mod header_text;
mod extract;
#[cfg(feature = "form")]
mod form;
#[cfg(feature = "json")]
mod json;
mod parts;
mod percent;
mod reply;
mod routes;
mod stream;
mod template;
mod types;

#[cfg(not(target_arch = "wasm32"))]
pub mod test;

#[cfg(target_arch = "wasm32")]
pub(crate) use bindings::imports::tessera::web as host;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use memory as host;

pub use argument::{Arguments, FromArgument, Parameter};
pub use error::{Error, OrRefuse};
pub use escape::escape;
pub use extract::{FromRequest, HookParameter};
#[cfg(feature = "form")]
pub use form::Form;
#[cfg(feature = "json")]
pub use json::{Json, json};
pub use reply::{
    Blob, Boxed, File, Html, Redirect, Reply, Status, Text, Verdict, WithCookie, WithHeader, blob,
    file, html, redirect, status, text,
};
pub use routes::{RouteFunction, Routed};
pub use stream::{Event, Events, Stream, Streamed, events, stream};
pub use template::{Template, template};
pub use types::{BodyError, HeaderField, ResponseError, Value, Variable, WebCall};

/// What the attributes expand to; not for authors.
#[doc(hidden)]
pub mod __private {
    pub use crate::export::*;
    pub use crate::handlers::*;
}

/// Makes a function On Web Authentication: it decides whether a dynamic request may run.
///
/// Takes `WebCall`, `&WebCall` or nothing and returns `bool` or `Result<bool, _>`. False and an error refuse
/// the request with 401. Without such a function every request is accepted. At most one per component.
///
/// ```
/// use tessera_guest::prelude::*;
///
/// #[on_web_authentication]
/// fn admit(call: &WebCall) -> bool {
///     call.path().starts_with("/open/") || call.user == "ann"
/// }
/// ```
pub use tessera_guest_macros::on_web_authentication;

/// Makes a function On Web Connection: it answers every URL that is neither a file nor a method.
///
/// Takes `WebCall`, `&WebCall` or nothing, and any number of [`FromRequest`]s ([`Form<T>`](Form), [`Json<T>`](Json)); returns a
/// [`Reply`]. At most one per component.
///
/// ```
/// use tessera_guest::prelude::*;
///
/// #[on_web_connection]
/// fn shop(call: &WebCall) -> Result<impl Reply, Error> {
///     match call.path() {
///         "/" => Ok(html("<h1>Shop</h1>").with_status(200)),
///         _ => Ok(html("<h1>Not here</h1>").with_status(404)),
///     }
/// }
/// ```
pub use tessera_guest_macros::on_web_connection;

/// Makes a function COMPILER_WEB: it is called before the method or On Web Connection of every dynamic
/// request, after the request was accepted. At most one per component.
///
/// ```
/// use tessera_guest::prelude::*;
///
/// #[compiler_web]
/// fn declare() {
///     let _ = variables::set("vTitle", "Shop");
/// }
/// ```
pub use tessera_guest_macros::compiler_web;

/// Makes a function On Web Close Process: the last call of an instance that belonged to a session (pool policy
/// `session`). At most one per component.
///
/// ```
/// #[tessera_guest::on_web_close_process]
/// fn bye() {
///     println!("the visitor has gone");
/// }
/// ```
pub use tessera_guest_macros::on_web_close_process;

/// Makes a function a method that URLs (`/4DACTION/Method/Param`) and template tags call.
///
/// Takes any number of [`Parameter`]s and returns a [`Reply`]. Options: `name = "..."`, by default the function's
/// name, compared regardless of case; `available = false`, so that a URL calling it is a 403.
///
/// ```
/// use tessera_guest::prelude::*;
///
/// /// `/4DACTION/addToCart/42`
/// #[web_method(name = "addToCart")]
/// fn add_to_cart(article: u32) -> impl Reply {
///     redirect(format!("/cart?added={article}")).see_other()
/// }
///
/// /// For tags: what it returns goes into the page.
/// #[web_method]
/// fn price(net: f64, tax: Option<f64>) -> f64 {
///     net * (1.0 + tax.unwrap_or(0.19))
/// }
///
/// #[web_method(available = false)]
/// fn hidden() {}
/// ```
pub use tessera_guest_macros::web_method;

/// Makes a function a handler: it answers URLs of its own, whatever files there are, and neither On Web Authentication nor
/// COMPILER_WEB runs before it.
///
/// Takes nothing and returns a [`Reply`]. Options: `pattern = "books"`, the beginning of paths (`/books/` and all below it), or
/// `regex = "..."`, a regular expression for the path; `verbs = "GET, POST"`, by default all. Handlers are tried in the order in
/// which they stand in the source, file by file; those of the component's settings come before them. With a verb that no handler
/// of the pattern takes the answer is 405.
///
/// ```
/// use tessera_guest::prelude::*;
///
/// #[tessera_guest::web_handler(pattern = "books", verbs = "GET")]
/// fn books() -> impl Reply {
///     text(format!("You asked for {}", request::url()))
/// }
///
/// #[tessera_guest::web_handler(pattern = "books", verbs = "POST")]
/// fn add_book() -> impl Reply {
///     status(201)
/// }
/// ```
pub use tessera_guest_macros::web_handler;

/// What a component uses: attributes, what handlers take and answer, and the modules of the current request.
pub mod prelude {
    #[cfg(feature = "form")]
    pub use crate::Form;
    pub use crate::cookie::{self, Cookie};
    pub use crate::{
        BodyError, Error, Event, FromRequest, HeaderField, OrRefuse, Reply, ResponseError, Status,
        Value, Variable, WebCall, blob, compiler_web, escape, events, file, html,
        on_web_authentication, on_web_close_process, on_web_connection, redirect, request,
        response, routes, session, status, stream, template, text, variables, web_handler,
        web_method, web_server,
    };
    #[cfg(feature = "json")]
    pub use crate::{Json, json};
}

/// The guide, whose examples are run as those of these pages.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
pub struct Guide;
