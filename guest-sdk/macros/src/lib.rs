//! The attributes of `tessera-guest`, where they are documented.

mod check;
mod expand;
mod handler;
mod hook;
mod method;

use std::sync::atomic::{AtomicBool, Ordering};

use proc_macro::TokenStream;

use hook::Hook;

/// Makes a function On Web Authentication.
#[proc_macro_attribute]
pub fn on_web_authentication(options: TokenStream, function: TokenStream) -> TokenStream {
    hook::expand(Hook::Authentication, options.into(), function.into()).into()
}

/// Makes a function On Web Connection.
#[proc_macro_attribute]
pub fn on_web_connection(options: TokenStream, function: TokenStream) -> TokenStream {
    hook::expand(Hook::Connection, options.into(), function.into()).into()
}

/// Makes a function COMPILER_WEB.
#[proc_macro_attribute]
pub fn compiler_web(options: TokenStream, function: TokenStream) -> TokenStream {
    hook::expand(Hook::Compiler, options.into(), function.into()).into()
}

/// Makes a function On Web Close Process.
#[proc_macro_attribute]
pub fn on_web_close_process(options: TokenStream, function: TokenStream) -> TokenStream {
    hook::expand(Hook::SessionEnd, options.into(), function.into()).into()
}

/// Whether an attribute has exported all methods: the compiler runs one crate per process, so the first method of the process
/// is the first of the crate.
static EXPORTED_METHODS: AtomicBool = AtomicBool::new(false);
/// The same of all handlers.
static EXPORTED_HANDLERS: AtomicBool = AtomicBool::new(false);

/// Makes a function a method that URLs and tags call.
#[proc_macro_attribute]
pub fn web_method(options: TokenStream, function: TokenStream) -> TokenStream {
    method::expand(options.into(), function.into(), || {
        !EXPORTED_METHODS.swap(true, Ordering::Relaxed)
    })
    .into()
}

/// Makes a function a handler of URLs.
#[proc_macro_attribute]
pub fn web_handler(options: TokenStream, function: TokenStream) -> TokenStream {
    let first = || handler::First {
        method: !EXPORTED_METHODS.swap(true, Ordering::Relaxed),
        handler: !EXPORTED_HANDLERS.swap(true, Ordering::Relaxed),
    };
    handler::expand(options.into(), function.into(), first).into()
}
