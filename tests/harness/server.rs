//! A running server and its site.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::{Method, Request};
use rustix::process::Signal;
use serde_json::Value;

use crate::admin::AdminClient;
use crate::child::{Exit, Process};
use crate::client::{Client, ClientError};
use crate::reply::Reply;
use crate::site::{Site, StartFailed};
use crate::wait::{wait_for, wait_until};

/// A running server; killed when dropped.
pub struct Server {
    /// The site it runs.
    pub site: Site,
    /// Its admin endpoint.
    pub admin: AdminClient,
    /// Where the host's web server listens; for HTTP, if it does. Port 0 when it does not run.
    pub address: SocketAddr,
    process: Process,
}

impl Server {
    /// Waits until the server answers, and until each of its components has either been loaded or failed.
    pub(crate) async fn when_ready(site: Site, mut process: Process) -> Result<Self, StartFailed> {
        let started = wait_until("the server has started", async || {
            if let Some(exit) = process.ended() {
                return Some(Err(exit));
            }
            admin_of(site.path(), process.id()).map(Ok)
        })
        .await;
        let admin = started?;
        // On a busy machine a host begins to answer without the components that are slow to compile.
        let loaded = wait_for(async || {
            let servers = admin.document("/api/v1/servers").await;
            // One that is stopped on purpose shows what it would start with; one that is being loaded, nothing yet.
            let is_loading = |one: &Value| {
                one["isRunning"] == false && one["error"].is_null() && one.get("HTTPPort").is_none()
            };
            let all = servers.as_array()?;
            (!all.iter().any(is_loading)).then(|| all[0].clone())
        });
        let Some(host) = loaded.await else {
            panic!("the components are still being loaded: {process:?}");
        };
        let address = address_of(&host, "http").or_else(|| address_of(&host, "https"));
        let address = match address {
            Some(address) => address,
            // One that does not launch at startup, which a test may begin with.
            None if host["isRunning"] == false => SocketAddr::from(([127, 0, 0, 1], 0)),
            None => panic!("the host has no URL: {host}"),
        };
        Ok(Self {
            site,
            admin,
            address,
            process,
        })
    }

