//! Version 1 of a component that is replaced while it runs.

use tessera_guest::prelude::*;

#[on_web_connection]
fn version() -> impl Reply {
    text("v1")
}
