//! The nonces of DIGEST: made without being kept, good for five minutes, and each count of one good once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::keyed::{Fingerprint, Key};

/// How long a nonce is good. Clients take the next one without asking anybody for the password again.
const LIFETIME: Duration = Duration::from_secs(300);
/// Nonces whose counts are known. Only who has shown a right password uses one up.
const KNOWN_MAX: usize = 16_384;
/// Counts that may still come behind a higher one: browsers send several requests at once, on several connections.
const WINDOW: u32 = 128;
/// Time, number and fingerprint.
const BYTES: usize = 32;

/// Milliseconds since the start, and a number that no other nonce has.
type Name = (u64, u64);

/// Makes nonces, and tells which may be used.
#[derive(Debug)]
pub(super) struct Nonces {
    key: Key,
    began: Instant,
    next: AtomicU64,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    counts: BTreeMap<Name, Counts>,
    /// Nonces up to this one are not good any more: their counts were forgotten.
    floor: Option<Name>,
}

/// Which counts of a nonce were used.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    highest: u32,
    /// The highest one is bit 0, the one below it bit 1.
    seen: u128,
}

impl Counts {
    /// Takes a count; false if it was used, or is so far behind that nobody knows any more.
    fn take(&mut self, count: u32) -> bool {
        if count > self.highest {
            let ahead = count - self.highest;
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        if behind >= WINDOW {
            return false;
        }
        let bit = 1_u128 << behind;
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }
}

impl Nonces {
    pub(super) fn new(key: Key) -> Self {
        Self {
            key,
            began: Instant::now(),
            next: AtomicU64::new(0),
            used: Mutex::default(),
        }
    }

    /// A new nonce.
    pub(super) fn make(&self) -> String {
        self.make_at(Instant::now())
    }

    fn make_at(&self, now: Instant) -> String {
        let name = (self.time(now), self.next.fetch_add(1, Ordering::Relaxed));
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(name.0.to_be_bytes());
        bytes.extend(name.1.to_be_bytes());
        bytes.extend(self.fingerprint(name));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Uses a count of a nonce, with which a right response was made. False if it is not ours, too old, or was used.
    pub(super) fn take(&self, nonce: &str, count: u32) -> bool {
        self.take_at(nonce, count, Instant::now())
    }

    fn take_at(&self, nonce: &str, count: u32, now: Instant) -> bool {
        let Some(name) = self.name(nonce) else {
            return false;
        };
        let now = self.time(now);
        let lifetime = u64::try_from(LIFETIME.as_millis()).unwrap_or(u64::MAX);
        if now.saturating_sub(name.0) > lifetime {
            return false;
        }
        let mut used = self.used.lock();
        // What is too old is refused for that, so nothing need be known of it.
        while let Some(oldest) = used.counts.first_entry() {
            if now.saturating_sub(oldest.key().0) <= lifetime {
                break;
            }
            oldest.remove();
        }
        if used.floor.is_some_and(|floor| name <= floor) {
            return false;
        }
        let is_new = used.counts.entry(name).or_default().take(count);
        if used.counts.len() > KNOWN_MAX
            && let Some((oldest, _)) = used.counts.pop_first()
        {
            // Who is forgotten must not be able to come again.
            used.floor = Some(oldest);
            return is_new && oldest != name;
        }
        is_new
    }

    /// What a nonce of ours is named.
    fn name(&self, nonce: &str) -> Option<Name> {
        let mut bytes = [0; BYTES + 1];
        let length = URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes).ok()?;
        if length != BYTES {
            return None;
        }
        let (time, rest) = bytes.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (fingerprint, _) = rest.split_first_chunk::<16>()?;
        let name = (u64::from_be_bytes(*time), u64::from_be_bytes(*number));
        let is_ours: bool = self.fingerprint(name).ct_eq(fingerprint).into();
        is_ours.then_some(name)
    }

    fn fingerprint(&self, (time, number): Name) -> Fingerprint {
        let parts = [&time.to_be_bytes()[..], &number.to_be_bytes()];
        self.key.of(&parts)
    }

    fn time(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.began).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Nonces {
        Nonces::new(Key::new().unwrap())
    }

    #[test]
    fn each_count_is_good_once() {
        let nonces = fresh();
        let (one, other) = (nonces.make(), nonces.make());
        assert_ne!(one, other);
        assert!(nonces.take(&one, 1));
        assert!(!nonces.take(&one, 1));
        // Requests that were sent side by side come in any order.
        for (count, expected) in [
            (3, true),
            (2, true),
            (2, false),
            (3, false),
            (200, true),
            (73, true),
            (72, false),
            (73, false),
            (199, true),
            (200, false),
            (u32::MAX, true),
            (u32::MAX, false),
            (200, false),
        ] {
            assert_eq!(nonces.take(&one, count), expected, "{count}");
        }
        assert!(nonces.take(&other, 1));
    }

    #[test]
    fn a_nonce_is_good_for_its_time_here_and_unchanged() {
        let nonces = fresh();
        let now = Instant::now();
        let nonce = nonces.make_at(now);
        assert!(nonces.take_at(&nonce, 1, now + LIFETIME));
        let later = now + LIFETIME + Duration::from_secs(1);
        assert!(!nonces.take_at(&nonce, 2, later));
        // Nothing is kept of it either.
        let next = nonces.make_at(later);
        assert!(nonces.take_at(&next, 1, later));
        assert_eq!(nonces.used.lock().counts.len(), 1);
        assert!(!fresh().take(&nonces.make(), 1));
        let nonce = nonces.make();
        for index in 0..nonce.len() {
            let mut bytes = nonce.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(!nonces.take(&changed, 1), "{changed}");
        }
        for wrong in ["", "AAAA", &nonce[1..], &format!("{nonce}AAAA"), "\u{e4}"] {
            assert!(!nonces.take(wrong, 1), "{wrong:?}");
        }
        assert!(nonces.take(&nonce, 1));
    }

    #[test]
    fn who_is_forgotten_cannot_come_again() {
        let nonces = fresh();
        let all: Vec<_> = (0..KNOWN_MAX + 10).map(|_| nonces.make()).collect();
        for nonce in &all {
            assert!(nonces.take(nonce, 1));
        }
        assert_eq!(nonces.used.lock().counts.len(), KNOWN_MAX);
        for nonce in &all {
            assert!(!nonces.take(nonce, 1), "a replay");
        }
        assert!(nonces.take(all.last().unwrap(), 2));
        assert!(!nonces.take(&all[0], 2));
    }
}
