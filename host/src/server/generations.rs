//! The generations of a component, those that were refused included: a short history, for whoever asks what runs.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use tessera_engine::{ComponentInfo, Generation, Tally, permissions_asked};

use crate::settings::ComponentSettings;

/// Generations that are remembered; older ones are forgotten.
pub(crate) const KEPT: usize = 20;

/// The last generations of a component, the newest last.
#[derive(Default)]
pub(crate) struct History {
    records: VecDeque<Record>,
    /// The one that comes back if its successor fails its trial.
    reserve: Weak<Generation>,
}

/// What a module is, whatever becomes of it.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// SHA-256 in hexadecimal.
    pub(super) digest: String,
    pub(super) bytes: u64,
    /// Its exports and imports; none if it does not compile.
    pub(super) info: Option<ComponentInfo>,
    /// The settings that grant something, by name.
    pub(super) granted: Map<String, Value>,
    /// From reading the module until it served or was refused.
    pub(super) took: Duration,
}

/// One generation.
struct Record {
    draft: Draft,
    at: SystemTime,
    /// Number and counts; a refused one has none.
    served: Option<Served>,
    /// Why it was refused, or taken back.
    error: Option<String>,
}

struct Served {
    number: u64,
    tally: Arc<Tally>,
    generation: Weak<Generation>,
}

impl Draft {
    /// A module that is not read yet.
    pub(super) fn of_settings(settings: &ComponentSettings) -> Self {
        Self {
            digest: String::new(),
            bytes: 0,
            info: None,
            granted: settings.granted(),
            took: Duration::ZERO,
        }
    }
}

impl History {
    /// Adds one that serves from now on.
    pub(super) fn add(&mut self, draft: Draft, number: u64, generation: &Arc<Generation>) {
        let served = Served {
            number,
            tally: generation.tally().clone(),
            generation: Arc::downgrade(generation),
        };
        self.push(draft, Some(served), None);
    }

    /// Adds one that was refused. The same one refused again for the same reason takes the place of the first time.
    pub(super) fn refuse(&mut self, draft: Draft, error: String) {
        let is_same = |last: &Record| {
            last.served.is_none()
                && last.draft.digest == draft.digest
                && last.error.as_ref() == Some(&error)
        };
        if self.records.back().is_some_and(is_same) {
            self.records.pop_back();
        }
        self.push(draft, None, Some(error));
    }

    /// Notes that one which served was taken back.
    pub(super) fn take_back(&mut self, generation: &Arc<Generation>, error: &str) {
        if let Some(record) = self.record_of(generation) {
            record.error = Some(error.to_owned());
        }
    }

    /// Notes which one waits for its successor to fail.
    pub(super) fn set_reserve(&mut self, reserve: Weak<Generation>) {
        self.reserve = reserve;
    }

    /// The number of a generation, if it is still remembered.
    pub(super) fn number_of(&mut self, generation: &Arc<Generation>) -> Option<u64> {
        let record = self.record_of(generation)?;
        record.served.as_ref().map(|served| served.number)
    }

    fn record_of(&mut self, generation: &Arc<Generation>) -> Option<&mut Record> {
        let is_it = |record: &&mut Record| record.is_of(&Arc::downgrade(generation));
        self.records.iter_mut().find(is_it)
    }

    fn push(&mut self, draft: Draft, served: Option<Served>, error: Option<String>) {
        if self.records.len() >= KEPT {
            self.records.pop_front();
        }
        self.records.push_back(Record {
            draft,
            at: SystemTime::now(),
            served,
            error,
        });
    }

    /// At most `max` of them as JSON, the newest first. `current` is the one that serves, if the server runs.
    pub(super) fn document(&self, current: Option<&Arc<Generation>>, max: usize) -> Value {
        let current = current.map(Arc::downgrade);
        let newest = self.records.iter().rev().find_map(|record| {
            let served = record.served.as_ref()?;
            Some(served.number)
        });
        let records = self.records.iter().rev().take(max);
        let state = |record: &Record| self.state(record, current.as_ref(), newest);
        records
            .map(|record| record.document(state(record)))
            .collect()
    }

    fn state(
        &self,
        record: &Record,
        current: Option<&Weak<Generation>>,
        newest: Option<u64>,
    ) -> &'static str {
        let Some(served) = &record.served else {
            return "refused";
        };
        if current.is_some_and(|current| record.is_of(current)) {
            return "serving";
        }
        if record.error.is_some() {
            return "rolled-back";
        }
        if record.is_of(&self.reserve) {
            return "reserve";
        }
        // A handle of ours is none: what is alive has requests.
        if served.generation.strong_count() > 0 {
            return "draining";
        }
        if current.is_none() && newest == Some(served.number) {
            "stopped"
        } else {
            "replaced"
        }
    }
}

impl Record {
    fn is_of(&self, generation: &Weak<Generation>) -> bool {
        let served = self.served.as_ref();
        served.is_some_and(|served| Weak::ptr_eq(&served.generation, generation))
    }

    fn document(&self, state: &str) -> Value {
        let info = self.draft.info.as_ref();
        let tally = self.served.as_ref().map(|served| &served.tally);
        json!({
            "number": self.served.as_ref().map(|served| served.number),
            "state": state,
            "error": self.error,
            "digest": self.draft.digest,
            "size": self.draft.bytes,
            "exports": info.map(|info| &info.exports),
            "imports": info.map(|info| &info.imports),
            "permissions": {
                "asked": info.map(|info| permissions_asked(&info.imports)),
                "granted": self.draft.granted,
            },
            "loadedAt": httpdate::fmt_http_date(self.at),
            "loadTime": milliseconds(self.draft.took),
            "fromCache": info.map(|info| info.from_cache),
            "requests": tally.map_or(0, |tally| tally.requests()),
            "traps": tally.map_or(0, |tally| tally.traps()),
        })
    }
}

/// Seconds, to the tenth of a millisecond: more would pretend.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(digest: &str) -> Draft {
        Draft {
            digest: digest.to_owned(),
            bytes: 1,
            info: None,
            granted: Map::new(),
            took: Duration::from_micros(1_234),
        }
    }

    #[test]
    fn the_same_refusal_is_told_once_and_the_history_is_short() {
        let mut history = History::default();
        for _ in 0..3 {
            history.refuse(draft("a"), "broken".into());
        }
        history.refuse(draft("a"), "otherwise broken".into());
        let all = history.document(None, KEPT);
        assert_eq!(all.as_array().unwrap().len(), 2);
        assert_eq!(all[0]["error"], "otherwise broken");
        assert_eq!(all[0]["state"], "refused");
        assert_eq!(all[0]["number"], Value::Null);
        assert_eq!(all[0]["loadTime"], 0.0012);
        for number in 0..100 {
            history.refuse(draft(&number.to_string()), "broken".into());
        }
        let all = history.document(None, KEPT);
        assert_eq!(all.as_array().unwrap().len(), KEPT);
        assert_eq!(all[0]["digest"], "99");
    }
}
