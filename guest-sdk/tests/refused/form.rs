//! Forms of types that serde cannot read.
#![allow(unused, reason = "only what is wrong is to be told")]
use tessera_guest::prelude::*;

struct Order;

#[on_web_connection]
fn shop(order: Form<Order>) -> &'static str {
    "page"
}

fn main() {}
