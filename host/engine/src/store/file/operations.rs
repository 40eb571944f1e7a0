//! What changes the entries of a bucket, the same whether the disk has each change at once or in a group.

use std::time::Duration;

use bytes::Bytes;

use super::super::{Change, add};
use super::tables::{Abort, Attempt, Entry, until};

/// The entries of one bucket while they are changed.
pub(super) trait Entries {
    /// The moment of the change, in milliseconds since 1970.
    fn now(&self) -> u64;
    /// The entry of a key that has not expired.
    fn get(&self, key: &str) -> Attempt<Option<Entry>>;
    /// Puts an entry in place, or takes it away.
    fn put(&mut self, key: String, entry: Option<Entry>) -> Attempt<()>;
}

/// Makes all changes.
pub(super) fn write(
    entries: &mut impl Entries,
    changes: Vec<Change>,
    lifetime: Option<Duration>,
) -> Attempt<()> {
    let until = until(lifetime, entries.now());
    for (key, value) in changes {
        entries.put(key, value.map(|value| (until, value)))?;
    }
    Ok(())
}

/// Makes a change if the value is the one that is expected, and says whether it was.
pub(super) fn swap(
    entries: &mut impl Entries,
    expected: Option<&Bytes>,
    (key, value): Change,
    lifetime: Option<Duration>,
) -> Attempt<bool> {
    let found = entries.get(&key)?;
    if found.as_ref().map(|(_, value)| value) != expected {
        return Ok(false);
    }
    write(entries, vec![(key, value)], lifetime)?;
    Ok(true)
}

/// Adds to a number, whose end stays as it is, and gives the sum.
pub(super) fn increment(entries: &mut impl Entries, key: String, delta: i64) -> Attempt<i64> {
    let old = entries.get(&key)?;
    let sum = add(old.as_ref().map(|(_, value)| &**value), delta).map_err(Abort::Refused)?;
    let until = old.map_or(0, |(until, _)| until);
    entries.put(key, Some((until, sum.to_string().into())))?;
    Ok(sum)
}
