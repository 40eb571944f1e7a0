//! `tessera serve`: runs a site until a signal says otherwise.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tessera_host::admin::{Admin, KEY_FILE, KeyOrigin, STATE_FOLDER};
use tessera_host::connection;
use tessera_host::host::{Host, HostOptions};
use tessera_host::listen::Inherited;
use tessera_host::notify::{self, ServiceManager};
use tessera_host::server::{Cause, Reloader, State, server_document};
use tessera_host::settings::{HostSettings, Override};
use tessera_host::weblog::WebLogs;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::{self, Failure};
use super::target::{text, texts};
use super::{dev_tls, log, output, site};

/// What the end of the process waits for threads that do not end by themselves, such as compilers.
const THREADS_TIMEOUT: Duration = Duration::from_millis(100);

/// A start that takes less is not explained.
const START_MOMENT: Duration = Duration::from_secs(2);

/// Runs a site in the foreground; SIGINT and SIGTERM end it after the requests in flight.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    site: site::Site,
    /// Overrides a setting of tessera.toml, such as HTTPPort=8080 or admin.enabled=false.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
    /// Development mode: error pages show what failed.
    #[arg(long)]
    watch: bool,
    /// Switches HTTPS on, with a certificate that is made on the spot if there is none.
    #[arg(long)]
    dev_tls: bool,
    /// Takes ports that the system picks in place of those of the settings, and says which.
    #[arg(long)]
    free_ports: bool,
}

pub(super) fn run(mut arguments: Arguments, started: Instant) -> Result<(), Failure> {
    let folder = site::existing(&arguments.site.folder)?;
    let mut told = None;
    if arguments.dev_tls {
        told = Some(dev_tls::prepare(folder, &mut arguments.overrides)?);
    }
    let settings = HostSettings::load(folder, &arguments.overrides).map_err(Failure::usage)?;
    log::start(&settings)?;
    if arguments.dev_tls && settings.web.listen.https.is_none() {
        return Err(dev_tls::switched_off());
    }
    if let Some(told) = told {
        failure::notice(told);
    }
    // Before there are threads: it changes the environment.
    let inherited = Inherited::from_environment().map_err(|error| {
        Failure::other(format!(
            "the sockets of the service manager cannot be taken: {error}"
        ))
    })?;
    let service = ServiceManager::from_environment().unwrap_or_else(|error| {
        tracing::warn!("{error}");
        None
    });
    let runtime = connection::runtime()
        .thread_name("tessera-serve")
        .build()
        .map_err(|error| Failure::other(format!("the threads cannot be started: {error}")))?;
    let options = HostOptions {
        settings,
        overrides: arguments.overrides,
        development: arguments.watch,
        free_ports: arguments.free_ports,
        inherited,
        service,
    };
    let result = runtime.block_on(serve(options, started));
    runtime.shutdown_timeout(THREADS_TIMEOUT);
    result
}

async fn serve(options: HostOptions, started: Instant) -> Result<(), Failure> {
    let site = options.settings.site.clone();
    let drain_timeout = options.settings.connections.drain_timeout;
    let service = options.service.clone();
    let mut signals = Signals::new()?;
    let host = tokio::select! {
        host = told_if_slow(Host::start(options)) => host.map_err(Failure::other)?,
        // Nothing was promised to anybody yet.
        () = signals.next() => return Ok(()),
    };
    let hangups = tokio::spawn(hangups(
        signals.hangup.take(),
        host.web_logs().clone(),
        host.reloader().clone(),
    ));
    // Addresses and paths are of use only as a whole.
    output::print_as_wide_as(&announcement(&host, &site, started.elapsed()), None)?;
    if let Some(service) = &service {
        service.ready(&notify::summary(host.registry()));
    }

    signals.next().await;
    hangups.abort();
    if let Some(service) = &service {
        service.stopping(drain_timeout);
    }
    failure::notice(format_args!(
        "stopping; requests in flight have {drain_timeout:?} to finish (again: stop at once)"
    ));
    tokio::select! {
        () = host.stop() => Ok(()),
        () = signals.next() => Err(Failure::other("stopped at once: requests in flight were cut off")),
    }
}

/// Starts, and says why it takes a while if it does.
async fn told_if_slow<T>(start: impl Future<Output = T>) -> T {
    let mut start = pin!(start);
    match tokio::time::timeout(START_MOMENT, &mut start).await {
        Ok(started) => started,
        Err(_) => {
            failure::notice(
                "components are being loaded; what has to be compiled now is kept for the next start",
            );
            start.await
        }
    }
}

