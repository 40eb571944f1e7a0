//! What admin answers: from the request to the document.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::http::request::Parts;
use hyper::{Request, Response, Uri};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::body::{self, Patch};
use super::deploy::Deploying;
use super::entry::{Asker, Entry};
use super::keeper::Keeper;
use super::page::{EventBody, Page};
use super::problem::Problem;
use super::route::{self, Action, Found};
use super::{control, deploy, guard, health, info, openapi, query, sessions, statistics, tail};
use crate::exchange::explain;
use crate::metrics;
use crate::server::{
    Cause, ControlError, Outcome, Registry, Reloaded, Reloader, State, UnknownServer, WebServer,
    server_document, server_documents,
};

/// Answers the requests to admin.
pub(super) struct Api {
    pub(super) keeper: Arc<Keeper>,
    pub(super) registry: Arc<Registry>,
    pub(super) reloader: Arc<Reloader>,
    pub(super) started: Instant,
    /// Whether the process is about to end.
    pub(super) draining: AtomicBool,
    /// What a browser is shown.
    pub(super) page: Page,
    pub(super) deploying: Deploying,
    /// Changes when the endpoint is about to close.
    pub(super) stopped: watch::Receiver<bool>,
}

/// What admin answers with: all at once, or as long as somebody follows.
pub(super) type Answer = Response<Either<Full<Bytes>, EventBody>>;

/// The media type of server-sent events.
pub(super) const EVENTS: &str = "text/event-stream";

/// What is answered.
enum Document {
    Json(Value),
    /// The text that Prometheus reads.
    Metrics(String),
}

impl From<Document> for Response<Full<Bytes>> {
    fn from(document: Document) -> Self {
        let (text, kind) = match document {
            Document::Json(document) => (document.to_string(), "application/json"),
            Document::Metrics(text) => (text, metrics::CONTENT_TYPE),
        };
        let mut response = Self::new(text.into());
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

impl Api {
    /// Answers one request. What it has begun to start, stop, set or reload is finished even if the client goes away.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Answer, Infallible> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let mut response = match self.respond(request).await {
            Ok(response) => response,
            Err(problem) => Response::from(problem).map(Either::Left),
        };
        let headers = response.headers_mut();
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        tracing::debug!(%method, path, status = response.status().as_u16(), "admin request");
        Ok(response)
    }

    async fn respond(self: &Arc<Self>, request: Request<Incoming>) -> Result<Answer, Problem> {
        let (head, body) = request.into_parts();
        if !guard::is_local(&head.uri, &head.headers) {
            return Err(Problem::foreign_host());
        }
        let entry = Entry {
            keeper: &self.keeper,
            visits: &self.page.visits,
            cookie: &self.page.cookie,
        };
        let mut body = Some(body);
        if let Some(answer) = self.page.answer(&entry, &head, &mut body).await {
            return answer.map(|response| response.map(Either::Left));
        }
        // Before the resource is looked for: without the key nobody learns what there is.
        let path = head.uri.path();
        let asker = match route::needs_key(path) {
            true => Some(entry.admit(&head).await?),
            false => None,
        };
        let found = route::find(&head.method, path)?;
        let Some(body) = body else {
            return Err(Problem::internal());
        };
        let document = match found.operation.action {
            Action::Events => return self.follow(asker),
            Action::Deploy => {
                let asked = body::check_module(&head.headers)
                    .and_then(|()| query::flag(&head.uri, query::ACCEPT));
                let may_import_more = match asked {
                    Ok(may_import_more) => may_import_more,
                    Err(problem) => {
                        deploy::drain(body).await;
                        return Err(problem);
                    }
                };
                let deploying = &self.deploying;
                deploying
                    .deploy(&self.reloader, found.server, may_import_more, body)
                    .await
                    .map(Document::Json)
            }
            action => {
                let body = body::read(body).await?;
                match action {
                    Action::Metrics => Ok(Document::Metrics(self.metrics().await)),
                    _ => self.act(&head, &body, found).await.map(Document::Json),
                }
            }
        };
        document.map(|document| Response::from(document).map(Either::Left))
    }

    /// The figures once a second, until whoever asked has gone.
    fn follow(self: &Arc<Self>, asker: Option<Asker>) -> Result<Answer, Problem> {
        let opened = self.page.events.open();
        let (stream, body) = opened.ok_or_else(Problem::too_many_streams)?;
        let visitor = match asker {
            Some(Asker::Page(visitor)) => Some(visitor),
            _ => None,
        };
        let api = self.clone();
        tokio::spawn(async move {
            let figures = || {
                let is_draining = api.draining.load(Ordering::Relaxed);
                api.page.events.figures(api.whole(), is_draining)
            };
            let stopped = api.stopped.clone();
            let feeding = stream.feed(&api.page.visits, visitor, stopped, figures);
            feeding.await;
        });
        let mut response = Response::new(Either::Right(body));
        let kind = HeaderValue::from_static(EVENTS);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(response)
    }

