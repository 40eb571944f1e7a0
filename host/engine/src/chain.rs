//! Components that call each other inside of the host: how deep they are, and how often they have on behalf of one client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Most components that may call each other in a row: what is deeper is taken for a loop.
const DEPTH_MAX: u32 = 8;
/// Most calls that may come of one request of a client, on all ways together: each of several components may call several.
const CALLS_MAX: u32 = 256;

/// The components that have called each other to get to a request; none for that of a client.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    depth: u32,
    /// How many calls have come of the client's request. Made with the first: most requests come to none.
    calls: Option<Arc<AtomicU32>>,
}

/// Why a chain does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// As many components have called each other in a row as may.
    TooDeep,
    /// As many calls have come of the client's request as may.
    TooMany,
}

impl Chain {
    /// How many components have called each other in a row; 0 for the request of a client.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Has all copies of it count together.
    #[cfg(feature = "p3")]
    pub(crate) fn share(&mut self) {
        self.calls.get_or_insert_default();
    }

    /// The chain of a call that is made in this one.
    ///
    /// # Errors
    ///
    /// Where it would be too long, or one of too many.
    pub fn call(&mut self) -> Result<Self, Broken> {
        if self.depth >= DEPTH_MAX {
            return Err(Broken::TooDeep);
        }
        let calls = self.calls.get_or_insert_default();
        if calls.fetch_add(1, Ordering::Relaxed) >= CALLS_MAX {
            // So that it never begins anew.
            calls.store(CALLS_MAX, Ordering::Relaxed);
            return Err(Broken::TooMany);
        }
        Ok(Self {
            depth: self.depth + 1,
            calls: Some(calls.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_bounded_in_depth_and_in_all() {
        let mut chain = Chain::default();
        for depth in 1..=DEPTH_MAX {
            chain = chain.call().unwrap();
            assert_eq!(chain.depth(), depth);
        }
        assert_eq!(chain.call().unwrap_err(), Broken::TooDeep);

        let mut client = Chain::default();
        let mut called = client.call().unwrap();
        for _ in 0..(CALLS_MAX - 1) / 2 {
            client.call().unwrap();
            called.call().unwrap();
        }
        client.call().unwrap();
        for _ in 0..3 {
            assert_eq!(called.call().unwrap_err(), Broken::TooMany);
            assert_eq!(client.call().unwrap_err(), Broken::TooMany);
        }
    }
}
