//! What `#[web_handler]` expands to.

/// One handler, as the attribute registers it.
pub struct Handler {
    /// The beginning of paths, or a regular expression.
    pub pattern: &'static str,
    /// Which of both.
    pub is_regex: bool,
    /// HTTP methods, joined by commas; none are all.
    pub verbs: &'static str,
    /// The method that answers.
    pub method: &'static str,
    /// Where it stands in the source: handlers are tried in that order.
    pub place: (&'static str, u32),
}

inventory::collect!(Handler);

/// The handlers of the crate, file by file and from top to bottom.
pub fn handlers_in_order() -> Vec<&'static Handler> {
    let mut all: Vec<_> = inventory::iter::<Handler>.into_iter().collect();
    all.sort_by_key(|handler| handler.place);
    all
}

/// Registers one handler.
#[doc(hidden)]
#[macro_export]
macro_rules! __web_handler {
    ($pattern:literal, $is_regex:literal, $verbs:literal, $method:literal) => {
        $crate::__private::inventory::submit! {
            $crate::__private::Handler {
                pattern: $pattern,
                is_regex: $is_regex,
                verbs: $verbs,
                method: $method,
                place: (::core::file!(), ::core::line!()),
            }
        }
    };
}

/// Exports all handlers of the crate.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __web_handlers {
    () => {
        struct Component;
        impl $crate::bindings::handlers::exports::tessera::web::handlers::Guest for Component {
            fn handlers() -> ::std::vec::Vec<$crate::bindings::handlers::exports::tessera::web::handlers::Handler> {
                $crate::__private::handlers()
            }
        }
        $crate::bindings::handlers::export!(Component with_types_in $crate::bindings::handlers);
    };
}

/// They are noted one by one.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __web_handlers {
    () => {};
}

/// The handlers of the component, as the host asks for them once per generation.
#[cfg(target_arch = "wasm32")]
pub fn handlers() -> Vec<crate::bindings::handlers::exports::tessera::web::handlers::Handler> {
    use crate::bindings::handlers::exports::tessera::web::handlers as wit;

    let handler = |handler: &Handler| wit::Handler {
        pattern: match handler.is_regex {
            true => wit::Pattern::Regex(handler.pattern.to_owned()),
            false => wit::Pattern::Prefix(handler.pattern.to_owned()),
        },
        verbs: {
            let verbs = handler.verbs.split(',').map(str::trim);
            verbs
                .filter(|verb| !verb.is_empty())
                .map(str::to_owned)
                .collect()
        },
        method: handler.method.to_owned(),
    };
    handlers_in_order().into_iter().map(handler).collect()
}
