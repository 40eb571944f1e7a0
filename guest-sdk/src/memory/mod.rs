//! The host in memory, for native tests: the functions of the contract, acting on the exchange of this thread.

pub(crate) mod form;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod session;
pub(crate) mod variables;
pub(crate) mod web_server;

use std::cell::RefCell;

thread_local! {
    static CURRENT: RefCell<Exchange> = RefCell::new(Exchange::default());
}

/// One request and what became of it.
#[derive(Default)]
pub(crate) struct Exchange {
    pub(crate) request: request::Received,
    pub(crate) response: response::Sent,
    pub(crate) variables: variables::Variables,
    pub(crate) session: session::Session,
    pub(crate) servers: Vec<web_server::Server>,
    pub(crate) control: Vec<String>,
}

/// Acts on the current exchange; outside of one, on an empty one.
pub(crate) fn current<R>(act: impl FnOnce(&mut Exchange) -> R) -> R {
    CURRENT.with_borrow_mut(act)
}

/// Makes an exchange the current one for as long as `handler` runs.
pub(crate) fn run<R>(exchange: Exchange, handler: impl FnOnce() -> R) -> (Exchange, R) {
    let outer = CURRENT.replace(exchange);
    let result = handler();
    (CURRENT.replace(outer), result)
}