    /// Does what an operation is for, and gives the JSON that tells of it.
    async fn act(&self, head: &Parts, body: &Bytes, found: Found) -> Result<Value, Problem> {
        let name = found.server;
        match found.operation.action {
            // Answered before, for they are no JSON or have no body that is.
            Action::Metrics | Action::Events | Action::Deploy => Err(Problem::internal()),
            Action::Health => Ok(json!({"status": "ok"})),
            Action::Readiness => self.readiness(),
            Action::Info => Ok(self.info(query::flag(&head.uri, query::CACHE)?)),
            Action::Description => Ok(openapi::description()),
            Action::Servers => Ok(self.servers()),
            Action::Server => Ok(self.server(&name)?.into()),
            Action::Set => self.set(name, body::patch(&head.headers, body)?).await,
            Action::Start => {
                let settings = body::settings(&head.headers, body)?;
                self.start(name, settings).await
            }
            Action::Stop => self.stop(name).await,
            Action::ReloadServer => {
                let accept_new_imports = query::flag(&head.uri, query::ACCEPT)?;
                let cause = Cause::Asked { accept_new_imports };
                self.reload(Some(name), cause).await
            }
            Action::Reload => self.reload(None, Cause::ASKED).await,
            Action::Generations => {
                let max = query::limit(&head.uri, Action::Generations)?;
                Ok(self.find(&name)?.generations(max))
            }
            Action::Errors => {
                let max = query::limit(&head.uri, Action::Errors)?;
                Ok(self.find(&name)?.errors(max))
            }
            Action::Settings => {
                let listed = self.reloader.listed_settings(&self.find(&name)?).await;
                listed.map_err(|error| Problem::wrong_settings(&error))
            }
            Action::Log => {
                let server = self.find(&name)?;
                tail::tail(&self.reloader.site, &server, &head.uri).await
            }
            Action::Processes => Ok(statistics::processes(&*self.find(&name)?)),
            Action::Explain => self.explain(&head.uri).await,
            Action::Statistics => Ok(statistics::statistics(&*self.find(&name)?)),
            Action::ClearCache => self.clear_cache(&name),
            Action::Sessions => sessions::list(&*self.find(&name)?, &head.uri).await,
            Action::EndSession => {
                let server = self.find(&name)?;
                finished(async move { sessions::end(&server, &found.id).await }).await?
            }
        }
    }

    async fn metrics(&self) -> String {
        metrics::collect(self.whole()).await.finish()
    }

