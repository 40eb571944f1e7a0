//! Operators who have logged in to the page: their sessions, with the privilege `WebAdmin`.
//!
//! A session has two halves. The cookie is what the browser sends by itself, to every port of its host name; the proof
//! is known to the page alone, whose storage is that of its own port. Only both together open anything, so that neither
//! a request that another page has a browser send, nor a server at another port that is sent the cookie, is let in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Sessions at once; the one that was used longest ago gives way to the next.
const VISITS_MAX: usize = 32;
/// A session ends after this time without a request. A page that is open counts as one.
pub(in crate::admin) const IDLE: Duration = Duration::from_secs(60 * 60);
/// A session ends after this time, whatever it does.
pub(in crate::admin) const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// Random bytes of either half: well above the 128 bits that nobody guesses.
const TOKEN_BYTES: usize = 24;

/// What is kept of a half: who reads the memory of the process has no session by that.
type Hash = [u8; 32];

/// The sessions of the page.
#[derive(Debug, Default)]
pub(in crate::admin) struct Visits(Mutex<HashMap<Hash, Visit>>);

#[derive(Debug)]
struct Visit {
    proof: Hash,
    begun: Instant,
    used: Instant,
}

/// One session, to ask later whether it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) struct Visitor(Hash);

/// Both halves of a session that has just begun.
pub(super) struct Halves {
    pub(super) cookie: String,
    pub(super) proof: String,
}

/// What a cookie and a proof are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Known {
    /// They are the halves of a session.
    Visitor(Visitor),
    /// There is such a session, but the proof is not its own.
    Unproven,
    /// There is no such session, or it is over.
    Nobody,
}

impl Visits {
    /// Begins a session; none if the system gives no random numbers.
    pub(super) fn open(&self, now: Instant) -> Option<Halves> {
        let halves = Halves {
            cookie: token()?,
            proof: token()?,
        };
        let mut all = self.0.lock();
        all.retain(|_, visit| visit.is_on(now));
        if all.len() >= VISITS_MAX {
            let oldest = all.iter().min_by_key(|(_, visit)| visit.used);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                all.remove(&oldest);
            }
        }
        let visit = Visit {
            proof: hash(&halves.proof),
            begun: now,
            used: now,
        };
        all.insert(hash(&halves.cookie), visit);
        Some(halves)
    }

    /// Looks at both halves. Whoever has them has used the session by that.
    pub(in crate::admin) fn find(&self, cookie: &str, proof: Option<&str>, now: Instant) -> Known {
        let key = hash(cookie);
        let mut all = self.0.lock();
        let Some(visit) = all.get_mut(&key).filter(|visit| visit.is_on(now)) else {
            return Known::Nobody;
        };
        let is_proven = proof.is_some_and(|proof| visit.proof.ct_eq(&hash(proof)).into());
        if !is_proven {
            return Known::Unproven;
        }
        visit.used = now;
        Known::Visitor(Visitor(key))
    }

    /// Whether a session is still on. It has been used by that.
    pub(in crate::admin) fn goes_on(&self, visitor: Visitor, now: Instant) -> bool {
        let mut all = self.0.lock();
        match all.get_mut(&visitor.0).filter(|visit| visit.is_on(now)) {
            Some(visit) => {
                visit.used = now;
                true
            }
            None => false,
        }
    }

    /// Ends a session.
    pub(super) fn end(&self, visitor: Visitor) {
        self.0.lock().remove(&visitor.0);
    }
}

impl Visit {
    fn is_on(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) < IDLE
            && now.saturating_duration_since(self.begun) < LONGEST
    }
}

fn token() -> Option<String> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(visits: &Visits, halves: &Halves, now: Instant) -> Known {
        visits.find(&halves.cookie, Some(&halves.proof), now)
    }

    #[test]
    fn only_both_halves_of_one_session_open_it() {
        let (visits, now) = (Visits::default(), Instant::now());
        let (one, other) = (visits.open(now).unwrap(), visits.open(now).unwrap());
        assert!(matches!(find(&visits, &one, now), Known::Visitor(_)));
        assert_eq!(visits.find(&one.cookie, None, now), Known::Unproven);
        let crossed = visits.find(&one.cookie, Some(&other.proof), now);
        assert_eq!(crossed, Known::Unproven);
        let swapped = visits.find(&one.proof, Some(&one.cookie), now);
        assert_eq!(swapped, Known::Nobody);
        assert_eq!(visits.find("", Some(""), now), Known::Nobody);
        assert!(one.cookie.len() * 6 >= 128 && one.cookie != other.cookie);
    }

    #[test]
    fn a_session_ends_by_itself_and_by_hand() {
        let (visits, begun) = (Visits::default(), Instant::now());
        let halves = visits.open(begun).unwrap();
        assert_eq!(find(&visits, &halves, begun + IDLE), Known::Nobody);
        // Used all the time, it ends nevertheless.
        let halves = visits.open(begun).unwrap();
        let mut now = begun;
        while now + IDLE / 2 < begun + LONGEST {
            now += IDLE / 2;
            assert_ne!(find(&visits, &halves, now), Known::Nobody);
        }
        assert_eq!(find(&visits, &halves, begun + LONGEST), Known::Nobody);

        let halves = visits.open(begun).unwrap();
        let Known::Visitor(visitor) = find(&visits, &halves, begun) else {
            panic!("it is open");
        };
        assert!(visits.goes_on(visitor, begun));
        visits.end(visitor);
        assert!(!visits.goes_on(visitor, begun));
        assert_eq!(find(&visits, &halves, begun), Known::Nobody);
    }

    #[test]
    fn the_one_used_longest_ago_gives_way() {
        let (visits, begun) = (Visits::default(), Instant::now());
        let first = visits.open(begun).unwrap();
        let second = visits.open(begun).unwrap();
        let later = begun + Duration::from_secs(1);
        assert_ne!(find(&visits, &first, later), Known::Nobody);
        for _ in 1..VISITS_MAX {
            visits.open(later).unwrap();
        }
        assert_eq!(find(&visits, &second, later), Known::Nobody);
        assert_ne!(find(&visits, &first, later), Known::Nobody);
        assert_eq!(visits.0.lock().len(), VISITS_MAX);
    }
}
