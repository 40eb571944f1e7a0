//! Takes as many milliseconds to load as `LATE` in its environment says, and tries to stop itself meanwhile.

use std::sync::OnceLock;

use tessera_guest::prelude::*;

/// What came of it.
static STOPPED: OnceLock<String> = OnceLock::new();

#[on_web_connection]
fn answer() -> impl Reply {
    text(STOPPED.get().map_or("never asked", String::as_str))
}

// By hand, because the attribute leaves no room for anything to happen while the host asks for the methods.
#[cfg(target_arch = "wasm32")]
mod methods {
    use std::time::Duration;

    use tessera_guest::bindings::actions::{self, exports::tessera::web::actions::Method};
    use tessera_guest::web_server::{Selector, WebServer};
    use tessera_guest::{Value, bindings};

    struct Component;

    impl bindings::actions::exports::tessera::web::actions::Guest for Component {
        fn methods() -> Vec<Method> {
            let time = std::env::var("LATE")
                .ok()
                .and_then(|time| time.parse().ok());
            #[expect(
                clippy::disallowed_methods,
                reason = "blocks the guest, which is the point"
            )]
            std::thread::sleep(Duration::from_millis(time.unwrap_or_default()));
            let stopped = WebServer::of(Selector::Database).stop();
            let _ = super::STOPPED.set(format!("{stopped:?}"));
            Vec::new()
        }

        fn call(name: String, _arguments: Vec<Value>) -> Result<Value, String> {
            Err(name)
        }
    }

    actions::export!(Component with_types_in actions);
}
