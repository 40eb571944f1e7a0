//! Looks at the credentials that the host asked for, and tells in a field that it was asked.

use tessera_guest::prelude::*;
use tessera_guest::{request, response};

#[on_web_authentication]
fn admit(call: &WebCall) -> Result<bool, Error> {
    let told = format!("user={} password={}", call.user, call.password);
    response::set_header("X-Hook", &told)?;
    let path = call.path();
    if path.contains("trap") {
        panic!("the doorman fell");
    }
    if path.contains("own-challenge") {
        response::set_header("WWW-Authenticate", "Bearer")?;
    }
    if path.contains("page") {
        response::send_html("<p>Who are you?</p>")?;
    }
    if path.contains("away") {
        response::redirect("/login")?;
    }
    let is_open = path.contains("open");
    // The names of people may be any text.
    let secret = if call.user == "J\u{f6}rg" {
        "p\u{e4}ss:word"
    } else {
        "secret"
    };
    let is_right = call.user == "ann" || call.user == "J\u{f6}rg";
    let is_right =
        is_right && (call.password == secret || request::validate_digest(&call.user, secret));
    Ok(is_open || is_right)
}

#[on_web_connection]
fn welcome(call: &WebCall) -> impl Reply {
    let has_field =
        request::header("authorization").is_some() || call.header.contains("Authorization");
    text(format!(
        "user={} password={} field={has_field}",
        call.user, call.password
    ))
}

/// `/4DACTION/inside`
#[web_method]
fn inside() -> String {
    "inside".to_owned()
}
