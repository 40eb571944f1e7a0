//! One at a time for the same module; any number at a time for different ones.

use std::collections::HashSet;

use parking_lot::{Condvar, Mutex};

use crate::module::Digest;

/// The modules that are being worked on.
#[derive(Default)]
pub(crate) struct Turns {
    taken: Mutex<HashSet<Digest>>,
    given_back: Condvar,
}

/// A turn, until dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    module: Digest,
}

impl Turns {
    /// Waits until nobody else works on the same module. Blocks the thread.
    pub(crate) fn turn(&self, module: Digest) -> Turn<'_> {
        let mut taken = self.taken.lock();
        while !taken.insert(module) {
            self.given_back.wait(&mut taken);
        }
        Turn {
            turns: self,
            module,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken.lock().remove(&self.module);
        self.turns.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Module;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn the_same_module_waits_and_another_does_not() {
        let turns = Turns::default();
        let [one, two] = [b"one", b"two"].map(|wasm| Module::of(wasm).digest());
        let first = turns.turn(one);
        drop(turns.turn(two));
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _second = turns.turn(one);
                assert!(
                    ended.load(Ordering::SeqCst),
                    "began before the first had ended"
                );
            });
            ended.store(true, Ordering::SeqCst);
            drop(first);
        });
    }
}
