//! `tessera top`: what the web servers of a running host do, on a screen that follows.

mod figures;
mod screen;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::failure::Failure;
use super::output;
use super::target::Target;
use figures::{Figures, Rates};
use screen::Screen;

/// Shows what the web servers do: requests, times, web processes, cache. Quits with q.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// Prints the figures once: rates are those since the process began.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let client = arguments.target.client()?;
    if arguments.once || arguments.target.is_json() {
        let figures = look(&client)?;
        let rates = figures.rates(&Figures::default(), figures.uptime);
        return arguments
            .target
            .print(&document(&figures, &rates), |_| text(&figures, &rates));
    }
    follow(&client, Duration::from_secs(arguments.interval))
}

fn look(client: &Client) -> Result<Figures, Failure> {
    Ok(Figures::of(&client.text("/metrics")?))
}

fn follow(client: &Client, interval: Duration) -> Result<(), Failure> {
    // Before the screen is taken, so that what is wrong is told on a screen that stays.
    let mut last = (look(client)?, Instant::now());
    let mut rates = last.0.rates(&Figures::default(), last.0.uptime);
    let mut screen = Screen::open().map_err(Failure::other)?;
    loop {
        screen.draw(&last.0, &rates).map_err(Failure::other)?;
        if Screen::quits_within(interval).map_err(Failure::other)? {
            return Ok(());
        }
        let next = look(client)?;
        rates = next.rates(&last.0, last.1.elapsed().as_secs_f64());
        last = (next, Instant::now());
        screen.remember(rates.values().map(|rates| rates.requests).sum());
    }
}

fn document(figures: &Figures, rates: &Rates) -> Value {
    let servers = figures.servers.iter().map(|(name, server)| {
        let rates = rates.get(name).copied().unwrap_or_default();
        json!({
            "name": name,
            "isRunning": server.is_up,
            "hits": server.requests,
            "hitsPerSecond": rates.requests,
            "errors": server.errors,
            "p50": rates.p50,
            "p99": rates.p99,
            "bytesPerSecond": rates.bytes,
            "processes": {"current": server.processes, "highest": server.highest, "max": server.processes_max},
            "waiting": server.waiting,
            "refused": server.refused,
            "cacheHits": server.cache_hits,
            "cacheMisses": server.cache_misses,
            "sessions": server.sessions,
        })
    });
    json!({
        "uptime": figures.uptime,
        "cache": {"entries": figures.cache_entries, "bytes": figures.cache_bytes, "maxBytes": figures.cache_max},
        "connections": {"open": figures.connections, "max": figures.connections_max},
        "memory": figures.memory,
        "servers": servers.collect::<Value>(),
    })
}

fn text(figures: &Figures, rates: &Rates) -> String {
    let mut rows = vec![screen::TITLES.map(str::to_owned)];
    rows.extend(screen::rows(figures, rates));
    let lines = screen::summary(figures, rates).join("\n");
    format!("{lines}\n{}", output::columns(&rows))
}
