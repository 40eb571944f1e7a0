//! A session as it lies in a store.
//!
//! What is read may have been written by another version, or by anybody who can write to the store: whatever is not
//! exactly a record is none.

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use tessera_engine::SessionValue;

/// Begins every record; another layout gets another number.
const LAYOUT: u8 = 1;
/// Most keys of a session's storage.
pub(super) const KEYS_MAX: usize = 256;
/// Longest name of a user, in bytes.
pub(super) const USER_BYTES_MAX: usize = 256;
/// Most privileges that are given to a session; inherited ones do not count.
pub(super) const PRIVILEGES_MAX: usize = 64;

/// A session. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) created: u64,
    /// When its cookie was sent last.
    pub(super) renewed: u64,
    /// Minutes.
    pub(super) idle_timeout: u32,
    /// The highest version that a value ever had.
    pub(super) version: u64,
    pub(super) user_name: String,
    /// The client's home page, relative to the HTML root; empty for the default one.
    pub(super) home_page: String,
    /// Those that it was given.
    pub(super) privileges: Vec<String>,
    pub(super) storage: BTreeMap<String, SessionValue>,
}

impl Record {
    pub(super) fn encode(&self) -> Bytes {
        let values = self.storage.iter();
        let size: usize = values
            .map(|(key, stored)| key.len() + stored.value.len() + 16)
            .sum();
        let mut out = BytesMut::with_capacity(size + self.user_name.len() + 64);
        out.put_u8(LAYOUT);
        out.put_u64(self.created);
        out.put_u64(self.renewed);
        out.put_u32(self.idle_timeout);
        out.put_u64(self.version);
        put(&mut out, self.user_name.as_bytes());
        put(&mut out, self.home_page.as_bytes());
        put_count(&mut out, self.privileges.len());
        for privilege in &self.privileges {
            put(&mut out, privilege.as_bytes());
        }
        put_count(&mut out, self.storage.len());
        for (key, stored) in &self.storage {
            put(&mut out, key.as_bytes());
            out.put_u64(stored.version);
            put(&mut out, &stored.value);
        }
        out.freeze()
    }

    pub(super) fn decode(bytes: &Bytes) -> Option<Self> {
        let mut rest = Rest(bytes.clone());
        if rest.take(1)?.first() != Some(&LAYOUT) {
            return None;
        }
        let mut record = Self {
            created: rest.u64()?,
            renewed: rest.u64()?,
            idle_timeout: rest.u32()?,
            version: rest.u64()?,
            user_name: rest.text()?,
            home_page: rest.text()?,
            ..Self::default()
        };
        for _ in 0..rest.count(PRIVILEGES_MAX)? {
            record.privileges.push(rest.text()?);
        }
        for _ in 0..rest.count(KEYS_MAX)? {
            let key = rest.text()?;
            let version = rest.u64()?;
            let value = rest.bytes()?;
            record.storage.insert(key, SessionValue { value, version });
        }
        rest.0.is_empty().then_some(record)
    }
}

fn put(out: &mut BytesMut, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// A session is below a megabyte, and so is all in it.
fn put_count(out: &mut BytesMut, count: usize) {
    out.put_u32(u32::try_from(count).unwrap_or(u32::MAX));
}

/// What is not read yet.
struct Rest(Bytes);

impl Rest {
    fn take(&mut self, count: usize) -> Option<Bytes> {
        (count <= self.0.len()).then(|| self.0.split_to(count))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.as_ref().try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.as_ref().try_into().ok()?))
    }

    fn count(&mut self, max: usize) -> Option<usize> {
        let count = usize::try_from(self.u32()?).ok()?;
        (count <= max).then_some(count)
    }

    fn bytes(&mut self) -> Option<Bytes> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let value = |text: &'static str, version| SessionValue {
            value: Bytes::from_static(text.as_bytes()),
            version,
        };
        Record {
            created: 1,
            renewed: u64::MAX,
            idle_timeout: 60,
            version: 7,
            user_name: "Zo\u{eb}".to_owned(),
            home_page: "a/b c.html".to_owned(),
            privileges: vec!["a".to_owned(), "b c".to_owned()],
            storage: [
                ("".to_owned(), value("", 1)),
                ("cart".to_owned(), value("[1]", 7)),
            ]
            .into(),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for record in [record(), Record::default()] {
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
    }

    #[test]
    fn what_is_not_whole_is_no_record() {
        let whole = record().encode();
        for length in 0..whole.len() {
            assert_eq!(Record::decode(&whole.slice(..length)), None, "{length}");
        }
        let longer = [&whole[..], b"x"].concat();
        assert_eq!(Record::decode(&longer.into()), None);
    }

    /// Seeded mutations: none makes it panic, or take memory for what is not there.
    #[test]
    fn no_bytes_do_harm() {
        let whole = record().encode();
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed >> 33).unwrap()
        };
        for _ in 0..20_000 {
            let mut bytes = whole.to_vec();
            for _ in 0..=next() % 4 {
                let at = next() % bytes.len();
                bytes[at] = u8::try_from(next() % 256).unwrap();
            }
            if let Some(record) = Record::decode(&bytes.into()) {
                assert!(record.encode().len() <= whole.len());
            }
        }
    }
}
