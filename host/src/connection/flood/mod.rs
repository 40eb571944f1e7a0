//! HTTP/2 connections that keep the server busy with frames that ask for nothing: counted, and ended with GOAWAY.
//!
//! The h2 crate bounds requests that are taken back, header blocks in many pieces and DATA that is empty or small. It
//! does not bound PING, SETTINGS, WINDOW_UPDATE, PRIORITY, frames of unknown types, and requests that are taken back
//! after they were begun. Here they are held to what a client may need: see `allowance.rs`.

mod allowance;
mod budget;
mod follow;
mod goodbye;
mod watched;

pub(super) use watched::Watched;
