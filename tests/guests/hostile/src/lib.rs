//! Does whatever a guest must not: one thing for each path, and a trap in each hook.

use std::hint::black_box;
use std::time::Duration;

use tessera_guest::prelude::*;

#[cfg(target_arch = "wasm32")]
mod leak;

#[on_web_authentication]
fn admit(call: &WebCall) -> bool {
    assert!(
        call.path() != "/trap/authentication",
        "the guest panicked on purpose"
    );
    true
}

#[compiler_web]
fn declare() {
    assert!(
        request::path() != "/trap/compiler",
        "the guest panicked on purpose"
    );
}

#[on_web_connection]
fn hostile(call: &WebCall) -> Result<impl Reply, Error> {
    match call.path() {
        "/spin" => spin(),
        "/eat" => eat(),
        "/recurse" => println!("{}", deeper(1)),
        "/headers" => {
            for number in 0..100_000 {
                response::add_header(&format!("x-many-{number}"), "x")?;
            }
        }
        // The end of the body, again and again.
        "/pieces" => while request::read_body(1).is_ok() {},
        // An answer that another takes the place of, without end.
        "/answers" => while response::send_text("again", "text/plain").is_ok() {},
        #[cfg(target_arch = "wasm32")]
        "/handles" => leak::handles(),
        "/string" => println!("{:?}", request::header(&"x".repeat(32 << 20))),
        "/redirect" => response::redirect(&"x".repeat(8 << 20))?,
        "/type" => response::send_blob(b"x", &"x".repeat(8 << 20))?,
        "/trap/connection" => panic!("the guest panicked on purpose"),
        "/ticks" => tick(),
        "/grow" => std::mem::forget(black_box(vec![1_u8; 4 << 20])),
        _ => {}
    }
    Ok(text("harmless"))
}

/// `/4DACTION/fall`
#[web_method]
fn fall() {
    panic!("the method panicked on purpose");
}

fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn eat() {
    let mut eaten = Vec::new();
    loop {
        // Written to, so that the memory is really taken.
        eaten.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Uses up the stack.
#[expect(unconditional_recursion, reason = "on purpose")]
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    deeper(depth + 1) + frame[15]
}

/// Says that it is there, as long as it is.
fn tick() {
    for number in 0.. {
        println!("tick {number}");
        #[expect(
            clippy::disallowed_methods,
            reason = "blocks the guest, which is the point"
        )]
        std::thread::sleep(Duration::from_millis(20));
    }
}
