//! The vocabulary of requests and responses that every stage speaks. No settings here.

pub mod body;
mod coding;
mod decoded;
mod encoded;
pub mod peer;
mod received;
pub mod reject;
mod source;

pub use body::{Body, LimitedBody};
pub use coding::{Coding, UnknownCoding};
pub use decoded::DecodedBody;
pub use encoded::Encoders;
pub use peer::Peer;
pub use received::{BodyLimits, BodyWatch, RequestBody, Settled, is_below_rate};
pub use reject::Reject;

/// Most header fields of a request: as many as the HTTP/1 library reads without asking for memory.
pub const HEADER_FIELDS_MAX: usize = 100;
/// Longest URL of a request: what browsers and proxies commonly take.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;

/// A response on its way to the client.
pub type Response = ::http::Response<Body>;
/// A request as the connection read it.
pub type Request = ::http::Request<RequestBody>;
