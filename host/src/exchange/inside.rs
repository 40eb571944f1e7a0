//! Requests that components send to each other: the same stages, without a connection.

use std::sync::Arc;

use tessera_engine::Pending;

use super::{Exchange, handle, refused};
use crate::http::{Peer, Reject, Request, Response};
use crate::outbound::{Inhabitant, Inside};
use crate::response::Asked;
use crate::server::{Receiver, WebServer};
use crate::weblog;

impl Inside for Exchange {
    fn find(&self, inhabitant: Inhabitant<'_>) -> Option<Arc<WebServer>> {
        let name = match inhabitant {
            Inhabitant::Host => return Some(self.registry.host()),
            Inhabitant::Component(name) => name,
        };
        let components = self.registry.components();
        // Libraries write hosts in lower case.
        let by_name = |server: &&Arc<WebServer>| server.name() == name;
        let by_any = |server: &&Arc<WebServer>| server.name().eq_ignore_ascii_case(name);
        let found = components.iter().find(by_name);
        found.or_else(|| components.iter().find(by_any)).cloned()
    }

    fn answer(
        self: Arc<Self>,
        server: Arc<WebServer>,
        request: Request,
        peer: Peer,
    ) -> Pending<Response> {
        let receiver = Receiver {
            exchange: self,
            server,
        };
        Box::pin(async move {
            let mut response = handle(&receiver, request, peer).await;
            if let Some(mut log) = weblog::Pending::detach(&mut response) {
                let length = response.body().length().unwrap_or_default();
                log.add_sent(length);
            }
            response
        })
    }

    fn refuse(
        self: Arc<Self>,
        server: Arc<WebServer>,
        request: &Request,
        peer: Peer,
        reject: Reject,
    ) -> Response {
        let receiver = Receiver {
            exchange: self,
            server,
        };
        refused(&receiver, Asked::of(request), peer, reject)
    }
}
