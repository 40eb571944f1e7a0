//! What each frame costs, and what useful work earns: clients as they are stay far below it.
//!
//! - Browsers send a few PRIORITY or PRIORITY_UPDATE frames and at most one WINDOW_UPDATE with a request, and take back
//!   requests by the dozen. [`REQUEST`] pays for that.
//! - Downloads are answered with WINDOW_UPDATE for stream and connection, by some clients every few KiB, and with PING by
//!   those that measure the line. [`SENT`] and what the bytes earn pay for that.
//! - PING and PRIORITY of connections at rest are paid for by time.

use super::budget::Budget;
use super::follow::{
    CONTINUATION, DATA, Frame, GOAWAY, HEADERS, PING, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS,
    WINDOW_UPDATE,
};

/// Earned by a new request.
const REQUEST: u32 = 10;
/// Earned by DATA that was sent: the smallest frame lets a client update two windows and measure once.
const SENT: u32 = 4;
/// So many bytes of DATA earn one more: updates every quarter of a KiB, of two windows, as clients with little memory send.
const SENT_BYTES: usize = 128;
/// Earned by DATA of at least [`RECEIVED_BYTES`].
const RECEIVED: u32 = 1;
/// What h2 calls a small frame, and bounds by itself.
const RECEIVED_BYTES: usize = 256;
/// Of a request that ends with RST_STREAM, by the client or for its faults: a little more than it earned.
const RESET: u32 = 12;
/// Of SETTINGS: it may change every stream's window, and is acknowledged. Clients send it once, or a few times.
const CHANGE: u32 = 10;
/// So many bytes of SETTINGS cost one more.
const CHANGE_BYTES: usize = 48;
/// So many bytes of a frame that means nothing cost one more.
const UNKNOWN_BYTES: usize = 1024;

/// Codes of RST_STREAM that a server sends for a client's fault: PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED,
/// REFUSED_STREAM.
const FAULTS: [u32; 4] = [1, 3, 5, 7];

/// Which kind of frames there were too many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Ping,
    Settings,
    WindowUpdate,
    Priority,
    Reset,
    Fault,
    Unknown,
}

impl Cause {
    /// For the log, and for the client: GOAWAY may carry a word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ping => "too_many_pings",
            Self::Settings => "too_many_settings",
            Self::WindowUpdate => "too_many_window_updates",
            Self::Priority => "too_many_priorities",
            Self::Reset => "too_many_resets",
            Self::Fault => "too_many_faults",
            Self::Unknown => "too_many_unknown_frames",
        }
    }
}

/// A client's frames against what they may be.
#[derive(Debug)]
pub(super) struct Allowance {
    budget: Budget,
    /// The last request that was opened.
    last_stream: u32,
}

impl Allowance {
    pub(super) fn new() -> Self {
        Self {
            budget: Budget::new(),
            last_stream: 0,
        }
    }

    pub(super) fn last_stream(&self) -> u32 {
        self.last_stream
    }

    /// Counts a frame of the client; the error says what it was one too many of.
    pub(super) fn received(&mut self, frame: Frame) -> Result<(), Cause> {
        let (cost, cause) = match frame.kind {
            HEADERS => {
                if frame.stream > self.last_stream {
                    self.last_stream = frame.stream;
                    self.budget.earn(REQUEST);
                }
                return Ok(());
            }
            DATA => {
                if frame.length >= RECEIVED_BYTES {
                    self.budget.earn(RECEIVED);
                }
                return Ok(());
            }
            // What h2 bounds, what it refuses, and what ends a connection.
            CONTINUATION | PUSH_PROMISE | GOAWAY => return Ok(()),
            PING => (1, Cause::Ping),
            WINDOW_UPDATE => (1, Cause::WindowUpdate),
            PRIORITY => (1, Cause::Priority),
            RST_STREAM => (RESET, Cause::Reset),
            SETTINGS => (CHANGE + count(frame.length / CHANGE_BYTES), Cause::Settings),
            _ => (1 + count(frame.length / UNKNOWN_BYTES), Cause::Unknown),
        };
        self.spend(cost, cause)
    }

    /// Counts a frame of the server; the error is as for [`Self::received`].
    pub(super) fn sent(&mut self, frame: Frame) -> Result<(), Cause> {
        match frame.kind {
            DATA if frame.length > 0 => {
                self.budget.earn(SENT + count(frame.length / SENT_BYTES));
                Ok(())
            }
            RST_STREAM if FAULTS.contains(&frame.word) => self.spend(RESET, Cause::Fault),
            _ => Ok(()),
        }
    }

