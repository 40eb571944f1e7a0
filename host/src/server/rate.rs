//! How many requests a second one client may make of a web server.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::settings::Rate;

/// Clients that are known one by one; who comes beyond shares what one client may do with the others that do.
const CLIENTS_MAX: usize = 64 * 1024;
/// How often a full list is searched for clients that have been quiet.
const SEARCH_EVERY: Duration = Duration::from_millis(100);

/// Holds the clients of one web server to a rate, each by itself.
#[derive(Debug)]
pub struct RateLimiter {
    began: Instant,
    clients: Mutex<Clients>,
    clients_max: usize,
}

#[derive(Debug, Default)]
struct Clients {
    /// When each would have spent what it has taken, in nanoseconds: the generic cell rate algorithm.
    known: HashMap<u64, u64>,
    others: u64,
    searched: u64,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::with_room_for(CLIENTS_MAX)
    }
}

impl RateLimiter {
    fn with_room_for(clients_max: usize) -> Self {
        Self {
            began: Instant::now(),
            clients: Mutex::default(),
            clients_max,
        }
    }

    /// Takes one request of a client, or says after how long it may try again.
    pub fn take(&self, client: IpAddr, rate: Rate) -> Result<(), Duration> {
        self.take_at(client, rate, nanoseconds(self.began.elapsed()))
    }

    fn take_at(&self, client: IpAddr, rate: Rate, now: u64) -> Result<(), Duration> {
        let mut clients = self.clients.lock();
        let spent = clients.entry(key(client), now, self.clients_max);
        let each = 1_000_000_000 / u64::from(rate.per_second.max(1));
        let ahead = each * u64::from(rate.burst.max(1) - 1);
        let until = (*spent).max(now);
        if let Some(wait) = (until - now).checked_sub(ahead).filter(|wait| *wait > 0) {
            return Err(Duration::from_nanos(wait));
        }
        *spent = until + each;
        Ok(())
    }
}

impl Clients {
    fn entry(&mut self, key: u64, now: u64, max: usize) -> &mut u64 {
        if self.known.len() >= max && !self.known.contains_key(&key) {
            let searched = self.searched;
            if searched == 0 || now.saturating_sub(searched) >= nanoseconds(SEARCH_EVERY) {
                self.searched = now;
                // Who has nothing spent is as good as unknown.
                self.known.retain(|_, spent| *spent > now);
            }
            if self.known.len() >= max {
                return &mut self.others;
            }
        }
        self.known.entry(key).or_default()
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What is one client: an IPv4 address, or the network of an IPv6 address, in which a client has as many as it likes.
fn key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        // A network that nobody has: 0:ffff::/32.
        IpAddr::V4(v4) => 0x0000_ffff_0000_0000 | u64::from(v4.to_bits()),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_second: 10,
        burst: 3,
    };
    const TENTH: u64 = 100_000_000;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_its_burst_and_then_its_rate() {
        let limiter = RateLimiter::default();
        let client = address("10.0.0.1");
        let take = |now| limiter.take_at(client, RATE, now);
        for _ in 0..3 {
            assert_eq!(take(TENTH), Ok(()));
        }
        assert_eq!(take(TENTH), Err(Duration::from_millis(100)));
        assert_eq!(take(TENTH + 50_000_000), Err(Duration::from_millis(50)));
        assert_eq!(take(2 * TENTH), Ok(()));
        assert_eq!(take(2 * TENTH), Err(Duration::from_millis(100)));
        // What is not used is not saved up beyond the burst.
        let taken = (0..10).filter(|_| take(1000 * TENTH).is_ok()).count();
        assert_eq!(taken, 3);
    }

    #[test]
    fn clients_are_told_apart_by_address_or_network() {
        for (one, other, same) in [
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("10.0.0.1", "0:0:a00:1::", false),
        ] {
            assert_eq!(
                key(address(one)) == key(address(other)),
                same,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn memory_is_bounded_and_strangers_share() {
        let limiter = RateLimiter::with_room_for(4);
        let client = |number: u8| IpAddr::from([10, 0, 0, number]);
        for number in 0..4 {
            assert_eq!(limiter.take_at(client(number), RATE, TENTH), Ok(()));
        }
        let taken = (4..100).filter(|&number| limiter.take_at(client(number), RATE, TENTH).is_ok());
        assert_eq!(taken.count(), 3);
        assert_eq!(limiter.clients.lock().known.len(), 4);
        assert_eq!(
            limiter.take_at(client(0), RATE, TENTH),
            Ok(()),
            "known ones are not hurt"
        );
        // Those that have been quiet make room.
        assert_eq!(limiter.take_at(client(200), RATE, 100 * TENTH), Ok(()));
        assert_eq!(limiter.clients.lock().known.len(), 1);
    }
}
