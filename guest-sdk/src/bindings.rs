//! The contract in `wit`, translated: one module for the imports and one for each hook.
//!
//! Each hook has a world of its own, so that a component exports what its attributes name and nothing else.
#![allow(
    unsafe_code,
    unreachable_pub,
    missing_docs,
    unused_qualifications,
    reason = "generated code"
)]

/// What a component may import. What it does not call is left out of it.
pub mod imports {
    wit_bindgen::generate!({
        path: "../wit",
        world: "only-imports",
        with: {
            "tessera:web/types@0.1.0": crate::types,
            "tessera:web/request@0.1.0/part": crate::request::Part,
            "tessera:web/variables@0.1.0/variable-error": crate::variables::VariableError,
            "tessera:web/session@0.1.0/stored": crate::session::Stored,
            "tessera:web/session@0.1.0/expected": crate::session::Expected,
            "tessera:web/session@0.1.0/session-error": crate::session::SessionError,
            "tessera:web/web-server@0.1.0/selector": crate::web_server::Selector,
            "tessera:web/web-server@0.1.0/property": crate::web_server::Property,
            "tessera:web/web-server@0.1.0/start-error": crate::web_server::StartError,
            "tessera:web/web-server@0.1.0/statistics": crate::web_server::Statistics,
            "tessera:web/web-server@0.1.0/server-error": crate::web_server::ServerError,
        },
        generate_all,
    });
}

/// On Web Authentication.
pub mod authentication {
    wit_bindgen::generate!({
        path: "../wit",
        world: "only-authentication",
        with: { "tessera:web/types@0.1.0": crate::types },
        pub_export_macro: true,
    });
}

/// On Web Connection.
pub mod connection {
    wit_bindgen::generate!({
        path: "../wit",
        world: "only-connection",
        with: { "tessera:web/types@0.1.0": crate::types },
        pub_export_macro: true,
    });
}

/// Methods.
pub mod actions {
    wit_bindgen::generate!({
        path: "../wit",
        world: "only-actions",
        with: { "tessera:web/types@0.1.0": crate::types },
        pub_export_macro: true,
    });
}

/// Handlers of URLs.
pub mod handlers {
    wit_bindgen::generate!({
        path: "../wit",
        world: "only-handlers",
        pub_export_macro: true,
    });
}

/// On Web Close Process.
pub mod session_end {
    wit_bindgen::generate!({
        path: "../wit",
        world: "only-session-end",
        pub_export_macro: true,
    });
}

/// COMPILER_WEB.
pub mod compiler {
    wit_bindgen::generate!({
        path: "../wit",
        world: "only-compiler",
        pub_export_macro: true,
    });
}
