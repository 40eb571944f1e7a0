//! The vocabulary of the end-to-end tests: make a site, start the real binary on it, ask, compare.
//!
//! ```text
//! let server = Site::new().guest("echo").start().await;
//! let reply = server.get("/echo/a/b?c=d").await;
//! assert_eq!(reply.status, 200, "{server:?}");
//! ```

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "whatever goes wrong in a test ends the test, with the reason"
)]

mod admin;
mod build;
mod child;
mod client;
mod drop_in;
pub mod frames;
mod load;
mod raw;
mod reply;
mod server;
mod site;
mod tls;
mod wait;

pub use admin::AdminClient;
pub use build::{component, guest, repository, target, tessera_binary};
pub use child::{Exit, run};
pub use client::{Client, ClientError};
pub use drop_in::{copy_folder, drop_in, drop_in_slowly};
pub use load::{Load, Target};
pub use raw::RawClient;
pub use reply::Reply;
pub use server::Server;
pub use site::{Site, StartFailed};
pub use tls::{CertificatePair, TlsClient, TlsConnection, TlsFacts};
pub use wait::{pause, wait_until, within};
