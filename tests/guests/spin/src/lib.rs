//! Loops for ever on `/spin`.

use tessera_guest::prelude::*;

#[on_web_connection]
fn spin(call: &WebCall) -> impl Reply {
    let mut turns = 0_u64;
    while call.path() == "/spin" {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
    text("at rest")
}
