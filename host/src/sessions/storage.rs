//! Writes to the storage of a session.

use bytes::Bytes;
use tessera_engine::{SessionError, SessionExpected, SessionValue};

use super::record::{KEYS_MAX, Record};

/// Writes a value if what is there is as expected, and gives its version.
pub(super) fn set(
    record: &mut Record,
    key: &str,
    value: &Bytes,
    expected: SessionExpected,
) -> Result<u64, SessionError> {
    check(record, key, expected)?;
    if record.storage.len() >= KEYS_MAX && !record.storage.contains_key(key) {
        return Err(SessionError::TooLarge);
    }
    // One count for all keys: a key that was removed and written again never has a version that it had before.
    record.version += 1;
    let stored = SessionValue {
        value: value.clone(),
        version: record.version,
    };
    record.storage.insert(key.to_owned(), stored);
    Ok(record.version)
}

/// Removes a value if what is there is as expected.
pub(super) fn remove(
    record: &mut Record,
    key: &str,
    expected: SessionExpected,
) -> Result<(), SessionError> {
    check(record, key, expected)?;
    record.storage.remove(key);
    Ok(())
}

fn check(record: &Record, key: &str, expected: SessionExpected) -> Result<(), SessionError> {
    let there = record.storage.get(key);
    let is_as_expected = match expected {
        SessionExpected::Any => true,
        SessionExpected::Absent => there.is_none(),
        SessionExpected::Version(version) => there.is_some_and(|it| it.version == version),
    };
    match is_as_expected {
        true => Ok(()),
        false => Err(SessionError::Conflict(there.cloned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_happens_only_over_what_it_expects() {
        use SessionExpected::{Absent, Any, Version};
        let mut record = Record::default();
        let value = Bytes::from_static(b"1");
        let there = |version| {
            Some(SessionValue {
                value: value.clone(),
                version,
            })
        };
        for (expected, result) in [
            (Version(1), Err(SessionError::Conflict(None))),
            (Absent, Ok(1)),
            (Absent, Err(SessionError::Conflict(there(1)))),
            (Version(2), Err(SessionError::Conflict(there(1)))),
            (Version(1), Ok(2)),
            (Any, Ok(3)),
        ] {
            assert_eq!(
                set(&mut record, "a", &value, expected),
                result,
                "{expected:?}"
            );
        }
        assert_eq!(
            remove(&mut record, "a", Version(1)),
            Err(SessionError::Conflict(there(3)))
        );
        assert_eq!(remove(&mut record, "b", Any), Ok(()));
        assert_eq!(remove(&mut record, "a", Version(3)), Ok(()));
        assert_eq!(
            set(&mut record, "a", &value, Absent),
            Ok(4),
            "never a version again"
        );
    }

    #[test]
    fn a_session_has_a_most_of_keys() {
        let mut record = Record::default();
        let value = Bytes::new();
        for number in 0..KEYS_MAX {
            set(
                &mut record,
                &number.to_string(),
                &value,
                SessionExpected::Any,
            )
            .unwrap();
        }
        let one_more = set(&mut record, "more", &value, SessionExpected::Any);
        assert_eq!(one_more, Err(SessionError::TooLarge));
        set(&mut record, "0", &value, SessionExpected::Any).unwrap();
    }
}
