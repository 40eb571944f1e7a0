//! Every tag in every form, what is wrong with them, and what holds for any page.

mod harness;
mod forms;
mod blocks;
mod expressions;
mod included;
mod bounds;
mod hostile;
mod plain_rust;
