//! HTTP/2 frame by frame: a client that can say anything, and that checks whatever the server says.
//!
//! ```text
//! let mut client = FrameClient::open(server.address).await;
//! client.send(frame::headers(1, END_STREAM | END_HEADERS, Block::get("/a.txt"))).await;
//! assert_eq!(client.answer(1).await.status(), 200);
//! ```

mod client;
mod code;
pub mod frame;
pub mod hpack;
mod received;
mod referee;

pub use client::{FrameClient, PREFACE};
pub use code::Code;
pub use frame::Frame;
pub use hpack::Block;
pub use received::{Answer, End, Fields, Received};
