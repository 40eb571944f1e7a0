//! Key-value stores: what they all can do, and the buckets that are kept in them.
//!
//! A [`Store`] holds many buckets. What uses one holds a [`Bucket`], which knows its name and keeps to the limits: no
//! store sees a key or value that is too large. Values may expire, and a swap happens only if the value is still the
//! one that was read, so that what several writers keep in common is never lost between them.

mod file;
mod memory;
mod redis;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use self::redis::RedisStore;
pub use file::{FileStore, GroupedStore};
pub use memory::MemoryStore;

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;
/// Largest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;
/// Most keys of one call.
pub const BATCH_MAX: usize = 1_000;
/// Most bytes of the values of one call together.
pub const BATCH_BYTES_MAX: usize = 8 << 20;
/// What an entry is charged with beside its key and value, so that empty ones are bounded as well.
const ENTRY_BYTES: u64 = 96;

/// What takes its time.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A bucket's name in its store, and how much it may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// Unique in the store; any text.
    pub name: Arc<str>,
    /// Most bytes of keys and values. Redis has limits of its own instead.
    pub bytes_max: u64,
}

/// A change of one key: a new value, or none to delete it.
pub type Change = (String, Option<Bytes>);

/// Some keys of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys, in no order that a caller may rely on.
    pub keys: Vec<String>,
    /// Where the next page begins; none when there is no further one.
    pub next: Option<String>,
}

/// Why a store did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A key is too long.
    #[error("a key has {0} bytes: at most {KEY_BYTES_MAX}")]
    KeyTooLong(usize),
    /// A value is too large.
    #[error("a value has {0} bytes: at most {VALUE_BYTES_MAX}")]
    ValueTooLarge(usize),
    /// Too much is asked for at once.
    #[error("too much at once: at most {BATCH_MAX} keys, and {BATCH_BYTES_MAX} bytes of values")]
    BatchTooLarge,
    /// The bucket is full.
    #[error("the bucket is full: it may hold {0} bytes")]
    Full(u64),
    /// The value is not a whole number, or would not be one any more.
    #[error("the value is not a whole number of 64 bits in decimal digits, or does not stay one")]
    NotANumber,
    /// The cursor is none of this bucket's.
    #[error("the cursor is not one that list-keys returned")]
    BadCursor,
    /// The store cannot be reached or fails; the log says why.
    #[error("the store is not available")]
    Unavailable,
}

/// A place where buckets are kept. All its operations happen wholly or not at all.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Reads the values of keys, in their order.
    fn read<'a>(&'a self, space: &'a Space, keys: Vec<String>) -> Waiting<'a, Vec<Option<Bytes>>>;

    /// Makes all changes, or none. Values that are set live for `lifetime`; without one until they are changed.
    fn write<'a>(
        &'a self,
        space: &'a Space,
        changes: Vec<Change>,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, ()>;

    /// Makes a change if the value is `expected`, none meaning that there is no such key. Says whether it did.
    fn swap<'a>(
        &'a self,
        space: &'a Space,
        expected: Option<Bytes>,
        change: Change,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, bool>;

    /// Adds to a number that is kept as decimal digits; a key that is not there counts as 0. Its lifetime stays.
    fn increment<'a>(&'a self, space: &'a Space, key: String, delta: i64) -> Waiting<'a, i64>;

    /// Lists keys, about `max` at a time, beginning where the page before said.
    fn keys<'a>(
        &'a self,
        space: &'a Space,
        from: Option<String>,
        max: usize,
    ) -> Waiting<'a, KeyPage>;

    /// Gives back the room of at most `max` values that have expired, those first that did so first, and says how many
    /// there were. Looks at no others.
    fn sweep(&self, max: usize) -> Waiting<'_, usize>;
}

/// A bucket in a store.
#[derive(Clone, Debug)]
pub struct Bucket {
    store: Arc<dyn Store>,
    space: Space,
}

impl Bucket {
    /// The bucket of a space.
    pub fn new(store: Arc<dyn Store>, space: Space) -> Self {
        Self { store, space }
    }

    /// Reads the values of keys, in their order.
    pub async fn read(&self, keys: Vec<String>) -> Result<Vec<Option<Bytes>>, StoreError> {
        if keys.len() > BATCH_MAX {
            return Err(StoreError::BatchTooLarge);
        }
        keys.iter().try_for_each(|key| check_key(key))?;
        let values = self.store.read(&self.space, keys).await?;
        let bytes: usize = values.iter().flatten().map(Bytes::len).sum();
        if bytes > BATCH_BYTES_MAX {
            return Err(StoreError::BatchTooLarge);
        }
        Ok(values)
    }

    /// Reads a value.
    pub async fn get(&self, key: String) -> Result<Option<Bytes>, StoreError> {
        Ok(self.read(vec![key]).await?.pop().flatten())
    }

    /// Makes all changes, or none.
    pub async fn write(
        &self,
        changes: Vec<Change>,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        let bytes: usize = changes
            .iter()
            .filter_map(|(_, value)| value.as_ref())
            .map(Bytes::len)
            .sum();
        if changes.len() > BATCH_MAX || bytes > BATCH_BYTES_MAX {
            return Err(StoreError::BatchTooLarge);
        }
        changes.iter().try_for_each(check_change)?;
        self.store.write(&self.space, changes, lifetime).await
    }

    /// Makes a change if the value is `expected`, and says whether it did.
    pub async fn swap(
        &self,
        expected: Option<Bytes>,
        change: Change,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        check_change(&change)?;
        self.store
            .swap(&self.space, expected, change, lifetime)
            .await
    }

    /// Adds to a number.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, StoreError> {
        check_key(&key)?;
        self.store.increment(&self.space, key, delta).await
    }

    /// Lists keys, a page at a time.
    pub async fn keys(&self, from: Option<String>) -> Result<KeyPage, StoreError> {
        self.store.keys(&self.space, from, BATCH_MAX).await
    }
}

fn check_key(key: &str) -> Result<(), StoreError> {
    if key.len() > KEY_BYTES_MAX {
        return Err(StoreError::KeyTooLong(key.len()));
    }
    Ok(())
}

fn check_change((key, value): &Change) -> Result<(), StoreError> {
    check_key(key)?;
    match value {
        Some(value) if value.len() > VALUE_BYTES_MAX => Err(StoreError::ValueTooLarge(value.len())),
        _ => Ok(()),
    }
}

/// What an entry takes of its bucket.
fn charge(key: &str, value: &[u8]) -> u64 {
    key.len() as u64 + value.len() as u64 + ENTRY_BYTES
}

/// The sum of a number that is kept as decimal digits, none counting as 0, and `delta`.
fn add(value: Option<&[u8]>, delta: i64) -> Result<i64, StoreError> {
    let number = match value {
        None => 0,
        Some(digits) => std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse::<i64>().ok())
            .ok_or(StoreError::NotANumber)?,
    };
    number.checked_add(delta).ok_or(StoreError::NotANumber)
}
