//! The vocabulary of requests and responses that every stage speaks. No settings here.

mod accepted;
mod at_once;
pub mod body;
mod coding;
mod copied;
mod date;
mod decoded;
mod direct;
mod encoded;
mod file;
mod host;
mod forwarded;
mod parts;
pub mod peer;
mod proxies;
mod received;
pub mod reject;
mod source;
mod streamed;

pub use accepted::{Accepted, Accepting, weight};
pub use at_once::{Held, PlainGet, ReadyMade};
pub use body::{Body, Content, LimitedBody};
pub use coding::{Coding, UnknownCoding};
pub use copied::Copied;
pub use date::{date_and_end, wall_clock};
pub use decoded::DecodedBody;
pub use direct::{DirectFiles, Piece};
pub use encoded::{Encoders, encode};
pub use file::StoredFile;
pub use forwarded::ClientField;
pub use host::{asked_host, authority};
pub use peer::Peer;
pub use proxies::Proxies;
pub use received::{BodyLimits, BodyWatch, RequestBody, Settled, is_below_rate};
pub use reject::Reject;
pub use streamed::Teller;

/// Most header fields of a request: as many as the HTTP/1 library reads without asking for memory.
pub const HEADER_FIELDS_MAX: usize = 100;
/// Longest URL of a request: what browsers and proxies commonly take.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;

/// A component of this process sent the request, in answer to another one.
#[derive(Clone, Debug)]
pub struct FromInside {
    /// The component's name.
    pub caller: std::sync::Arc<str>,
    /// The components that called each other to get here.
    pub chain: tessera_engine::Chain,
}

/// A response on its way to the client.
pub type Response = ::http::Response<Body>;
/// A request as the connection read it.
pub type Request = ::http::Request<RequestBody>;
