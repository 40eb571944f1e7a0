//! COMPILER_WEB and On Web Close Process take and return nothing.
#![allow(unused, reason = "only what is wrong is to be told")]
use tessera_guest::prelude::*;

#[compiler_web]
fn declare(call: WebCall) -> u32 {
    1
}

#[on_web_close_process]
fn bye(&self) {}

fn main() {}