/// With each SIGHUP opens the access logs anew, and reads settings and components again.
async fn hangups(mut signal: Option<Signal>, logs: Arc<WebLogs>, reloader: Arc<Reloader>) {
    while let Some(hangup) = &mut signal {
        if hangup.recv().await.is_none() {
            return;
        }
        let logs = logs.clone();
        let _ = tokio::task::spawn_blocking(move || logs.reopen()).await;
        // What is wrong is in the log, and what ran before still runs.
        let _ = reloader.reload(None, Cause::ASKED).await;
    }
}

/// SIGINT and SIGTERM, and SIGHUP: a service manager's reload, and logrotate.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::other(format!("signals cannot be caught: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: Some(listen(SignalKind::hangup())?),
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What listens where, one line for each server, and how long it took.
fn announcement(host: &Host, site: &Path, ready: Duration) -> String {
    let all = host.registry().all();
    let mut rows: Vec<_> = all
        .iter()
        .map(|server| row(&server_document(host.registry(), server), server.state()))
        .collect();
    let key_file = site.join(STATE_FOLDER).join(KEY_FILE);
    if let Some(admin) = host.admin() {
        let about = format!("access key in {}", key_file.display());
        rows.push(["admin".to_owned(), url(admin.address()), about]);
    }
    if let Some(health) = host.health() {
        let paths = health.paths().join(", ");
        rows.push(["health".to_owned(), url(health.address()), paths]);
    }
    let mut text = output::columns(&rows);
    if let Some(KeyOrigin::Generated(key)) = host.admin().map(Admin::key_origin) {
        text.push_str(&format!("access key, shown this once: {}\n", key.expose()));
    }
    let (compiled, from_cache) = host.load_counts();
    let ready = ready.as_millis();
    text.push_str(&format!(
        "ready in {ready} ms ({compiled} compiled, {from_cache} from cache)\n"
    ));
    text
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

fn row(server: &Map<String, Value>, state: State) -> [String; 3] {
    let name = output::printable(text(server, "name"));
    let is_host = text(server, "kind") == "host";
    let kind = if is_host {
        "web server of the site"
    } else {
        "component"
    };
    let mut about = match state {
        State::Running if is_host => kind.to_owned(),
        State::Running => {
            let methods = server.get("methods").and_then(Value::as_array);
            let methods = output::count(methods.map_or(0, Vec::len), "method");
            format!("{kind}, {methods}")
        }
        State::Stopped => format!("{kind}, not running: `tessera start {name}` starts it"),
        State::Failed | State::Loading => {
            let why = match text(server, "error") {
                "" => "it is still being loaded".to_owned(),
                error => output::first_line(error),
            };
            format!("{kind}, not running: {why}")
        }
    };
    let mut urls = texts(server, "urls").into_iter();
    let url = urls.next().unwrap_or_else(|| "-".to_owned());
    for further in urls {
        about.push_str(&format!(", also {further}"));
    }
    [name, url, about]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(server: Value, state: State, expected: [&str; 3]) {
        assert_eq!(row(server.as_object().unwrap(), state), expected);
    }

    #[test]
    fn a_server_is_one_line() {
        check(
            json!({"kind": "host", "name": "mysite", "urls": ["http://127.0.0.1:8080/"]}),
            State::Running,
            ["mysite", "http://127.0.0.1:8080/", "web server of the site"],
        );
        check(
            json!({"kind": "component", "name": "hello", "methods": [{}, {}, {}],
                "urls": ["http://127.0.0.1:8080/hello/", "https://127.0.0.1:8443/hello/"]}),
            State::Running,
            [
                "hello",
                "http://127.0.0.1:8080/hello/",
                "component, 3 methods, also https://127.0.0.1:8443/hello/",
            ],
        );
        check(
            json!({"kind": "component", "name": "bad", "error": "it traps\nat once"}),
            State::Failed,
            ["bad", "-", "component, not running: it traps"],
        );
        check(
            json!({"kind": "component", "name": "slow", "error": null, "urls": []}),
            State::Failed,
            [
                "slow",
                "-",
                "component, not running: it is still being loaded",
            ],
        );
        check(
            json!({"kind": "component", "name": "off", "error": null}),
            State::Stopped,
            [
                "off",
                "-",
                "component, not running: `tessera start off` starts it",
            ],
        );
    }
}
