//! What a command is at, while that takes longer than a moment: one line that moves, on a terminal only.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What takes less is not told.
const MOMENT: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(125);
const MARKS: [char; 4] = ['|', '/', '-', '\\'];

/// Tells until dropped, and leaves nothing behind.
pub(super) struct Progress {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to tell of some work, on the standard error if that is a terminal.
    pub(super) fn of(work: String) -> Self {
        match io::stderr().is_terminal() {
            true => Self::on(io::stderr(), work, MOMENT),
            false => Self {
                stop: None,
                thread: None,
            },
        }
    }

    fn on(mut terminal: impl Write + Send + 'static, work: String, moment: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let began = Instant::now();
        let telling = move || {
            if stopped.recv_timeout(moment) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            for mark in MARKS.iter().cycle() {
                let seconds = began.elapsed().as_secs();
                // A terminal that is gone is nobody's loss.
                let _ = write!(terminal, "\r{mark} {work} ({seconds} s)")
                    .and_then(|()| terminal.flush());
                if stopped.recv_timeout(STEP) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            let _ = write!(terminal, "\r\u{1b}[K").and_then(|()| terminal.flush());
        };
        let thread = std::thread::Builder::new().name("tessera-progress".to_owned());
        Self {
            stop: Some(stop),
            // Without it nothing is told.
            thread: thread.spawn(telling).ok(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // What is printed next comes after it.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_takes_a_moment_is_not_told_and_what_takes_longer_is_wiped_out() {
        let screen = Screen::default();
        drop(Progress::on(
            screen.clone(),
            "compiling a".to_owned(),
            Duration::from_secs(3600),
        ));
        assert!(screen.0.lock().unwrap().is_empty());
        let progress = Progress::on(screen.clone(), "compiling a".to_owned(), Duration::ZERO);
        let began = Instant::now();
        while screen.0.lock().unwrap().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60));
            std::thread::yield_now();
        }
        drop(progress);
        let text = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with("\r| compiling a (0 s)"), "{text:?}");
        assert!(text.ends_with("\r\u{1b}[K"), "{text:?}");
    }
}
