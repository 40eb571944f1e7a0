//! Methods with what no argument can become, and with wrong options.
#![allow(unused, reason = "only what is wrong is to be told")]
use tessera_guest::prelude::*;

mod takes {
    use super::*;
    #[web_method]
    fn add(first: f64, call: &WebCall) -> f64 {
        first
    }
}

mod returns {
    use super::*;
    #[web_method]
    fn add() -> (u8, u8) {
        (1, 2)
    }
}

#[web_method(name = "a/b", available = "no", visible)]
fn options() {}

#[web_method(name = 3, hidden = true)]
fn more_options() {}

fn main() {}
