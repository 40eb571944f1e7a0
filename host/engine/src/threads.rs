//! Threads beside those that serve: what runs there holds up no other request.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Handle, Runtime};

/// How many threads for guests that run long have something to do.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static IS_AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Whether a guest that runs long computes beside those that serve.
pub fn are_guests_at_work() -> bool {
    AT_WORK.load(Ordering::Relaxed) > 0
}

fn note_work(is_at_work: bool) {
    match (IS_AT_WORK.replace(is_at_work), is_at_work) {
        (false, true) => drop(AT_WORK.fetch_add(1, Ordering::Relaxed)),
        (true, false) => drop(AT_WORK.fetch_sub(1, Ordering::Relaxed)),
        _ => {}
    }
}

/// A runtime of its own.
pub(crate) struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Threads {
    /// For guests that run long: serving comes first.
    pub(crate) fn that_give_way(nice: i32) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("tessera-guest")
            .on_thread_start(move || lower_priority(nice))
            .on_thread_unpark(|| note_work(true))
            .on_thread_park(|| note_work(false))
            .on_thread_stop(|| note_work(false))
            .enable_all()
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not a plain drop: that would block, which a runtime's own thread may not.
            runtime.shutdown_background();
        }
    }
}

/// On Linux a nice value belongs to the thread that sets it.
pub(crate) fn lower_priority(nice: i32) {
    // Refused only where even lowering is forbidden; the thread then runs as the others do.
    let _ = rustix::process::nice(nice);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_guest_that_computes_is_known_of() {
        let threads = Threads::that_give_way(0).unwrap();
        let (tell, told) = mpsc::channel();
        threads.handle().spawn(async move {
            // Not before its thread has waited once.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            tell.send(are_guests_at_work()).unwrap();
        });
        assert!(told.recv().unwrap());
    }
}
