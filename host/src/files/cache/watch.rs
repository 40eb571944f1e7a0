//! Tells what is kept of a root when something below it changes: the system says so at once, where it can.

use std::sync::{Arc, Weak};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;

use super::roots::Root;

/// Roots that are watched. Each folder below one takes a place among those that the system has for its user.
const ROOTS_MAX: usize = 64;

/// Watches roots. What it misses (a network folder, a link that leads elsewhere, a queue that overflowed) is found by the
/// next look at the file.
#[derive(Default)]
pub(in crate::files) struct Watch(Arc<Watched>);

#[derive(Default)]
struct Watched {
    roots: Mutex<Vec<Arc<Root>>>,
    /// Held while the system is told of a root, which takes its time, and of which it reports meanwhile: events only look
    /// at the roots.
    system: Mutex<Option<RecommendedWatcher>>,
}

impl Watch {
    /// Watches a root from some moment on. Not waited for: large trees take their time.
    pub(in crate::files) fn add(&self, root: &Arc<Root>) {
        {
            let mut roots = self.0.roots.lock();
            let is_known = roots.iter().any(|one| Arc::ptr_eq(one, root));
            if is_known || roots.len() == ROOTS_MAX {
                return;
            }
            roots.push(root.clone());
        }
        let (all, root) = (self.0.clone(), root.clone());
        let thread = std::thread::Builder::new().name("watch files".to_owned());
        let started = thread.spawn(move || {
            if let Err(error) = begin(&all, &root) {
                let root = root.path.display();
                tracing::debug!(%root, %error, "changes of files are found by looking only");
            }
        });
        if let Err(error) = started {
            tracing::debug!(%error, "changes of files are found by looking only");
        }
    }
}

fn begin(all: &Arc<Watched>, root: &Root) -> notify::Result<()> {
    let mut system = all.system.lock();
    let system = match &mut *system {
        Some(system) => system,
        none => {
            let known = Arc::downgrade(all);
            let made =
                notify::recommended_watcher(move |event: notify::Result<Event>| match event {
                    Ok(event) => note(&known, &event),
                    Err(error) => {
                        tracing::debug!(%error, "a change of a file may have been missed")
                    }
                });
            none.insert(made?)
        }
    };
    let result = system.watch(&root.path, RecursiveMode::Recursive);
    // What changed before it was watched.
    root.changed();
    result
}

fn note(all: &Weak<Watched>, event: &Event) {
    let is_change = match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    };
    let (true, Some(all)) = (is_change, all.upgrade()) else {
        return;
    };
    for root in &*all.roots.lock() {
        let is_below = |path: &std::path::PathBuf| path.starts_with(&root.path);
        // An event without a path is a queue that overflowed.
        if event.paths.is_empty() || event.paths.iter().any(is_below) {
            root.changed();
        }
    }
}
