//! Decides which web server answers a request of the host's, and what a URL means to a server.

mod handlers;
mod mounts;
mod special;

pub use handlers::{Handled, handled};
pub use mounts::{Mounted, Mounts};
pub use special::{Special, special};
