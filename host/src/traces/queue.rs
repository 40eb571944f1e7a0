//! Spans on their way out: a bounded queue that nobody waits for, the numbers that name spans, and what has been counted.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::span::Span;

/// The golden ratio, by which splitmix64 goes on.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where spans go that have ended.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Span>,
    seed: u64,
    drawn: AtomicU64,
    counts: Counts,
}

/// What became of spans since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// The collector has them.
    exported: AtomicU64,
    /// There was no room in the queue.
    crowded_out: AtomicU64,
    /// The collector did not take them.
    refused: AtomicU64,
}

impl Queue {
    /// One for so many spans, and its end.
    pub(super) fn new(length: usize, seed: u64) -> (Self, mpsc::Receiver<Span>) {
        let (sender, receiver) = mpsc::channel(length);
        let queue = Self {
            sender,
            seed,
            drawn: AtomicU64::new(0),
            counts: Counts::default(),
        };
        (queue, receiver)
    }

    /// Takes a span, if there is room for it.
    pub(super) fn take(&self, span: Span) {
        if self.sender.try_send(span).is_err() {
            self.counts.crowded_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A number that looks like none of the others (splitmix64): for names and for chances, not for secrets.
    pub(super) fn draw(&self) -> u64 {
        let drawn = self.drawn.fetch_add(STEP, Ordering::Relaxed);
        let mut number = self.seed.wrapping_add(drawn);
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// The name of a new span; 0 is none.
    pub(super) fn new_id(&self) -> u64 {
        self.draw().max(1)
    }

    /// The name of a new trace.
    pub(super) fn new_trace(&self) -> u128 {
        u128::from(self.new_id()) << 64 | u128::from(self.draw())
    }

    /// What became of all.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Counts {
    pub(super) fn note_exported(&self, spans: u64) {
        self.exported.fetch_add(spans, Ordering::Relaxed);
    }

    pub(super) fn note_refused(&self, spans: u64) {
        self.refused.fetch_add(spans, Ordering::Relaxed);
    }

    /// Spans that the collector has.
    pub(crate) fn exported(&self) -> u64 {
        self.exported.load(Ordering::Relaxed)
    }

    /// Spans that are lost, by why.
    pub(crate) fn lost(&self) -> [(&'static str, u64); 2] {
        [
            ("queue", self.crowded_out.load(Ordering::Relaxed)),
            ("collector", self.refused.load(Ordering::Relaxed)),
        ]
    }
}
