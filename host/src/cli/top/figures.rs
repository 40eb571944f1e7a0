//! The figures of `top`, read from the text of `/metrics`.

use std::collections::BTreeMap;

/// What a host tells at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// By name.
    pub(super) servers: BTreeMap<String, Server>,
    /// Seconds since the process began.
    pub(super) uptime: f64,
    pub(super) cache_entries: f64,
    pub(super) cache_bytes: f64,
    pub(super) cache_max: f64,
    pub(super) connections: f64,
    pub(super) connections_max: f64,
    /// Bytes of the process that are in RAM.
    pub(super) memory: f64,
}

/// What it tells of one web server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Server {
    pub(super) is_up: bool,
    pub(super) requests: f64,
    /// Answers of 500 and above.
    pub(super) errors: f64,
    pub(super) bytes: f64,
    pub(super) processes: f64,
    pub(super) highest: f64,
    pub(super) processes_max: f64,
    pub(super) waiting: f64,
    pub(super) refused: f64,
    pub(super) cache_hits: f64,
    pub(super) cache_misses: f64,
    pub(super) sessions: f64,
    /// Requests by the highest time they may have taken, in nanoseconds so that they have an order, summed up.
    times: BTreeMap<u64, f64>,
}

/// What happens in a second, by web server.
pub(super) type Rates = BTreeMap<String, Rate>;

/// What happens in a second on one web server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rate {
    pub(super) requests: f64,
    pub(super) bytes: f64,
    /// Seconds that half of the requests did not take; none without requests.
    pub(super) p50: Option<f64>,
    /// The same of 99 in a hundred.
    pub(super) p99: Option<f64>,
}

impl Figures {
    /// Reads them. What is not there is 0, and what is not known is passed over.
    pub(super) fn of(text: &str) -> Self {
        let mut figures = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((sample, value)) = line.rsplit_once(' ')
                && let Ok(value) = value.parse()
            {
                let (name, labels) = parts(sample);
                figures.take(name, &labels, value);
            }
        }
        figures
    }

    fn take(&mut self, name: &str, labels: &BTreeMap<String, String>, value: f64) {
        let label = |name: &str| labels.get(name).map_or("", String::as_str);
        match name {
            "process_start_time_seconds" => {
                let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
                self.uptime = (now.as_secs_f64() - value).max(0.0);
            }
            "process_resident_memory_bytes" => self.memory = value,
            "tessera_connections" => self.connections = value,
            "tessera_connections_max" => self.connections_max = value,
            "tessera_cache_entries" => self.cache_entries += value,
            "tessera_cache_bytes" => self.cache_bytes += value,
            "tessera_cache_max_bytes" => self.cache_max += value,
            _ if !label("server").is_empty() => {
                let server = self.servers.entry(label("server").to_owned()).or_default();
                server.take(name, &label, value);
            }
            _ => {}
        }
    }

    /// What has happened since `before`, which was so many seconds ago.
    pub(super) fn rates(&self, before: &Self, seconds: f64) -> Rates {
        let none = Server::default();
        let of = |(name, server): (&String, &Server)| {
            let before = before.servers.get(name).unwrap_or(&none);
            (name.clone(), server.rate(before, seconds.max(0.001)))
        };
        self.servers.iter().map(of).collect()
    }
}