    /// GET of the host's web server, over a connection of its own.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(get(path)).await
    }

    /// POST of a form.
    pub async fn post_form(&self, path: &str, form: &str) -> Reply {
        self.post(path, "application/x-www-form-urlencoded", form.to_owned())
            .await
    }

    /// POST of anything.
    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<Bytes>) -> Reply {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = request.header("content-type", content_type);
        self.send(request.body(body.into()).expect("a path is a URL"))
            .await
    }

    /// Any request. Panics if it gets no response.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        let shown = format!("{} {}", request.method(), request.uri());
        match self.try_send(request).await {
            Ok(reply) => reply,
            Err(error) => panic!("{shown} got no response: {error}\n{self:?}"),
        }
    }

    /// Any request.
    pub async fn try_send(&self, request: Request<Bytes>) -> Result<Reply, ClientError> {
        Client::http1(self.address).await?.send(request).await
    }

    /// The properties of a web server object, as admin shows them.
    pub async fn properties(&self, name: &str) -> Value {
        self.admin
            .document(&format!("/api/v1/servers/{name}"))
            .await
    }

    /// Where a component with a port of its own listens.
    pub async fn address_of(&self, name: &str) -> SocketAddr {
        let properties = self.properties(name).await;
        address_of(&properties, "http")
            .unwrap_or_else(|| panic!("{name} has no http URL: {properties}"))
    }

    /// Where a server listens for HTTPS.
    pub async fn https_address_of(&self, name: &str) -> SocketAddr {
        let properties = self.properties(name).await;
        address_of(&properties, "https")
            .unwrap_or_else(|| panic!("{name} has no https URL: {properties}"))
    }

    /// Waits until something is found. Panics with the log, naming `what`, when it takes too long.
    pub async fn wait_until<T>(&self, what: &str, found: impl AsyncFnMut() -> Option<T>) -> T {
        match wait_for(found).await {
            Some(found) => found,
            None => panic!("waited in vain until {what}: {self:?}"),
        }
    }

    /// Waits until a GET of a path is answered with a text.
    pub async fn wait_for_text(&self, path: &str, text: &str) {
        self.wait_until(&format!("{path} answers {text:?}"), async || {
            let reply = self.get(path).await;
            (reply.status == 200 && reply.text() == text).then_some(())
        })
        .await;
    }

    /// Waits until a GET of a path is answered with a status.
    pub async fn wait_for_status(&self, path: &str, status: u16) -> Reply {
        self.wait_until(&format!("{path} answers {status}"), async || {
            let reply = self.get(path).await;
            (reply.status == status).then_some(reply)
        })
        .await
    }

    /// Waits until so many web processes of a server run.
    pub async fn wait_for_processes(&self, name: &str, count: u32) {
        let what = format!("{count} web processes of {name} run");
        self.wait_until(&what, async || {
            let properties = self.properties(name).await;
            (properties["processes"]["current"] == count).then_some(())
        })
        .await;
    }

    /// Waits until a line of the log holds all of `parts`, and gives the log.
    pub async fn wait_for_log(&self, parts: &[&str]) -> String {
        self.wait_until(&format!("a line holds {parts:?}"), async || {
            let log = self.log();
            let holds_all = |line: &str| parts.iter().all(|part| line.contains(part));
            log.lines().any(holds_all).then_some(log)
        })
        .await
    }

    /// Runs `tessera` with these arguments in the folder of the site.
    pub async fn cli(&self, arguments: &[&str]) -> Exit {
        self.site.run(self.site.path(), arguments).await
    }

    /// What the server has printed so far: its standard output, then its log.
    pub fn log(&self) -> String {
        self.process.stdout() + &self.process.stderr()
    }

    /// What it has printed on standard output so far.
    pub fn stdout(&self) -> String {
        self.process.stdout()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its resident memory, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))
            .expect("a running process has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.expect("the status tells the resident memory") * 1024
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Sends SIGINT.
    pub fn interrupt(&self) {
        self.process.signal(Signal::INT);
    }

    /// Waits for its end, and gives the site back for another start.
    pub async fn end(self) -> (Exit, Site) {
        (self.process.end().await, self.site)
    }

    /// Stops it in order, and gives the site back for another start.
    pub async fn stop(self) -> (Exit, Site) {
        self.terminate();
        self.end().await
    }

    /// Kills it as a crash would, and gives the site back.
    pub async fn kill(self) -> Site {
        self.process.signal(Signal::KILL);
        self.end().await.1
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {:?}", self.address, self.process)
    }
}

fn get(path: &str) -> Request<Bytes> {
    Request::get(path)
        .body(Bytes::new())
        .expect("a path is a URL")
}

/// Where admin of this very process is, and its key; `None` while it has not started.
fn admin_of(site: &Path, process: u32) -> Option<AdminClient> {
    let state = site.join(".tessera");
    let text = std::fs::read_to_string(state.join("admin.json")).ok()?;
    let discovery: Value = serde_json::from_str(&text).ok()?;
    if discovery["pid"] != process {
        return None;
    }
    let key = std::fs::read_to_string(state.join("access-key")).ok()?;
    Some(AdminClient {
        address: discovery["address"].as_str()?.parse().ok()?,
        key: key.trim().to_owned(),
    })
}

/// The address of the first URL of a web server object that has a scheme.
fn address_of(properties: &Value, scheme: &str) -> Option<SocketAddr> {
    let urls = properties["urls"].as_array()?.iter();
    let mut addresses = urls.filter_map(|url| {
        let rest = url.as_str()?.strip_prefix(scheme)?.strip_prefix("://")?;
        rest.trim_end_matches('/').parse().ok()
    });
    addresses.next()
}
