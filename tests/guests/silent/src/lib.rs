//! Sends nothing.

use tessera_guest::prelude::*;

#[on_web_connection]
fn silent() {}
