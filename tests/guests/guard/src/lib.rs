//! Lets in whom it knows, and everyone where the path says `open`.

use tessera_guest::prelude::*;

#[on_web_authentication]
fn admit(call: &WebCall) -> Result<bool, Error> {
    if call.path().contains("broken") {
        return Err(Error::new("the guard failed on purpose"));
    }
    Ok(call.path().contains("open") || (call.user == "ann" && call.password == "secret"))
}

#[on_web_connection]
fn welcome(call: &WebCall) -> impl Reply {
    text(format!("user={} password={}", call.user, call.password))
}

/// `/4DACTION/safe`
#[web_method]
fn safe() -> impl Reply {
    text("inside")
}
