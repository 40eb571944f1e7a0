//! Slows down who tries passwords.
//!
//! What is held back is an address, and never an account: who knows the password gets in at once from an address that has
//! not been guessing. An account that is being tried from everywhere makes each address pay more for a failure.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::aged::Aged;
use super::failures::{Failures, Slowness};
use super::keyed::Fingerprint;

/// Of one address.
const RULES: Slowness = Slowness {
    free: 10,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(60),
    half_life: Duration::from_secs(15 * 60),
};
/// Failures of one account, from anywhere, after which an address has no free ones for it.
const HOT: u32 = 50;
/// Addresses and accounts that are remembered at least.
const KNOWN: usize = 32_768;

/// An address, or a whole network of IPv6: whoever has one address of those has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Source([u8; 8]);

impl Source {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            // No network of IPv6 that is in use begins with zeros.
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                Self([0, 0, 0, 0, a, b, c, d])
            }
            IpAddr::V6(v6) => {
                let [a, b, c, d, e, f, g, h, ..] = v6.octets();
                Self([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// What is held against an address.
#[derive(Debug, Default)]
struct Held {
    failures: Failures,
    /// No further attempt before.
    until: Option<Instant>,
    /// The last attempt that was counted. The same once more tells nobody anything.
    last: Option<Fingerprint>,
    /// The account that was tried last, and what of the failures is for it.
    account: Option<Fingerprint>,
    of_account: u32,
}

/// An attempt that was let through. It counts as a failure until it has succeeded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    source: Source,
    account: Fingerprint,
    counted: u32,
}

impl Attempt {
    /// One that counts for nothing.
    pub(super) fn uncounted(source: Source, account: Fingerprint) -> Self {
        Self {
            source,
            account,
            counted: 0,
        }
    }
}

#[derive(Debug)]
pub(super) struct Throttle {
    addresses: Mutex<Aged<Source, Held>>,
    accounts: Mutex<Aged<Fingerprint, Failures>>,
}

impl Throttle {
    pub(super) fn new() -> Self {
        Self {
            addresses: Mutex::new(Aged::new(KNOWN)),
            accounts: Mutex::new(Aged::new(KNOWN)),
        }
    }

    /// How long an address has to wait yet.
    pub(super) fn wait(&self, source: Source, now: Instant) -> Option<Duration> {
        let mut addresses = self.addresses.lock();
        let until = addresses.get(&source)?.until?;
        Some(until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Lets an attempt through, or says how long it must wait. `is_known` credentials were right here a short time ago.
    pub(super) fn begin(
        &self,
        source: Source,
        account: Fingerprint,
        attempt: Fingerprint,
        is_known: bool,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let free = Attempt::uncounted(source, account);
        let weight = match self.is_hot(&account, now) {
            true => RULES.free + 1,
            false => 1,
        };
        let mut addresses = self.addresses.lock();
        if is_known && addresses.get(&source).is_none() {
            return Ok(free);
        }
        let held = addresses.entry(source);
        if held.last == Some(attempt) {
            return Ok(free);
        }
        if let Some(until) = held.until.filter(|until| *until > now) {
            return Err(until - now);
        }
        if is_known {
            return Ok(free);
        }
        let wait = held.failures.add(weight, &RULES, now);
        held.last = Some(attempt);
        held.until = (!wait.is_zero()).then(|| now + wait);
        Ok(Attempt {
            counted: weight,
            ..free
        })
    }

    /// It was refused: it stays counted, for the account as well. Whether the address has to wait from now on.
    pub(super) fn refused(&self, attempt: Attempt, now: Instant) -> bool {
        if attempt.counted == 0 {
            return false;
        }
        let mut accounts = self.accounts.lock();
        accounts.entry(attempt.account).add(1, &RULES, now);
        drop(accounts);
        let mut addresses = self.addresses.lock();
        let held = addresses.entry(attempt.source);
        if held.account != Some(attempt.account) {
            held.account = Some(attempt.account);
            held.of_account = 0;
        }
        held.of_account = held.of_account.saturating_add(attempt.counted);
        held.until.is_some_and(|until| until > now)
    }

    /// It was accepted: it does not count, and neither do the failures for this account before it. Those for others do: who
    /// has an account of his own could else try those of others in between.
    pub(super) fn accepted(&self, attempt: Attempt) {
        let mut addresses = self.addresses.lock();
        let Some(held) = addresses.get(&attempt.source) else {
            return;
        };
        let mut forgiven = attempt.counted;
        if held.account == Some(attempt.account) {
            forgiven = forgiven.saturating_add(std::mem::take(&mut held.of_account));
        }
        held.failures.count = held.failures.count.saturating_sub(forgiven);
        if held.failures.wait(&RULES).is_zero() {
            held.until = None;
        }
    }

    fn is_hot(&self, account: &Fingerprint, now: Instant) -> bool {
        let mut accounts = self.accounts.lock();
        let Some(failures) = accounts.get(account) else {
            return false;
        };
        failures.forgive(&RULES, now);
        failures.count >= HOT
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const ANN: Fingerprint = [1; 16];
    const BOB: Fingerprint = [2; 16];

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    fn guess(number: u32) -> Fingerprint {
        let mut guess = [9; 16];
        guess[..4].copy_from_slice(&number.to_be_bytes());
        guess
    }

    /// Fails so many times, each in another way, or until it has to wait.
    fn fail(
        throttle: &Throttle,
        from: Source,
        account: Fingerprint,
        times: u32,
        at: Instant,
    ) -> u32 {
        static GUESSES: AtomicU32 = AtomicU32::new(1_000_000);
        for number in 0..times {
            let guess = guess(GUESSES.fetch_add(1, Ordering::Relaxed));
            match throttle.begin(from, account, guess, false, at) {
                Ok(attempt) => drop(throttle.refused(attempt, at)),
                Err(_) => return number,
            }
        }
        times
    }

    #[test]
    fn an_address_that_guesses_waits_longer_and_longer_and_no_other_does() {
        let throttle = Throttle::new();
        let now = Instant::now();
        let here = source("192.0.2.1");
        assert_eq!(fail(&throttle, here, ANN, 100, now), 11);
        assert_eq!(throttle.wait(here, now), Some(Duration::from_secs(1)));
        let mut at = now;
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let wait = throttle.wait(here, at).unwrap();
            assert_eq!(wait, Duration::from_secs(seconds));
            assert!(throttle.begin(here, BOB, guess(500), false, at).is_err());
            at += wait;
            assert_eq!(fail(&throttle, here, ANN, 2, at), 1, "{seconds}");
        }
        assert_eq!(throttle.wait(source("192.0.2.2"), at), None);
        // The owner, from elsewhere.
        let elsewhere = source("198.51.100.7");
        assert!(throttle.begin(elsewhere, ANN, guess(0), false, at).is_ok());
    }

    #[test]
    fn the_same_attempt_again_counts_once() {
        let throttle = Throttle::new();
        let (now, here) = (Instant::now(), source("::1"));
        for _ in 0..1000 {
            let attempt = throttle.begin(here, ANN, guess(1), false, now).unwrap();
            throttle.refused(attempt, now);
        }
        assert_eq!(throttle.wait(here, now), None);
    }

    #[test]
    fn a_success_forgives_what_was_mistyped_for_its_account_alone() {
        let throttle = Throttle::new();
        let (now, here) = (Instant::now(), source("::1"));
        fail(&throttle, here, ANN, 10, now);
        let attempt = throttle.begin(here, ANN, guess(99), false, now).unwrap();
        assert!(throttle.wait(here, now).is_some());
        // All that a page asks for with it meanwhile is the same attempt.
        assert!(throttle.begin(here, ANN, guess(99), false, now).is_ok());
        throttle.accepted(attempt);
        assert_eq!(throttle.wait(here, now), None);
        assert_eq!(fail(&throttle, here, ANN, 100, now), 11);

        // One's own success in between does not help with the account of another.
        let throttle = Throttle::new();
        for number in 0..11 {
            let own = throttle.begin(here, BOB, guess(1000), false, now).unwrap();
            throttle.accepted(own);
            let guess = throttle
                .begin(here, ANN, guess(number), false, now)
                .unwrap();
            throttle.refused(guess, now);
        }
        assert!(throttle.wait(here, now).is_some());
    }

    #[test]
    fn an_account_that_all_the_world_tries_makes_each_failure_dearer() {
        let throttle = Throttle::new();
        let now = Instant::now();
        for number in 0..HOT {
            let from = source(&format!("198.51.100.{number}"));
            assert_eq!(fail(&throttle, from, ANN, 1, now), 1);
        }
        let next = source("203.0.113.1");
        assert_eq!(fail(&throttle, next, ANN, 5, now), 1);
        assert!(throttle.wait(next, now).is_some());
        // The owner gets in at once, from wherever.
        let owner = source("203.0.113.2");
        let attempt = throttle.begin(owner, ANN, guess(7), false, now).unwrap();
        throttle.accepted(attempt);
        assert_eq!(throttle.wait(owner, now), None);
        assert_eq!(fail(&throttle, owner, BOB, 5, now), 5);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[test]
    fn however_many_come_the_tables_are_bounded() {
        let throttle = Throttle::new();
        let now = Instant::now();
        for number in 0..200_000_u32 {
            let from = Source::of(std::net::Ipv4Addr::from(number).into());
            let account = guess(number);
            let attempt = throttle.begin(from, account, guess(1), false, now).unwrap();
            throttle.refused(attempt, now);
        }
        assert!(throttle.addresses.lock().len() <= 2 * KNOWN);
        assert!(throttle.accounts.lock().len() <= 2 * KNOWN);
    }
}
