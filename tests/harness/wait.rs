//! Waiting for something to become true, with a bound.

use std::future::Future;
use std::time::{Duration, Instant};

/// Longest wait for anything: far beyond what a busy machine needs, short enough to see a failure.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const STEP: Duration = Duration::from_millis(15);

/// Asks again and again until there is something, and gives it. Panics, naming `what`, when it takes too long.
pub async fn wait_until<T>(what: &str, found: impl AsyncFnMut() -> Option<T>) -> T {
    match wait_for(found).await {
        Some(found) => found,
        None => panic!("waited {PATIENCE:?} in vain until {what}"),
    }
}

/// The same for those who can say more when it takes too long: they get `None`.
pub(crate) async fn wait_for<T>(mut found: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(found) = found().await {
            return Some(found);
        }
        pause(STEP).await;
    }
    None
}

/// Waits for a future. Panics, naming `what`, when it takes too long.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}

/// Lets time pass where passing time is the subject: a slow writer, a slow client. Never to wait for an effect.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
