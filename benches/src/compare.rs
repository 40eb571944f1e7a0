//! Two builds of Tessera beside each other, in turn: requests per second, and processor time for each request.

use std::path::Path;

use crate::server::Server;
use crate::site::{CASES, Site};
use crate::wrk;

const ROUNDS: usize = 7;
const SECONDS: u32 = 3;

/// Measures and prints a table.
pub(crate) fn run(old: &Path, new: &Path) -> Result<(), String> {
    println!(
        "{}, in turn, medians of the ratios new to old of {ROUNDS} rounds (lowest to highest)\n",
        wrk::command(SECONDS)
    );
    println!(
        "| case | keep-alive | requests per second | processor time for a request |\n|---|---|---|---|"
    );
    let of = |binary| Site::served_endless(move |site| Server::tessera(binary, site));
    let ((_old_site, old), (_new_site, endless)) = (of(old)?, of(new)?);
    let site = Site::new("")?;
    let limited = Server::tessera(new, site.path())?;
    for (name, new) in [
        ("without end", &endless),
        ("100 requests, the default", &limited),
    ] {
        for (case, path) in CASES {
            let mut rates = Vec::with_capacity(ROUNDS);
            let mut costs = Vec::with_capacity(ROUNDS);
            for _ in 0..ROUNDS {
                let run = |server: &Server| {
                    wrk::run(server, &format!("{}{path}", server.url), SECONDS, None)
                };
                let (old, new) = (run(&old)?, run(new)?);
                rates.push(new.requests_per_second / old.requests_per_second);
                costs.push(new.cost / old.cost);
            }
            println!("| {case} | {name} | {} | {} |", told(rates), told(costs));
        }
    }
    println!();
    Ok(())
}

fn told(ratios: Vec<f64>) -> String {
    let (median, low, high) = wrk::summary(ratios);
    format!("{median:.3} ({low:.2} to {high:.2})")
}
