//! Allocates without end on `/eat`.

use tessera_guest::prelude::*;

#[on_web_connection]
fn greedy(call: &WebCall) -> impl Reply {
    let mut eaten = Vec::new();
    while call.path() == "/eat" {
        // Written to, so that the memory is really taken.
        eaten.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
    text("not hungry")
}
