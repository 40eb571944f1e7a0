//! The page cache: what is kept of files in memory, and how it is known to be what is on disk.

mod key;
mod roots;
mod stamp;
mod statistics;
mod store;
mod watch;

pub(super) use key::{Key, Variant};
pub(super) use roots::{Root, Roots};
pub(super) use stamp::{Origin, Stamp};
pub use statistics::{Object, Statistics, Usage};
pub(super) use store::{Absent, Store};
pub(super) use watch::Watch;
