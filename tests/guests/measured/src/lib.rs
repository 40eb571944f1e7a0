//! What `cargo xtask bench` measures: handlers as sites have them. `benches/src/native.rs` and `benches/peers/worker.js`
//! answer the same.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value as Tree;
use tessera_guest::Boxed;
use tessera_guest::prelude::*;

/// A hundred bytes.
const HELLO: &str = "Hello from a handler. It answers with a hundred bytes, which is as small as answers usually become.\n";
const ROWS: u32 = 100;
/// What the slow handler waits.
const SLOW: Duration = Duration::from_millis(50);

#[on_web_connection]
fn measured(call: &WebCall) -> Result<Boxed<'static>, Error> {
    Ok(match call.path() {
        "/hello" => text(HELLO).boxed(),
        "/echo" => json(request::body_json::<Tree>()?).boxed(),
        "/form" => html(form()?).boxed(),
        "/table" => html(table()?).boxed(),
        "/session" => text(visits()?.to_string()).boxed(),
        "/slow" => {
            wait();
            text("late\n").boxed()
        }
        _ => (status(404), text("nothing here\n")).boxed(),
    })
}

/// The fields that were posted.
fn form() -> Result<String, Error> {
    let mut page = String::from("<!doctype html><title>Form</title><dl>\n");
    for Variable { name, value } in request::variables()? {
        for part in ["<dt>", &escape(&name), "<dd>", &escape(&value), "\n"] {
            page.push_str(part);
        }
    }
    page.push_str("</dl>\n");
    Ok(page)
}

fn table() -> Result<String, Error> {
    let mut page = String::from("<!doctype html><title>Table</title><table>\n");
    for row in 1..=ROWS {
        let name = format!("row <{row}>");
        writeln!(page, "<tr><td>{row}<td>{}<td>{}", escape(&name), row * row)?;
    }
    page.push_str("</table>\n");
    Ok(page)
}

/// Counts what the visitor's session has seen.
fn visits() -> Result<u64, Error> {
    session::update("visits", |visits: &mut u64| {
        *visits += 1;
        *visits
    })
}

fn wait() {
    #[expect(
        clippy::disallowed_methods,
        reason = "blocks the guest, which is the point"
    )]
    std::thread::sleep(SLOW);
}
