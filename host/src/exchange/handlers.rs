//! Requests that one of `handlers` answers.

use ::http::Method;
use ::http::header::ALLOW;
use tessera_engine::Target;

use super::admit::Visit;
use super::dynamic::Job;
use super::{Exchange, Next};
use crate::http::{Reject, Request};
use crate::response;
use crate::route::{Handled, handled};
use crate::server::Kind;
use crate::settings::Handler;

impl Exchange {
    /// What the handlers of the server make of a request; `None` if none is for its URL.
    pub(super) fn handled(&self, visit: &Visit, request: &Request) -> Result<Option<Next>, Reject> {
        let handlers = &visit.serving.web.requests.handlers;
        if handlers.patterns.is_empty() {
            return Ok(None);
        }
        let path = visit.path(request.uri());
        let next = match handled(handlers, path, request.method()) {
            None => return Ok(None),
            Some(Handled::By(handler)) => Next::Run(self.job(visit, handler)?),
            Some(Handled::Only(methods)) if *request.method() == Method::OPTIONS => {
                Next::Respond(response::allow(methods))
            }
            Some(Handled::Only(methods)) => {
                let mut response = response::from_reject(Reject::NotHandled, None);
                response.headers_mut().insert(ALLOW, methods);
                Next::Respond(response)
            }
        };
        Ok(Some(next))
    }

    /// The method of a component. Whether it is there is seen when it is asked for: components come and go.
    fn job(&self, visit: &Visit, handler: &Handler) -> Result<Job, Reject> {
        let server = match &handler.class {
            None => Some(visit.server.clone()),
            Some(class) => self.registry.find(class),
        };
        let Some(server) = server.filter(|server| server.kind() == Kind::Component) else {
            tracing::error!(
                server = visit.server.name(),
                class = handler.class,
                method = handler.method,
                "Cannot find singleton"
            );
            return Err(Reject::NoSingleton);
        };
        // The one that answers has been looked up already.
        let serving = match server.name() == visit.server.name() {
            true => Some(visit.serving.clone()),
            false => server.serving(),
        };
        let generation = serving.and_then(|serving| serving.generation.clone());
        let generation = generation.ok_or(Reject::Stopped)?;
        let Some(method) = generation.method(&handler.method) else {
            tracing::error!(
                server = visit.server.name(),
                class = server.name(),
                method = handler.method,
                "Cannot find singleton function"
            );
            return Err(Reject::NoSingletonFunction);
        };
        let target = Target::Method {
            name: method.name.clone(),
            parameter: None,
            is_handler: true,
        };
        Ok(Job {
            target,
            server,
            generation,
        })
    }
}
