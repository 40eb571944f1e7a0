//! The figures of this moment as JSON, for whoever follows them once a second: counters, from which rates are made by
//! taking the ones before away.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::answers::{Answered, BOUNDS};
use super::process::{cpu_time, field};
use super::whole::Whole;
use crate::files::Usage;
use crate::server::{WebServer, server_documents};

/// Sessions are counted by asking their store, which may be a long list: not with every look.
const COUNTING: Duration = Duration::from_secs(5);
/// What a store gets to say how many there are.
const COUNTING_TIME_MAX: Duration = Duration::from_millis(500);
/// What is told of each web server beside its counters: members of its document.
const TOLD: [&str; 9] = [
    "name",
    "kind",
    "state",
    "error",
    "urls",
    "mount",
    "generation",
    "pending",
    "isRunning",
];

/// What is remembered from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct Live {
    sessions: BTreeMap<String, u64>,
    counted: Option<Instant>,
}

impl Live {
    /// Looks at everything.
    pub(crate) async fn figures(&mut self, whole: Whole<'_>) -> Value {
        let servers = whole.registry.all();
        if self.counted.is_none_or(|at| at.elapsed() >= COUNTING) {
            self.count(&servers).await;
        }
        let documents = server_documents(whole.registry);
        let figures = documents.into_iter().filter_map(|mut document| {
            let name = document.get("name")?.as_str()?.to_owned();
            let server = servers.iter().find(|server| server.name() == name)?;
            let mut told = Map::new();
            for key in TOLD {
                let value = document.remove(key).unwrap_or_default();
                told.insert(key.to_owned(), value);
            }
            let sessions = self.sessions.get(&name).copied();
            Some(of_server(server, told, sessions))
        });
        let figures: Vec<Value> = figures.collect();
        let mut all = process(&whole);
        all["servers"] = figures.into();
        all
    }

    async fn count(&mut self, servers: &[std::sync::Arc<WebServer>]) {
        self.sessions.clear();
        let counting = async {
            for server in servers {
                let serving = server.serving();
                let sessions = serving.as_ref().and_then(|it| it.sessions.as_ref());
                if let Some(sessions) = sessions
                    && let Some(count) = sessions.count().await
                {
                    self.sessions.insert(server.name().to_owned(), count);
                }
            }
        };
        // A store that hangs holds up the figures of nobody for longer.
        let _ = tokio::time::timeout(COUNTING_TIME_MAX, counting).await;
        self.counted = Some(Instant::now());
    }
}

fn of_server(server: &WebServer, mut told: Map<String, Value>, sessions: Option<u64>) -> Value {
    let serving = server.serving();
    let answers = server.traffic().answers();
    let mut times = vec![0; BOUNDS.len() + 1];
    let mut failed = 0;
    for kind in Answered::ALL {
        for (all, count) in times.iter_mut().zip(answers.times(kind).counts) {
            *all += count;
        }
        let statuses = answers.statuses(kind);
        let bad = statuses.iter().filter(|(code, _)| code.starts_with('5'));
        failed += bad.map(|(_, count)| count).sum::<u64>();
    }
    let (processes, counts) = (server.processes(), server.traffic().counts());
    let generation = serving.as_ref().and_then(|it| it.generation.as_ref());
    let pool = generation.map(|generation| generation.statistics());
    let max = serving.as_ref().map(|it| it.web.requests.processes_max);
    let cached = answers.count(Answered::Memory);
    told.insert("uptime".to_owned(), counts.uptime_seconds.into());
    told.insert("requests".to_owned(), answers.total().into());
    told.insert("failed".to_owned(), failed.into());
    told.insert("bytes".to_owned(), server.traffic().all_bytes().into());
    told.insert("times".to_owned(), times.into());
    told.insert("cacheHits".to_owned(), cached.into());
    let reads = server.traffic().all_reads();
    told.insert("cacheMisses".to_owned(), reads.into());
    let processes = json!({
        "current": processes.current(),
        "highest": processes.highest(),
        "max": max,
        "refused": processes.refused(),
        "waiting": pool.as_ref().map(|pool| pool.waiting),
        "idle": pool.as_ref().map(|pool| pool.idle),
    });
    told.insert("processes".to_owned(), processes);
    told.insert("sessions".to_owned(), sessions.into());
    told.into()
}

fn process(whole: &Whole<'_>) -> Value {
    let engine = whole.reloader.loader.engine().statistics();
    let limits = whole.reloader.ports.limits();
    let free = u32::try_from(limits.places.available_permits()).unwrap_or(u32::MAX);
    let caches = whole.reloader.exchange.caches().usage();
    let sum = |value: fn(&Usage) -> u64| caches.iter().map(|(_, usage)| value(usage)).sum::<u64>();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    json!({
        "at": whole.started.elapsed().as_secs_f64(),
        "bounds": BOUNDS.map(seconds),
        "process": {
            "version": env!("CARGO_PKG_VERSION"),
            "memory": field(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024),
            "cpu": cpu_time().as_secs_f64(),
            "connections": limits.connections_max.saturating_sub(free),
            "connectionsMax": limits.connections_max,
            "instances": engine.instances,
            "instancesMax": engine.instances_max,
            "waiting": engine.waiting,
            "instanceMemory": engine.memory,
            "instanceMemoryMax": engine.memory_max,
            "cacheBytes": sum(|usage| usage.bytes),
            "cacheMax": sum(|usage| usage.bytes_max),
        },
    })
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

/// The schema of [`Live::figures`] with `draining`.
pub(crate) fn schema() -> Value {
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    let may_be =
        |about: &str| json!({"type": ["integer", "null"], "minimum": 0, "description": about});
    json!({
        "type": "object",
        "required": ["at", "bounds", "process", "servers", "draining"],
        "properties": {
            "at": {"type": "number", "description": "Seconds since the process began."},
            "draining": {"type": "boolean", "description": "Whether the process is about to end."},
            "bounds": {
                "type": "array",
                "items": {"type": "number"},
                "description": "Seconds: the upper bounds of the ranges of `times`; the last range has none.",
            },
            "process": {
                "type": "object",
                "description": "The process: memory in bytes, processor time in seconds, connections, instances, cache.",
            },
            "servers": {"type": "array", "items": {
                "type": "object",
                "required": ["name", "kind", "state", "requests", "times", "processes"],
                "properties": {
                    "requests": count("Answered since the server object was made. Counters never go back."),
                    "failed": count("Of those, with a status of 500 or above."),
                    "bytes": count("Of response bodies."),
                    "times": {
                        "type": "array",
                        "items": count("Requests whose answer took a time of this range."),
                    },
                    "cacheHits": count("Requests for files answered from memory."),
                    "cacheMisses": count("Files read from disk."),
                    "uptime": count("Seconds since it started; 0 while it does not run."),
                    "sessions": may_be("As counted within the last seconds; null where that is not known."),
                    "processes": {"type": "object", "description": "Web processes, and requests that wait for an instance."},
                },
                "description": "With name, kind, state, error, urls, mount, generation and pending as GET /servers has them.",
            }},
        },
    })
}
