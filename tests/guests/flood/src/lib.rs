//! Answers with too much of everything.

use tessera_guest::prelude::*;

#[on_web_connection]
fn flood(call: &WebCall) -> Result<impl Reply, Error> {
    match call.path() {
        // Built at once, sent at once.
        "/body" => response::send_blob(&vec![b'x'; 64 << 20], "text/plain")?,
        "/text" => response::send_text(&"x".repeat(64 << 20), "text/plain")?,
        "/header" => response::set_header("x-long", &"x".repeat(1 << 20))?,
        "/headers" => {
            for number in 0..100_000 {
                response::add_header(&format!("x-many-{number}"), "x")?;
            }
        }
        "/log" => {
            for _ in 0..100_000 {
                println!("the guest prints a line that nobody wants to read, again and again");
            }
        }
        _ => response::send_text("a drop", "text/plain")?,
    }
    Ok(())
}
