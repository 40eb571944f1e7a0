//! Every tag in every form, what is wrong with them, and what holds for any page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests stop where something is wrong"
)]

mod harness;
mod forms;
mod blocks;
mod expressions;
mod included;
mod bounds;
mod hostile;
mod plain_rust;
