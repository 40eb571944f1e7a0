//! Waiting, for a program without a runtime that waits for other processes.

use std::time::{Duration, Instant};

/// Waits so long.
#[expect(
    clippy::disallowed_methods,
    reason = "a program without a runtime waits for another process"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Waits until something is so, at most so long.
pub(crate) fn wait_until(max: Duration, mut is_so: impl FnMut() -> bool) -> Result<(), String> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > max {
            return Err(format!("it did not come within {} s", max.as_secs()));
        }
        pause(Duration::from_millis(2));
    }
    Ok(())
}
