//! What `/metrics` tells: counters that serving adds to, and the text that Prometheus reads.
//!
//! Serving adds to fixed tables of atomic numbers and waits for nothing; names, labels and sums are made when somebody
//! asks. No label comes from a client: web servers, statuses, kinds and causes are all there are.

mod answers;
mod connections;
mod events;
mod live;
mod process;
mod servers;
mod text;
mod whole;

pub(crate) use answers::{Answered, Answers};
pub(crate) use connections::ConnectionCounts;
pub(crate) use events::Events;
pub(crate) use live::{Live, schema as live_schema};
pub(crate) use text::CONTENT_TYPE;
pub(crate) use whole::{Whole, collect};