    fn spend(&mut self, cost: u32, cause: Cause) -> Result<(), Cause> {
        match self.budget.spend(cost) {
            true => Ok(()),
            false => Err(cause),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: usize) -> Frame {
        Frame {
            length,
            kind,
            stream: 0,
            word: 0,
        }
    }

    fn request(number: u32) -> Frame {
        Frame {
            stream: 2 * number + 1,
            ..frame(HEADERS, 30)
        }
    }

    /// How many of them are taken, of 100,000.
    fn taken(allowance: &mut Allowance, one: Frame) -> (usize, Option<Cause>) {
        for number in 0..100_000 {
            if let Err(cause) = allowance.received(one) {
                return (number, Some(cause));
            }
        }
        (100_000, None)
    }

    #[tokio::test(start_paused = true)]
    async fn what_asks_for_nothing_has_an_end() {
        for (one, expected, cause) in [
            (frame(PING, 8), 1000, Cause::Ping),
            (frame(SETTINGS, 0), 100, Cause::Settings),
            (frame(SETTINGS, 16_380), 2, Cause::Settings),
            (frame(WINDOW_UPDATE, 4), 1000, Cause::WindowUpdate),
            (frame(PRIORITY, 5), 1000, Cause::Priority),
            (frame(RST_STREAM, 4), 83, Cause::Reset),
            (frame(0xee, 0), 1000, Cause::Unknown),
            (frame(0xee, 16_384), 58, Cause::Unknown),
        ] {
            let found = taken(&mut Allowance::new(), one);
            assert_eq!(found, (expected, Some(cause)), "{one:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_taken_back_earns_less_than_it_costs() {
        let mut allowance = Allowance::new();
        let taken = (0..).take_while(|number| {
            allowance.received(request(*number)).unwrap();
            allowance.received(frame(RST_STREAM, 4)).is_ok()
        });
        assert_eq!(taken.count(), 500);
        // A stream is new once.
        let mut allowance = Allowance::new();
        for _ in 0..1000 {
            allowance.received(request(7)).unwrap();
        }
        assert_eq!(allowance.last_stream(), 15);
        assert_eq!(taken_pings(&mut allowance), 1010);
    }

    fn taken_pings(allowance: &mut Allowance) -> usize {
        taken(allowance, frame(PING, 8)).0
    }

    #[tokio::test(start_paused = true)]
    async fn faults_of_the_client_count_and_those_of_the_server_do_not() {
        let reset = |word| Frame {
            word,
            ..frame(RST_STREAM, 4)
        };
        for (word, expected) in [(7, 83), (1, 83), (0, 100_000), (2, 100_000), (8, 100_000)] {
            let mut allowance = Allowance::new();
            let sent = (0..100_000).take_while(|_| allowance.sent(reset(word)).is_ok());
            assert_eq!(sent.count(), expected, "{word}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn clients_as_they_are_have_enough() {
        let mut allowance = Allowance::new();
        let mut all = |frames: &[(u8, usize)]| {
            for (kind, length) in frames {
                allowance.received(frame(*kind, *length)).unwrap();
            }
        };
        // nghttp begins with a tree of priorities.
        all(&[(SETTINGS, 12), (WINDOW_UPDATE, 4)]);
        all(&[(PRIORITY, 5); 5]);
        // A browser's requests, each with priorities of both generations; and uploads that measure the line.
        for number in 0..100_000 {
            allowance.received(request(number)).unwrap();
            for kind in [PRIORITY, PRIORITY, 0x10, WINDOW_UPDATE] {
                allowance.received(frame(kind, 5)).unwrap();
            }
        }
        for _ in 0..100_000 {
            allowance.received(frame(DATA, 16_384)).unwrap();
            allowance.received(frame(PING, 8)).unwrap();
        }
        // Downloads: by the byte, in large frames of which every KiB is acknowledged twice, and in the whole of a small
        // window that is opened again in three steps.
        for (length, answers) in [(1, 3), (16_384, 32), (100, 3), (1000, 6)] {
            for _ in 0..100_000 {
                allowance.sent(frame(DATA, length)).unwrap();
                for _ in 0..answers {
                    allowance.received(frame(WINDOW_UPDATE, 4)).unwrap();
                }
            }
        }
    }
}
