//! Sends raw data, whole and piece by piece.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tessera_guest::prelude::*;

/// Requests that this instance has begun.
static BEGUN: AtomicU32 = AtomicU32::new(0);
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";

/// Refuses what says `refused`, after it sent a page piece by piece.
#[on_web_authentication]
fn admit(call: &WebCall) -> Result<bool, Error> {
    BEGUN.fetch_add(1, Ordering::Relaxed);
    if call.path().contains("refused") {
        response::send_raw_chunk(b"HTTP/1.1 403 No\r\nX-Page: login\r\n\r\nplease ")?;
        response::send_raw_chunk(b"log in")?;
        return Ok(false);
    }
    Ok(true)
}

#[on_web_connection]
fn connection() -> impl Reply {
    text("nothing raw")
}

/// `/4DACTION/whole`: sends the body of the request.
#[web_method]
fn whole() -> Result<(), Error> {
    response::set_status(203)?;
    response::set_header("X-Set", "before")?;
    response::send_raw_data(&request::body()?)?;
    Ok(())
}

/// `/4DACTION/try`: the same, and says what was wrong.
#[web_method(name = "try")]
fn try_whole() -> Result<(), Error> {
    if let Err(error) = response::send_raw_data(&request::body()?) {
        response::send_text(&error.to_string(), "text/plain")?;
    }
    Ok(())
}

/// `/4DACTION/pieces`: sends the body of the request in pieces, which `|` divides.
#[web_method]
fn pieces() -> Result<(), Error> {
    response::set_header("X-Set", "before")?;
    for piece in request::body()?.split(|byte| *byte == b'|') {
        response::send_raw_chunk(piece)?;
    }
    Ok(())
}

/// `/4DACTION/last/how`: what wins.
#[web_method]
fn last(param: &str) -> Result<(), Error> {
    match param {
        "raw" => {
            response::send_text("text", "text/plain")?;
            response::send_raw_data(b"HTTP/1.1 201 Made\r\n\r\nraw")?;
        }
        "text" => {
            response::send_raw_data(b"HTTP/1.1 201 Made\r\nX-Raw: 1\r\n\r\nraw")?;
            response::send_text("text", "text/plain")?;
        }
        "pieces" => {
            response::send_text("text", "text/plain")?;
            response::send_raw_chunk(HEAD)?;
            response::send_raw_chunk(b"pieces")?;
        }
        _ => {
            response::redirect("/elsewhere")?;
            response::send_raw_chunk(HEAD)?;
            response::send_raw_chunk(b"pieces")?;
        }
    }
    Ok(())
}

/// `/4DACTION/afterwards`: what may be done once the head has gone.
#[web_method]
fn afterwards() -> Result<(), Error> {
    response::send_raw_chunk(HEAD)?;
    let results = [
        response::set_status(404),
        response::set_header("X-Late", "1"),
        response::add_header("X-Late", "1"),
        response::set_headers(&[HeaderField::new("X-STATUS", "404")]),
        response::send_text("late", "text/plain"),
        response::send_blob(b"late", ""),
        response::redirect("/late"),
        response::send_raw_data(b"a piece\n"),
    ];
    for result in results {
        let shown = format!("{result:?}\n");
        response::send_raw_chunk(shown.as_bytes())?;
    }
    Ok(())
}

/// `/4DACTION/events/3`: so many events, one every 50 milliseconds.
#[web_method]
fn events(param: &str) -> Result<(), Error> {
    response::send_raw_chunk(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")?;
    for number in 1..=param.parse::<u32>()? {
        let left = request::remaining_time().as_millis();
        response::send_raw_chunk(format!("data: {number} {left}\n\n").as_bytes())?;
        wait(50);
    }
    Ok(())
}

/// `/4DACTION/flood`: pieces of 50,000 bytes as long as they are taken.
#[web_method]
fn flood() -> Result<(), Error> {
    response::send_raw_chunk(HEAD)?;
    while response::send_raw_chunk(&[b'x'; 50_000]).is_ok() {}
    println!("the flood was refused");
    Ok(())
}

/// `/4DACTION/large/5000000`: one piece of that size.
#[web_method]
fn large(param: &str) -> Result<(), Error> {
    let mut all = HEAD.to_vec();
    all.resize(HEAD.len() + param.parse::<usize>()?, b'y');
    response::send_raw_chunk(&all)?;
    Ok(())
}

/// `/4DACTION/end/how`: sends a beginning, and does not come to its end.
#[web_method]
fn end(param: &str) -> Result<(), Error> {
    response::send_raw_chunk(HEAD)?;
    response::send_raw_chunk(b"a beginning")?;
    if param.contains("later") {
        wait(50);
    }
    match param {
        "spin" => loop {
            std::hint::black_box(0);
        },
        "wait" => wait(60_000),
        "fail" | "fail-later" => return Err(Error::new("it failed on purpose")),
        _ => panic!("on purpose"),
    }
    Ok(())
}

/// `/4DACTION/begun`: the requests of this instance.
#[web_method]
fn begun() -> impl Reply {
    text(BEGUN.load(Ordering::Relaxed).to_string())
}

/// `/4DACTION/silent`
#[web_method]
fn silent() {}

fn wait(milliseconds: u64) {
    #[expect(
        clippy::disallowed_methods,
        reason = "blocks the guest, which is the point"
    )]
    std::thread::sleep(Duration::from_millis(milliseconds));
}
