//! Fails in every way that a guest can fail by itself.

use tessera_guest::prelude::*;

#[on_web_connection]
fn trap(call: &WebCall) -> Result<impl Reply, Error> {
    match call.path() {
        "/panic" => panic!("the guest panicked on purpose"),
        #[cfg(target_arch = "wasm32")]
        "/unreachable" => core::arch::wasm32::unreachable(),
        "/error" => Err(Error::new("the guest failed on purpose")),
        "/overflow" => Ok(text(deeper(1).to_string())),
        #[expect(clippy::disallowed_methods, reason = "on purpose")]
        "/exit" => std::process::exit(3),
        _ => Ok(text("still here".to_owned())),
    }
}

/// Uses up the stack.
#[expect(unconditional_recursion, reason = "on purpose")]
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 16]);
    deeper(depth + 1) + frame[15]
}

/// `/4DACTION/fail`
#[web_method]
fn fail() -> Result<(), Error> {
    Err(Error::new("the method failed on purpose"))
}

/// `/4DACTION/burst`
#[web_method]
fn burst() {
    panic!("the method panicked on purpose");
}
