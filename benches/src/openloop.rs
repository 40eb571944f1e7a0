//! Latency at a fixed rate: requests are sent when they are due, however late the answers before them were, and each is
//! timed from when it was due. A server that stops for a moment makes all of that moment's requests late, as with real clients.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::clock::pause;

/// What is sent before it counts.
const WARM_UP: Duration = Duration::from_millis(300);

/// Asks for a URL so often a second for so many seconds, over so many connections, and prints
/// `requests N errors N p50 N p99 N p99.9 N max N`, times in microseconds.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let [url, rate, seconds, connections] = arguments else {
        return Err("openloop URL RATE SECONDS CONNECTIONS".to_owned());
    };
    let number = |text: &String| match text.parse::<f64>() {
        Ok(number) if number > 0.0 => Ok(number),
        _ => Err(format!("{text}: a number above 0 is wanted")),
    };
    let (rate, seconds) = (number(rate)?, number(seconds)?);
    let connections = number(connections)? as u32;
    let between = Duration::from_secs_f64(f64::from(connections) / rate);
    // All connections are open before the first request is due.
    let began = Instant::now() + Duration::from_millis(200);
    let end = began + WARM_UP + Duration::from_secs_f64(seconds);
    let threads: Vec<_> = (0..connections)
        .map(|number| {
            let url = url.clone();
            let first = began + between * number / connections;
            thread::spawn(move || ask(&url, first, between, began + WARM_UP, end))
        })
        .collect();
    let (mut times, mut errors) = (Vec::new(), 0);
    for thread in threads {
        let (more, failed) = thread.join().map_err(|_| "a thread panicked")?;
        times.extend(more);
        errors += failed;
    }
    times.sort_unstable();
    println!(
        "requests {} errors {errors} p50 {} p99 {} p99.9 {} max {}",
        times.len(),
        quantile(&times, 0.5),
        quantile(&times, 0.99),
        quantile(&times, 0.999),
        quantile(&times, 1.0)
    );
    Ok(())
}

/// The latencies of one connection in microseconds, and how often it failed.
fn ask(
    url: &str,
    first: Instant,
    between: Duration,
    counts_from: Instant,
    end: Instant,
) -> (Vec<u32>, u64) {
    let (mut times, mut errors) = (Vec::new(), 0);
    let mut client = Client::open(url, 1, None);
    let mut due = first;
    while due < end {
        // What is late is sent at once.
        let early = due.saturating_duration_since(Instant::now());
        if !early.is_zero() {
            pause(early);
        }
        let answered = client.as_mut().is_ok_and(|client| client.round().is_ok());
        if !answered {
            errors += 1;
            client = Client::open(url, 1, None);
        } else if due >= counts_from {
            let micros = due.elapsed().as_micros();
            times.push(u32::try_from(micros).unwrap_or(u32::MAX));
        }
        due += between;
    }
    (times, errors)
}

/// Of sorted times, the one below which this share is; 0 of none.
fn quantile(sorted: &[u32], share: f64) -> u32 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    let index = place.saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_were_measured() {
        let times: Vec<u32> = (1..=1000).collect();
        assert_eq!(quantile(&times, 0.5), 500);
        assert_eq!(quantile(&times, 0.999), 999);
        assert_eq!(quantile(&times, 1.0), 1000);
        assert_eq!(quantile(&[7], 0.5), 7);
        assert_eq!(quantile(&[], 0.5), 0);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| {
            let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
            run(&words).unwrap_err()
        };
        assert!(error("http://x/").starts_with("openloop URL RATE"));
        assert_eq!(error("http://x/ 0 1 1"), "0: a number above 0 is wanted");
        assert_eq!(error("http://x/ a 1 1"), "a: a number above 0 is wanted");
    }
}
