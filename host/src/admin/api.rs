//! What admin answers: from the request to the document.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::access::Access;
use super::guard;
use super::problem::Problem;
use super::route::{self, Resource};
use super::throttle::{Slowed, Throttle};
use crate::server::{Kind, Outcome, Registry, Reloaded, Reloader, WebServer};

/// Nothing that admin takes so far is larger than a few words.
const BODY_BYTES_MAX: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers the requests to admin.
pub(super) struct Api {
    pub(super) access: Access,
    pub(super) throttle: Throttle,
    pub(super) registry: Arc<Registry>,
    pub(super) reloader: Arc<Reloader>,
    pub(super) started: Instant,
}

impl Api {
    /// Answers one request. A reload that has begun ends even if the client goes away.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let mut response = match self.process(request).await {
            Ok(document) => {
                let mut response = Response::new(document.to_string().into());
                let kind = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(problem) => problem.into(),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        tracing::debug!(%method, path, status = response.status().as_u16(), "admin request");
        Ok(response)
    }

    async fn process(&self, request: Request<Incoming>) -> Result<Value, Problem> {
        let (head, body) = request.into_parts();
        if !guard::is_local(&head.uri, &head.headers) {
            return Err(Problem::foreign_host());
        }
        // Before the resource is looked for: without the key nobody learns what there is.
        let path = head.uri.path();
        if route::needs_key(path) {
            self.check_key(&head.headers).await?;
        }
        let resource = route::find(&head.method, path)?;
        read_body(body).await?;
        self.document(resource).await
    }

    async fn check_key(&self, headers: &HeaderMap) -> Result<(), Problem> {
        // A request without a key tries none: it is not counted.
        let key = bearer(headers).ok_or_else(Problem::no_access)?;
        if self.access.admits(key).await {
            return Ok(());
        }
        match self.throttle.failed().await {
            Slowed::Waited => Err(Problem::no_access()),
            Slowed::TooMany(delay) => Err(Problem::too_many_failures(delay.as_secs().max(1))),
        }
    }

    async fn document(&self, resource: Resource) -> Result<Value, Problem> {
        match resource {
            Resource::Health => Ok(json!({"status": "ok"})),
            Resource::Readiness => self.readiness(),
            Resource::Info => Ok(self.info()),
            Resource::Servers => {
                let all = self.registry.all();
                let servers = all.iter().map(|server| Value::Object(server.properties()));
                Ok(servers.collect())
            }
            Resource::Server(name) => match self.registry.find(&name) {
                Some(server) => Ok(server.properties().into()),
                None => Err(Problem::unknown_server(&name)),
            },
            Resource::Reload => self.reload(None).await,
            Resource::ReloadServer(name) => self.reload(Some(name)).await,
        }
    }

    fn readiness(&self) -> Result<Value, Problem> {
        let all = self.registry.all();
        let missing = all
            .iter()
            .filter(|server| should_run(server) && !server.is_running());
        let names: Vec<_> = missing.map(|server| server.name().to_owned()).collect();
        if names.is_empty() {
            Ok(json!({"status": "ready"}))
        } else {
            Err(Problem::not_ready(&names))
        }
    }

    fn info(&self) -> Value {
        let all = self.registry.all();
        let running = all.iter().filter(|server| server.is_running()).count();
        let engine = self.reloader.loader.engine().statistics();
        let (compiled, from_cache) = self.reloader.loader.counts();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "uptime": self.started.elapsed().as_secs(),
            "servers": {"all": all.len(), "running": running},
            "instances": {"current": engine.instances, "max": engine.instances_max},
            "memory": {"current": engine.memory, "max": engine.memory_max},
            "loads": {"compiled": compiled, "fromCache": from_cache},
        })
    }

    async fn reload(&self, name: Option<String>) -> Result<Value, Problem> {
        let reloader = self.reloader.clone();
        let asked = name.clone();
        let reloading = tokio::spawn(async move { reloader.reload(asked.as_deref()).await });
        match reloading.await {
            Ok(Ok(reloaded)) => Ok(reloaded.into_iter().map(outcome).collect()),
            Ok(Err(_unknown)) => Err(Problem::unknown_server(&name.unwrap_or_default())),
            Err(error) => {
                tracing::error!(%error, "a reload failed");
                Err(Problem::internal())
            }
        }
    }
}

/// A server whose module was removed is stopped on purpose: it has an error to show, but no files.
fn should_run(server: &WebServer) -> bool {
    let status = server.status().lock();
    server.kind() == Kind::Host || status.fingerprint.is_some() || status.error.is_none()
}

fn outcome(reloaded: Reloaded) -> Value {
    let (outcome, error) = match reloaded.outcome {
        Outcome::Started => ("started", None),
        Outcome::Swapped => ("swapped", None),
        Outcome::Unchanged => ("unchanged", None),
        Outcome::Stopped => ("stopped", None),
        Outcome::Failed(error) => ("failed", Some(error)),
    };
    json!({"name": reloaded.name, "outcome": outcome, "error": error})
}

/// The key of `Authorization: Bearer KEY`; two such headers are as good as none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim_matches(' '))
}

/// Reads a body to its end, so that the connection can be used again; nothing looks into it so far.
async fn read_body(body: Incoming) -> Result<Bytes, Problem> {
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::body_too_large(BODY_BYTES_MAX))
        }
        Ok(Err(_)) => Err(Problem::bad_body("the body of the request cannot be read")),
        Err(_) => Err(Problem::body_timeout()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_from_one_bearer_header() {
        for (values, expected) in [
            (&["Bearer abc"][..], Some("abc")),
            (&["bearer  abc "], Some("abc")),
            (&["Bearer"], None),
            (&["Bearer "], Some("")),
            (&["Basic abc"], None),
            (&[], None),
            (&["Bearer abc", "Bearer abc"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(bearer(&headers), expected, "{values:?}");
        }
    }

    #[test]
    fn an_outcome_says_why_it_failed() {
        let failed = Reloaded {
            name: "a".into(),
            outcome: Outcome::Failed("broken".into()),
        };
        let expected = json!({"name": "a", "outcome": "failed", "error": "broken"});
        assert_eq!(outcome(failed), expected);
    }
}