impl Server {
    fn take<'a>(&mut self, name: &str, label: &dyn Fn(&str) -> &'a str, value: f64) {
        match name {
            "tessera_server_up" => self.is_up = value > 0.0,
            "tessera_http_requests_total" => {
                self.requests += value;
                if label("code").starts_with('5') {
                    self.errors += value;
                }
            }
            "tessera_http_request_duration_seconds_bucket" => {
                let bound = label("le").parse().unwrap_or(f64::INFINITY);
                // A float beyond the range becomes its end.
                *self.times.entry((bound * 1e9) as u64).or_default() += value;
            }
            "tessera_http_response_bytes_total" => self.bytes = value,
            "tessera_web_processes" => self.processes = value,
            "tessera_web_processes_highest" => self.highest = value,
            "tessera_web_processes_max" => self.processes_max = value,
            "tessera_queue_waiting" => self.waiting = value,
            "tessera_queue_refused_total" | "tessera_web_processes_refused_total" => {
                self.refused += value;
            }
            "tessera_cache_hits_total" => self.cache_hits = value,
            "tessera_cache_misses_total" => self.cache_misses = value,
            "tessera_sessions" => self.sessions = value,
            _ => {}
        }
    }

    fn rate(&self, before: &Self, seconds: f64) -> Rate {
        Rate {
            requests: (self.requests - before.requests).max(0.0) / seconds,
            bytes: (self.bytes - before.bytes).max(0.0) / seconds,
            p50: self.quantile(before, 0.5),
            p99: self.quantile(before, 0.99),
        }
    }

    /// The end of the range that so large a part of the requests lies below; of the last range, which has none, its
    /// beginning.
    fn quantile(&self, before: &Self, part: f64) -> Option<f64> {
        let below =
            |bound: &u64, count: f64| count - before.times.get(bound).copied().unwrap_or_default();
        let (last, all) = self.times.last_key_value()?;
        let all = below(last, *all);
        if all < 1.0 {
            return None;
        }
        let reached = |(bound, count): &(&u64, &f64)| below(bound, **count) >= part * all;
        let (bound, _) = self.times.iter().find(reached)?;
        let bound = match bound {
            &u64::MAX => self.times.keys().rev().nth(1)?,
            bound => bound,
        };
        Some(*bound as f64 / 1e9)
    }
}

/// The name of a sample and its labels.
fn parts(sample: &str) -> (&str, BTreeMap<String, String>) {
    let Some((name, rest)) = sample.split_once('{') else {
        return (sample, BTreeMap::new());
    };
    let mut labels = BTreeMap::new();
    let mut rest = rest.strip_suffix('}').unwrap_or(rest);
    while let Some((label, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut characters = after.char_indices();
        let mut end = after.len();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    end = index + 1;
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                    None => {}
                },
                other => value.push(other),
            }
        }
        labels.insert(label.trim_start_matches(',').to_owned(), value);
        rest = after.get(end..).unwrap_or_default();
    }
    (name, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(le: &str, count: u32) -> String {
        let name = "tessera_http_request_duration_seconds_bucket";
        format!("{name}{{server=\"a\",kind=\"cache\",le=\"{le}\"}} {count}\n")
    }

    #[test]
    fn samples_become_figures_and_two_of_them_rates() {
        let first = Figures::of("tessera_server_up{server=\"a\"} 1\n");
        assert!(first.servers["a"].is_up);
        let text = [
            "# HELP x y\ntessera_http_requests_total{server=\"a\",kind=\"cache\",code=\"200\"} 30\n",
            "tessera_http_requests_total{server=\"a\",kind=\"other\",code=\"503\"} 10\n",
            "tessera_cache_bytes{cache=\"\"} 100\ntessera_cache_bytes{cache=\"a\"} 11\nnonsense\n",
            &bucket("0.001", 20),
            &bucket("10", 39),
            &bucket("+Inf", 40),
        ];
        let second = Figures::of(&text.concat());
        assert_eq!(
            (second.servers["a"].errors, second.cache_bytes),
            (10.0, 111.0)
        );
        let rate = second.rates(&first, 2.0)["a"];
        assert_eq!(
            (rate.requests, rate.p50, rate.p99),
            (20.0, Some(0.001), Some(10.0))
        );
        // Nothing has happened since.
        assert_eq!(second.rates(&second, 1.0)["a"], Rate::default());
    }

    #[test]
    fn names_of_servers_may_hold_anything() {
        let (name, labels) = parts("m{server=\"a\\\"\\\\,b=\\n}\",kind=\"x\"}");
        assert_eq!(name, "m");
        assert_eq!(labels["server"], "a\"\\,b=\n}");
        assert_eq!(labels["kind"], "x");
        for odd in ["m{", "m{a", "m{a=\"", "m{a=\"\\", "m{a=\"b\"", "{}"] {
            parts(odd);
        }
    }
}
