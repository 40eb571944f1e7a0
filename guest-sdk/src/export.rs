//! What the attributes expand to.
//!
//! In a component each hook becomes an export of its own; natively it is noted for [`test`](crate::test).

pub use inventory;

pub use crate::argument::Arguments;
use crate::error::Error;
use crate::extract::HookParameter;
pub use crate::extract::Taken;
use crate::reply::{Reply, Verdict};
pub use crate::routes::{Routes, check_route, routed};
use crate::types::Value;

/// One method, as `#[web_method]` registers it.
pub struct Method {
    /// Its name, as URLs and tags write it.
    pub name: &'static str,
    /// Whether URLs and tags may call it.
    pub available: bool,
    /// Calls it.
    pub call: fn(Arguments<'_>) -> Result<Value, String>,
}

inventory::collect!(Method);

/// The method of that name, regardless of the case of ASCII letters.
pub fn method(name: &str) -> Option<&'static Method> {
    // A component has a handful; comparing lengths first makes a walk cheaper than any table built per instance.
    inventory::iter::<Method>
        .into_iter()
        .find(|method| method.name.eq_ignore_ascii_case(name))
}

/// Calls the method of that name.
pub fn call(name: &str, arguments: &mut [Value]) -> Result<Value, String> {
    match method(name) {
        Some(method) => (method.call)(Arguments::new(arguments)),
        None => Err(["there is no method ", name].concat()),
    }
}

/// Takes one parameter of a hook.
pub fn taken<'a, T: HookParameter<'a>>(from: &'a Taken) -> Result<T, Error> {
    T::take(from)
}

/// Runs On Web Connection and sends its answer.
pub fn answer<R: Reply>(hook: impl FnOnce() -> Result<R, Error>) -> Result<(), String> {
    hook().and_then(Reply::send).or_else(Error::settle)
}

/// Runs a method, and sends or returns what it returned.
pub fn give<R: Reply>(method: impl FnOnce() -> Result<R, Error>) -> Result<Value, String> {
    method()
        .and_then(Reply::give)
        .or_else(|error| error.settle().map(|()| Value::Null))
}

/// Runs On Web Authentication and returns what it decided.
pub fn decide<V: Verdict>(hook: impl FnOnce() -> Result<V, Error>) -> Result<bool, String> {
    hook().and_then(Verdict::decide).map_err(Error::into_text)
}

/// A hook of the crate under test.
#[cfg(not(target_arch = "wasm32"))]
pub enum Hook {
    /// On Web Authentication.
    Authentication(fn(crate::WebCall) -> Result<bool, String>),
    /// On Web Connection.
    Connection(fn(crate::WebCall) -> Result<(), String>),
    /// COMPILER_WEB.
    Compiler(fn()),
    /// On Web Close Process.
    SessionEnd(fn()),
}

#[cfg(not(target_arch = "wasm32"))]
inventory::collect!(Hook);

/// Exports On Web Authentication.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_web_authentication {
    ($hook:ident) => {
        struct Component;
        impl $crate::bindings::authentication::exports::tessera::web::authentication::Guest
            for Component
        {
            fn authenticate(call: $crate::WebCall) -> ::core::result::Result<bool, ::std::string::String> {
                $hook(call)
            }
        }
        $crate::bindings::authentication::export!(
            Component with_types_in $crate::bindings::authentication
        );
    };
}

/// Exports On Web Connection.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_web_connection {
    ($hook:ident) => {
        struct Component;
        impl $crate::bindings::connection::exports::tessera::web::connection::Guest for Component {
            fn connect(call: $crate::WebCall) -> ::core::result::Result<(), ::std::string::String> {
                $hook(call)
            }
        }
        $crate::bindings::connection::export!(Component with_types_in $crate::bindings::connection);
    };
}

/// Exports COMPILER_WEB.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __compiler_web {
    ($hook:ident) => {
        struct Component;
        impl $crate::bindings::compiler::exports::tessera::web::compiler::Guest for Component {
            fn compiler_web() {
                $hook()
            }
        }
        $crate::bindings::compiler::export!(Component with_types_in $crate::bindings::compiler);
    };
}

/// Exports On Web Close Process.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_web_close_process {
    ($hook:ident) => {
        struct Component;
        impl $crate::bindings::session_end::exports::tessera::web::session_end::Guest for Component {
            fn close_process() {
                $hook()
            }
        }
        $crate::bindings::session_end::export!(Component with_types_in $crate::bindings::session_end);
    };
}

/// Exports all methods of the crate.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __web_methods {
    () => {
        struct Component;
        impl $crate::bindings::actions::exports::tessera::web::actions::Guest for Component {
            fn methods() -> ::std::vec::Vec<$crate::bindings::actions::exports::tessera::web::actions::Method> {
                $crate::__private::methods()
            }

            fn call(
                name: ::std::string::String,
                mut arguments: ::std::vec::Vec<$crate::Value>,
            ) -> ::core::result::Result<$crate::Value, ::std::string::String> {
                $crate::__private::call(&name, &mut arguments)
            }
        }
        $crate::bindings::actions::export!(Component with_types_in $crate::bindings::actions);
    };
}

/// The methods of the component, as the host asks for them once per generation.
#[cfg(target_arch = "wasm32")]
pub fn methods() -> Vec<crate::bindings::actions::exports::tessera::web::actions::Method> {
    inventory::iter::<Method>
        .into_iter()
        .map(
            |method| crate::bindings::actions::exports::tessera::web::actions::Method {
                name: method.name.to_owned(),
                available: method.available,
            },
        )
        .collect()
}

/// Registers one method.
#[doc(hidden)]
#[macro_export]
macro_rules! __web_method {
    ($name:literal, $available:literal, $call:ident) => {
        $crate::__private::inventory::submit! {
            $crate::__private::Method { name: $name, available: $available, call: $call }
        }
    };
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    /// Notes On Web Authentication.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __on_web_authentication {
        ($hook:ident) => {
            $crate::__private::inventory::submit! { $crate::__private::Hook::Authentication($hook) }
        };
    }

    /// Notes On Web Connection.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __on_web_connection {
        ($hook:ident) => {
            $crate::__private::inventory::submit! { $crate::__private::Hook::Connection($hook) }
        };
    }

    /// Notes COMPILER_WEB.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __compiler_web {
        ($hook:ident) => {
            $crate::__private::inventory::submit! { $crate::__private::Hook::Compiler($hook) }
        };
    }

    /// Notes On Web Close Process.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __on_web_close_process {
        ($hook:ident) => {
            $crate::__private::inventory::submit! { $crate::__private::Hook::SessionEnd($hook) }
        };
    }

    /// The methods are noted one by one.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __web_methods {
        () => {};
    }
}
