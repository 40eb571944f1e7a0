//! Components that export `wasi:http` instead of a hook of `tessera:web`, hosted as they are.
//!
//! Their handler takes the place of On Web Connection. What differs is the answer: its head comes while the guest
//! still makes the body, so the web process goes on behind the [`AnswerStream`] that the host sends.

mod head;
mod outbound;
mod request;
mod run;
mod stream;
mod view;
mod worker;

// Components of 0.3.
#[cfg(feature = "p3")]
mod caller;
#[cfg(feature = "p3")]
mod expiration;
#[cfg(feature = "p3")]
mod mailbox;
#[cfg(feature = "p3")]
mod service;
#[cfg(feature = "p3")]
mod shared;
#[cfg(feature = "p3")]
mod tenancy;
#[cfg(feature = "p3")]
mod ticket;

pub use outbound::{NoOutbound, Origin, Outbound, OutboundBody, OutboundError, OutboundTimes};
pub use stream::AnswerStream;

pub(crate) use head::{Responder, responder};
pub(crate) use request::resources;
pub(crate) use run::{Asked, answer};
pub(crate) use view::HttpState;
#[cfg(feature = "p3")]
pub(crate) use {
    caller::add_to_linker, service::Service, shared::answer as answer_shared, tenancy::Tenancy,
};
