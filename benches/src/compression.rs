//! What a client costs that takes compressed answers.

use crate::client::get;
use crate::server::{Server, binary};
use crate::site::Site;
use crate::wrk;

const ROUNDS: usize = 5;
const SECONDS: u32 = 2;
const CODINGS: [&str; 4] = ["gzip", "br", "zstd", "gzip, br, zstd"];

/// Measures and prints a table.
pub(crate) fn run() -> Result<(), String> {
    let site = Site::endless()?;
    let server = Server::tessera(&binary(), site.path())?;
    println!(
        "{}, in turn with the same page without Accept-Encoding; medians of {ROUNDS} rounds\n",
        wrk::command(SECONDS)
    );
    println!(
        "| page | Accept-Encoding | bytes | requests per second, ratio | processor time for a request, microseconds |\n|---|---|---|---|---|"
    );
    for kib in [1, 10, 100] {
        let url = format!("{}page{kib}.html", server.url);
        for coding in CODINGS {
            let header = format!("Accept-Encoding: {coding}");
            let bytes = get(&url, Some(&header))?.len();
            let (mut rates, mut plain, mut costs) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let without = wrk::run(&server, &url, SECONDS, None)?;
                let with = wrk::run(&server, &url, SECONDS, Some(&header))?;
                rates.push(with.requests_per_second / without.requests_per_second);
                plain.push(without.cost);
                costs.push(with.cost);
            }
            let (rate, low, high) = wrk::summary(rates);
            println!(
                "| {kib} KiB | {coding} | {bytes} | {rate:.2} ({low:.2} to {high:.2}) | {:.0} instead of {:.0} |",
                wrk::summary(costs).0,
                wrk::summary(plain).0
            );
        }
    }
    println!();
    Ok(())
}
