//! What is told of each web server. A component that is gone is not told of any more.

use std::sync::Arc;

use super::answers::Answered;
use super::process::since_1970;
use super::text::Text;
use crate::server::{Serving, WebServer};

/// A web server, and what it serves with.
pub(super) struct Told {
    pub(super) server: Arc<WebServer>,
    pub(super) serving: Option<Arc<Serving>>,
    /// Its sessions, where that is known.
    pub(super) sessions: Option<u64>,
}

/// Writes what there is of all web servers.
pub(super) fn write(text: &mut Text, all: &[Told]) {
    requests(text, all);
    traffic(text, all);
    processes(text, all);
    sessions(text, all);
    events(text, all);
    instances(text, all);
    costs(text, all);
    versions(text, all);
}

impl Told {
    fn name(&self) -> &str {
        self.server.name()
    }

    /// With the component that it serves with, if it has one.
    fn generation(&self) -> Option<(&str, &tessera_engine::Generation)> {
        let generation = self.serving.as_ref()?.generation.as_ref()?;
        Some((self.name(), generation))
    }
}

fn requests(text: &mut Text, all: &[Told]) {
    let mut up = text.gauge("tessera_server_up", "Whether the web server runs: 1 or 0.");
    for told in all {
        up.sample(&[("server", told.name())], u8::from(told.serving.is_some()));
    }
    let help = "Requests answered, by kind: static (a file that was read), cache (a file in memory), dynamic (a component or \
                a page with tags), other (the host: refusals, redirects, listings). Rare statuses are counted by class.";
    let mut requests = text.counter("tessera_http_requests_total", help);
    for told in all {
        for kind in Answered::ALL {
            for (code, count) in told.server.traffic().answers().statuses(kind) {
                let labels = [
                    ("server", told.name()),
                    ("kind", kind.name()),
                    ("code", &code),
                ];
                requests.sample(&labels, count);
            }
        }
    }
    let help = "From the head of a request until that of its response was ready to be sent.";
    let mut times = text.histogram("tessera_http_request_duration_seconds", help);
    for told in all {
        let answers = told.server.traffic().answers();
        for kind in Answered::ALL {
            if answers.count(kind) > 0 {
                let labels = [("server", told.name()), ("kind", kind.name())];
                times.times(&labels, &answers.times(kind));
            }
        }
    }
}

fn traffic(text: &mut Text, all: &[Told]) {
    let help = "Bytes of response bodies, compressed as they are sent, without heads.";
    let mut bytes = text.counter("tessera_http_response_bytes_total", help);
    for told in all {
        bytes.sample(
            &[("server", told.name())],
            told.server.traffic().all_bytes(),
        );
    }
    let help = "Requests for files that were answered from memory.";
    let mut hits = text.counter("tessera_cache_hits_total", help);
    for told in all {
        let count = told.server.traffic().answers().count(Answered::Memory);
        hits.sample(&[("server", told.name())], count);
    }
    let help = "Files that were read from disk.";
    let mut misses = text.counter("tessera_cache_misses_total", help);
    for told in all {
        misses.sample(
            &[("server", told.name())],
            told.server.traffic().all_reads(),
        );
    }
}

fn processes(text: &mut Text, all: &[Told]) {
    let help = "Web processes: requests that components are at.";
    let mut current = text.gauge("tessera_web_processes", help);
    for told in all {
        let count = told.server.processes().current();
        current.sample(&[("server", told.name())], count);
    }
    let help = "Most web processes at once since the web server started.";
    let mut highest = text.gauge("tessera_web_processes_highest", help);
    for told in all {
        let count = told.server.processes().highest();
        highest.sample(&[("server", told.name())], count);
    }
    let help = "maxConcurrentProcesses of the web server.";
    let mut max = text.gauge("tessera_web_processes_max", help);
    for told in all {
        if let Some(serving) = &told.serving {
            let count = serving.web.requests.processes_max;
            max.sample(&[("server", told.name())], count);
        }
    }
    let help = "Requests refused at maxConcurrentProcesses since the web server started.";
    let mut refused = text.counter("tessera_web_processes_refused_total", help);
    for told in all {
        let count = told.server.processes().refused();
        refused.sample(&[("server", told.name())], count);
    }
}

fn sessions(text: &mut Text, all: &[Told]) {
    let help = "Sessions in the store, at most 100000 counted; absent until one was asked for.";
    let mut sessions = text.gauge("tessera_sessions", help);
    for told in all {
        if let Some(count) = told.sessions {
            sessions.sample(&[("server", told.name())], count);
        }
    }
}

