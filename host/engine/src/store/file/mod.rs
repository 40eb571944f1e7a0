//! Stores in a file that survives the process, also one that is killed.

mod changing;
mod each;
mod flush;
mod grouped;
mod opened;
mod operations;
mod tables;

use std::path::PathBuf;

use super::{StoreError, Waiting};
use tables::{Abort, Attempt};

pub use each::FileStore;
pub use grouped::GroupedStore;

/// Does what waits for the disk on a thread for that. What fails is told to the operator, who alone may know the path.
fn on_disk<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce() -> Attempt<T> + Send + 'static,
) -> Waiting<'static, T> {
    Box::pin(async move {
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(file = %path.display(), %error, "the key-value store failed");
            StoreError::Unavailable
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(Abort::Refused(error))) => Err(error),
            Ok(Err(Abort::Failed(error))) => Err(failed(&error)),
            Err(panic) => Err(failed(&panic)),
        }
    })
}
