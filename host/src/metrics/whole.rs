//! All of `/metrics`: the web servers, then the process as a whole.

use std::time::{Duration, Instant};

use tessera_engine::{AllocatorStatistics, EngineStatistics};

use super::servers::{self, Told};
use super::text::Text;
use super::{ConnectionCounts, process};
use crate::files::Usage;
use crate::listen::ConnectionLimits;
use crate::server::{Registry, Reloader};
use crate::traces::{Counts, Traces};

/// What a store of sessions gets to say how many there are.
const COUNTING_TIME_MAX: Duration = Duration::from_secs(1);

/// Where it is collected from.
pub(crate) struct Whole<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) reloader: &'a Reloader,
    /// When the process began.
    pub(crate) started: Instant,
}

/// Collects all metrics as they are now.
pub(crate) async fn collect(whole: Whole<'_>) -> Text {
    let mut all = Vec::new();
    let servers = whole.registry.all();
    for server in servers.into_iter().filter(|server| !server.is_gone()) {
        let serving = server.serving();
        all.push(Told {
            server,
            serving,
            sessions: None,
        });
    }
    // A store that hangs holds up nobody for longer than that, however many servers it is of.
    let counting = async {
        for told in &mut all {
            let sessions = told.serving.as_ref().and_then(|it| it.sessions.clone());
            if let Some(sessions) = sessions {
                told.sessions = sessions.count().await;
            }
        }
    };
    let _ = tokio::time::timeout(COUNTING_TIME_MAX, counting).await;

    let mut text = Text::default();
    let version = env!("CARGO_PKG_VERSION");
    text.gauge(
        "tessera_build_info",
        "Always 1; the version is in its label.",
    )
    .sample(&[("version", version)], 1);
    servers::write(&mut text, &all);
    caches(&mut text, &whole.reloader.exchange.caches().usage());
    connections(&mut text, whole.reloader.ports.limits());
    engine(&mut text, &whole.reloader.loader.engine().statistics());
    let (compiled, from_cache) = whole.reloader.loader.counts();
    let help = "Components loaded, by whether their compiled code was on disk.";
    let mut loads = text.counter("tessera_component_loads_total", help);
    loads.sample(&[("code", "compiled")], compiled);
    loads.sample(&[("code", "cached")], from_cache);
    traces(&mut text, whole.reloader.exchange.traces());
    process::write(&mut text, whole.started);
    text
}

/// The caches of files. The one that servers share has an empty name, which no server has.
fn caches(text: &mut Text, all: &[(Option<String>, Usage)]) {
    type Value = fn(&Usage) -> u64;
    let gauges: [(&'static str, &str, Value); 3] = [
        (
            "tessera_cache_bytes",
            "Bytes of files in memory, by cache: \"\" is the shared one.",
            |it| it.bytes,
        ),
        (
            "tessera_cache_max_bytes",
            "Most bytes that the cache may hold.",
            |it| it.bytes_max,
        ),
        (
            "tessera_cache_entries",
            "Files in memory, compressed forms included.",
            |it| it.objects,
        ),
    ];
    for (name, help, value) in gauges {
        let mut gauge = text.gauge(name, help);
        for (cache, usage) in all {
            gauge.sample(
                &[("cache", cache.as_deref().unwrap_or_default())],
                value(usage),
            );
        }
    }
    let mut loads = text.counter(
        "tessera_cache_loads_total",
        "Files and forms that were put into the cache.",
    );
    for (cache, usage) in all {
        loads.sample(
            &[("cache", cache.as_deref().unwrap_or_default())],
            usage.loads,
        );
    }
}

fn connections(text: &mut Text, limits: &ConnectionLimits) {
    let counts: &ConnectionCounts = &limits.counts;
    let max = limits.connections_max;
    let free = u32::try_from(limits.places.available_permits()).unwrap_or(u32::MAX);
    let help = "Open connections of all ports, admin's not among them.";
    text.one_gauge("tessera_connections", help, max.saturating_sub(free));
    let help = "Most connections at once: server.max_connections.";
    text.one_gauge("tessera_connections_max", help, max);
    let help = "Connections that were accepted.";
    text.one_counter(
        "tessera_connections_accepted_total",
        help,
        counts.all_accepted(),
    );
    let help = "Connections closed at once: too many of an address, or a trusted proxy that did not announce itself properly.";
    text.one_counter(
        "tessera_connections_refused_total",
        help,
        counts.all_refused(),
    );
    let help = "TLS handshakes, by what became of them.";
    let mut handshakes = text.counter("tessera_tls_handshakes_total", help);
    for (result, count) in counts.handshakes() {
        handshakes.sample(&[("result", result)], count);
    }
    let help = "HTTP/2 connections ended because they kept the server busy, by cause.";
    let mut floods = text.counter("tessera_http2_floods_total", help);
    for (cause, count) in counts.floods() {
        floods.sample(&[("cause", cause)], count);
    }
}

fn engine(text: &mut Text, engine: &EngineStatistics) {
    text.one_gauge(
        "tessera_instances",
        "Instances that exist.",
        engine.instances,
    );
    let help = "Most instances that may exist: engine.max_instances.";
    text.one_gauge("tessera_instances_max", help, engine.instances_max);
    let help = "Requests of all components that wait for an instance.";
    text.one_gauge("tessera_instances_waiting", help, engine.waiting);
    let help = "Memory that instances hold.";
    text.one_gauge("tessera_instance_memory_bytes", help, engine.memory);
    let help = "Most memory that instances may hold together.";
    text.one_gauge("tessera_instance_memory_max_bytes", help, engine.memory_max);
    let help = "Versions of components in memory: those that serve, and those that wait for their last request.";
    text.one_gauge("tessera_generations", help, engine.generations);
    if let Some(allocator) = &engine.allocator {
        pooling(text, allocator);
    }
}

fn traces(text: &mut Text, traces: Option<&Traces>) {
    let counts = traces.map(|traces| traces.queue().counts());
    let help = "Spans that the collector of traces has taken.";
    let exported = counts.map_or(0, Counts::exported);
    text.one_counter("tessera_trace_spans_exported_total", help, exported);
    let help =
        "Spans that were lost: there was no room in the queue, or the collector did not take them.";
    let mut lost = text.counter("tessera_trace_spans_lost_total", help);
    for (reason, count) in counts.map(Counts::lost).into_iter().flatten() {
        lost.sample(&[("reason", reason)], count);
    }
}

fn pooling(text: &mut Text, allocator: &AllocatorStatistics) {
    let help = "What Wasmtime's pooling allocator has given out.";
    let mut used = text.gauge("tessera_pooling_allocator_used", help);
    for (what, count) in [
        ("core_instance", allocator.core_instances),
        ("memory", allocator.memories),
        ("table", allocator.tables),
        ("stack", allocator.stacks),
    ] {
        used.sample(&[("resource", what)], count);
    }
    let help = "Free places of the pooling allocator whose memory is still mapped.";
    text.one_gauge(
        "tessera_pooling_allocator_warm_memories",
        help,
        allocator.warm_memories,
    );
    let help = "Bytes of free places of the pooling allocator that are still mapped.";
    text.one_gauge(
        "tessera_pooling_allocator_resident_bytes",
        help,
        allocator.resident_bytes,
    );
}