fn events(text: &mut Text, all: &[Told]) {
    let help = "Requests that a component failed to answer, by cause. Traps are trap, memory, cpu_time, table_elements, \
                handles, call_size and instantiate.";
    let mut failures = text.counter("tessera_component_failures_total", help);
    for told in all {
        for (cause, count) in told.server.events().failures() {
            if count > 0 {
                failures.sample(&[("server", told.name()), ("cause", cause)], count);
            }
        }
    }
    let help = "Reloads that were of consequence, by outcome.";
    let mut reloads = text.counter("tessera_reloads_total", help);
    for told in all {
        for (outcome, count) in told.server.events().reloads() {
            if count > 0 {
                reloads.sample(&[("server", told.name()), ("outcome", outcome)], count);
            }
        }
    }
}

fn instances(text: &mut Text, all: &[Told]) {
    let pools: Vec<_> = all
        .iter()
        .filter_map(Told::generation)
        .map(|(name, generation)| (name, generation.statistics()))
        .collect();
    let mut idle = text.gauge(
        "tessera_instances_idle",
        "Instances kept for the next request.",
    );
    for (name, pool) in &pools {
        idle.sample(&[("server", name)], pool.idle);
    }
    let mut waiting = text.gauge(
        "tessera_queue_waiting",
        "Requests that wait for an instance.",
    );
    for (name, pool) in &pools {
        waiting.sample(&[("server", name)], pool.waiting);
    }
    let help = "Requests that waited for an instance in vain, or found the queue full.";
    let mut refused = text.counter("tessera_queue_refused_total", help);
    for (name, pool) in &pools {
        refused.sample(&[("server", name)], pool.refused);
    }
    let help = "Instances made by the version that serves; begins anew with each version.";
    let mut created = text.counter("tessera_instances_created_total", help);
    for (name, pool) in &pools {
        created.sample(&[("server", name)], pool.created);
    }
    let help = "Instances of the version that serves that ended, by cause.";
    let mut ended = text.counter("tessera_instances_ended_total", help);
    for (name, pool) in &pools {
        let retired = pool.retired;
        for (cause, count) in [
            ("trap", pool.trapped),
            ("requests", retired.requests),
            ("growth", retired.growth),
            ("limit", retired.limit),
            ("surplus", retired.surplus),
            ("room", retired.room),
            ("memory", retired.memory),
        ] {
            ended.sample(&[("server", name), ("cause", cause)], count);
        }
    }
}

fn costs(text: &mut Text, all: &[Told]) {
    let costs: Vec<_> = all
        .iter()
        .filter_map(Told::generation)
        .map(|(name, generation)| (name, generation.meters().costs()))
        .collect();
    let help = "Time that making instances took.";
    let mut time = text.counter("tessera_instantiation_seconds_total", help);
    for (name, costs) in &costs {
        time.seconds(&[("server", name)], costs.instantiation_time);
    }
    let help = "Instances that were made, whether they could be or not.";
    let mut count = text.counter("tessera_instantiations_total", help);
    for (name, costs) in &costs {
        count.sample(&[("server", name)], costs.instantiations);
    }
    let help =
        "Time that instances were at requests, waiting for bodies and other servers included.";
    let mut time = text.counter("tessera_guest_seconds_total", help);
    for (name, costs) in &costs {
        time.seconds(&[("server", name)], costs.guest_time);
    }
    let help = "Requests that instances were at.";
    let mut count = text.counter("tessera_guest_calls_total", help);
    for (name, costs) in &costs {
        count.sample(&[("server", name)], costs.guest_calls);
    }
}

fn versions(text: &mut Text, all: &[Told]) {
    let help = "Number of the version that serves: 1 is the first, each reload makes the next.";
    let mut numbers = text.gauge("tessera_generation", help);
    for told in all {
        if let Some(serving) = &told.serving {
            numbers.sample(&[("server", told.name())], serving.number);
        }
    }
    let help = "When the certificate of the web server ends, in seconds since 1970.";
    let mut ends = text.gauge("tessera_certificate_not_after_seconds", help);
    for told in all {
        let tls = told.server.status().lock().tls.clone();
        if let Some(end) = tls.and_then(|tls| tls.not_after()) {
            ends.sample(&[("server", told.name())], since_1970(end));
        }
    }
}
