//! WEB SEND RAW DATA: responses whose head the component writes itself, at once or piece by piece.
//!
//! A response of pieces goes out while the component makes it. Only components that import `send-raw-data` can have one, and
//! only their web processes are run in a way that allows it: for all others nothing of this is there.

mod head;
mod outlet;
mod run;

pub use head::RawData;

pub(crate) use outlet::{Outlet, send};
