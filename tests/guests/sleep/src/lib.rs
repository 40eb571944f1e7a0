//! Waits as many milliseconds as `/sleep/N` says.

use std::time::Duration;

use tessera_guest::prelude::*;

#[on_web_connection]
fn sleep(call: &WebCall) -> Result<impl Reply, Error> {
    if let Some(milliseconds) = call.path().strip_prefix("/sleep/") {
        #[expect(
            clippy::disallowed_methods,
            reason = "blocks the guest, which is the point"
        )]
        std::thread::sleep(Duration::from_millis(milliseconds.parse()?));
    }
    Ok(text("awake"))
}
