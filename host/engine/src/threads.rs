//! Threads beside those that serve: what runs there holds up no other request.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

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
