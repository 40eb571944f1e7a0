//! Threads beside those that serve: what runs there holds up no other request.

use std::cell::Cell;
use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

thread_local! {
    static GIVES_WAY: Cell<bool> = const { Cell::new(false) };
}

/// A runtime of its own.
pub(crate) struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Threads {
    /// For guests that run long: serving comes first.
    pub(crate) fn that_give_way(nice: i32) -> io::Result<Self> {
        Self::start("tessera-guest", move || {
            GIVES_WAY.set(true);
            lower_priority(nice);
        })
    }

    /// For instances that serve several requests at a time. Each of those takes turns with the threads that serve, which a
    /// lower priority would make long ones.
    #[cfg(feature = "p3")]
    pub(crate) fn that_take_turns() -> io::Result<Self> {
        Self::start("tessera-shared", || ())
    }

    fn start(name: &str, begin: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name(name)
            .on_thread_start(begin)
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

/// Whether the calling thread is one of those that give way.
#[cfg(feature = "p3")]
pub(crate) fn gives_way() -> bool {
    GIVES_WAY.get()
}

/// On Linux a nice value belongs to the thread that sets it.
pub(crate) fn lower_priority(nice: i32) {
    // Refused only where even lowering is forbidden; the thread then runs as the others do.
    let _ = rustix::process::nice(nice);
}