    fn whole(&self) -> metrics::Whole<'_> {
        metrics::Whole {
            registry: &self.registry,
            reloader: &self.reloader,
            started: self.started,
        }
    }

    fn servers(&self) -> Value {
        let documents = server_documents(&self.registry).into_iter();
        documents.map(Value::Object).collect()
    }

    fn server(&self, name: &str) -> Result<Map<String, Value>, Problem> {
        Ok(server_document(&self.registry, &*self.find(name)?))
    }

    fn find(&self, name: &str) -> Result<Arc<WebServer>, Problem> {
        let unknown = || Problem::unknown_server(name);
        self.registry.find(name).ok_or_else(unknown)
    }

    fn clear_cache(&self, name: &str) -> Result<Value, Problem> {
        let serving = self.find(name)?.serving();
        if let Some(pages) = serving.as_ref().and_then(|serving| serving.pages.as_ref()) {
            pages.clear();
        }
        Ok(json!({"success": true}))
    }

    fn readiness(&self) -> Result<Value, Problem> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Problem::draining());
        }
        let names = health::missing(&self.registry);
        if names.is_empty() {
            Ok(json!({"status": "ready"}))
        } else {
            Err(Problem::not_ready(&names))
        }
    }

    async fn explain(&self, uri: &Uri) -> Result<Value, Problem> {
        let wrong =
            || Problem::bad_body("url in the query must be a path, or an http or https URL");
        let url = query::text(uri, query::URL)?.ok_or_else(wrong)?;
        let url: Uri = url.parse().map_err(|_| wrong())?;
        let servers = self.registry.all();
        explain::explain(&self.reloader.exchange, &servers, &url)
            .await
            .ok_or_else(wrong)
    }

    fn info(&self, with_cache: bool) -> Value {
        let mut info = info::of_host(&self.registry.host(), with_cache);
        info.extend(self.process());
        info.into()
    }

    /// What the process is at.
    fn process(&self) -> Map<String, Value> {
        let all = self.registry.all();
        let running = all.iter().filter(|server| server.is_running()).count();
        let engine = self.reloader.loader.engine().statistics();
        let (compiled, from_cache) = self.reloader.loader.counts();
        let process = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "processUptime": self.started.elapsed().as_secs(),
            "servers": {"all": all.len(), "running": running},
            "instances": {
                "current": engine.instances,
                "max": engine.instances_max,
                "waiting": engine.waiting,
            },
            "memory": {"current": engine.memory, "max": engine.memory_max},
            "loads": {"compiled": compiled, "fromCache": from_cache},
            "generations": engine.generations,
        });
        match process {
            Value::Object(process) => process,
            _ => Map::new(),
        }
    }

    async fn start(&self, name: String, settings: Map<String, Value>) -> Result<Value, Problem> {
        let reloader = self.reloader.clone();
        let work = async move { control::start(&reloader, &name, &settings).await };
        Ok(started(finished(work).await??))
    }

    async fn stop(&self, name: String) -> Result<Value, Problem> {
        let reloader = self.reloader.clone();
        let work = async move { control::stop(&reloader, &name).await };
        let was_running = finished(work).await??;
        Ok(json!({"success": true, "wasRunning": was_running}))
    }

    async fn set(&self, name: String, patch: Patch) -> Result<Value, Problem> {
        let (reloader, server) = (self.reloader.clone(), name.clone());
        let Patch { settings, reset } = patch;
        let work = async move { control::set(&reloader, &server, &settings, &reset).await };
        let changed = finished(work).await??.map_err(Problem::refused_settings)?;
        let mut document = self.server(&name)?;
        document.insert("changed".to_owned(), json!(changed));
        Ok(document.into())
    }

    async fn reload(&self, name: Option<String>, cause: Cause) -> Result<Value, Problem> {
        let reloader = self.reloader.clone();
        let work = async move { reloader.reload(name.as_deref(), cause).await };
        Ok(finished(work).await??.into_iter().map(outcome).collect())
    }
}

/// Has work done to its end by a task of its own, which does not end with the client's connection.
async fn finished<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.map_err(|error| {
        tracing::error!(%error, "what admin was asked for failed");
        Problem::internal()
    })
}

impl From<UnknownServer> for Problem {
    fn from(UnknownServer(name): UnknownServer) -> Self {
        Self::unknown_server(&name)
    }
}

/// Whether the site is not ready without it.
pub(super) fn should_run(server: &WebServer) -> bool {
    server.state() != State::Stopped && !server.is_gone()
}

/// The result object of `start`.
fn started(result: Result<(), Vec<ControlError>>) -> Value {
    let Err(errors) = result else {
        return json!({"success": true});
    };
    let errors = errors.into_iter().map(|error| {
        json!({
            "errCode": error.code.number(),
            "message": error.message,
            "componentSignature": error.code.signature(),
        })
    });
    json!({"success": false, "errors": errors.collect::<Value>()})
}

fn outcome(reloaded: Reloaded) -> Value {
    let word = reloaded.outcome.word();
    let error = match reloaded.outcome {
        Outcome::Failed(error) => Some(error),
        _ => None,
    };
    json!({"name": reloaded.name, "outcome": word, "error": error})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ErrorCode;

    #[test]
    fn a_start_tells_its_errors_or_has_none() {
        assert_eq!(started(Ok(())), json!({"success": true}));
        let errors = vec![
            ControlError::new(ErrorCode::ReadOnly, "name is read-only"),
            ControlError::new(ErrorCode::PortInUse, "port 80 is in use"),
        ];
        let expected = json!({"success": false, "errors": [
            {"errCode": 1101, "message": "name is read-only", "componentSignature": "settings"},
            {"errCode": 1201, "message": "port 80 is in use", "componentSignature": "listen"},
        ]});
        assert_eq!(started(Err(errors)), expected);
    }

    #[tokio::test]
    async fn what_has_begun_ends_without_the_client() {
        let (go, wait) = tokio::sync::oneshot::channel();
        let (done, is_done) = tokio::sync::oneshot::channel();
        let work = async move {
            let _: () = wait.await.unwrap();
            done.send(()).unwrap();
        };
        let mut asking = Box::pin(finished(work));
        // Begun, and then given up as hyper does when the connection breaks.
        assert!(is_pending(&mut asking).await);
        drop(asking);
        go.send(()).unwrap();
        is_done.await.unwrap();
    }

    /// Whether a future still waits after it was polled once.
    async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
        tokio::select! {
            biased;
            _ = future => false,
            () = std::future::ready(()) => true,
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
