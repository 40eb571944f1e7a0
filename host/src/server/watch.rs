//! Watches the components' files, and asks for a reload when a change is complete.
//!
//! A module that is still being written must not be read. The system says when a file that was open for writing is
//! closed; until then the component waits. A look at all files every few seconds finds what the system did not tell
//! of (a network folder, a queue that overflowed); it believes what it sees when it has seen it twice.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Fingerprint, Reloader, discover};
use crate::settings::LIST_FILES;

/// After a writer has closed the file: time for the other files of the same change.
const AFTER_CLOSE: Duration = Duration::from_millis(50);
/// After a file appeared without having been written: a link, or a writer that is about to begin.
const AFTER_CREATE: Duration = Duration::from_millis(200);
/// After a file vanished: time for the one that replaces it.
const AFTER_REMOVE: Duration = Duration::from_millis(300);
/// Longest wait for a writer to close its file; then the file is tried as it is.
const WHILE_WRITING: Duration = Duration::from_secs(60);
/// Time between two looks at everything.
const LOOK: Duration = Duration::from_secs(2);

/// The files cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("{folder}: changes cannot be watched: {source}")]
pub struct WatchError {
    folder: PathBuf,
    source: notify::Error,
}

/// Watches until dropped.
pub struct Watcher {
    tasks: [JoinHandle<()>; 2],
}

/// Changes that are not complete yet: by component, then by file, when to believe them.
#[derive(Default)]
struct Pending {
    components: Mutex<BTreeMap<String, HashMap<PathBuf, Instant>>>,
    /// The folder of the components itself came into being.
    folder_appeared: AtomicBool,
    changed: Notify,
}

impl Watcher {
    /// Begins to watch the components of a site.
    pub fn start(site: &Path, reloader: Arc<Reloader>) -> Result<Self, WatchError> {
        let site = site.canonicalize().unwrap_or_else(|_| site.to_owned());
        let components = site.join("components");
        let pending = Arc::new(Pending::default());
        let failed = |folder: &Path| {
            let folder = folder.to_owned();
            move |source| WatchError { folder, source }
        };
        let (noted, folder) = (pending.clone(), components.clone());
        let mut system =
            notify::recommended_watcher(move |event: notify::Result<Event>| match event {
                Ok(event) => noted.note(&folder, &event),
                Err(error) => tracing::debug!(%error, "a change may have been missed"),
            })
            .map_err(failed(&site))?;
        // The site too, not what is in its folders: the folder of the components may come later.
        system
            .watch(&site, RecursiveMode::NonRecursive)
            .map_err(failed(&site))?;
        if components.is_dir() {
            system
                .watch(&components, RecursiveMode::Recursive)
                .map_err(failed(&components))?;
        }
        let tasks = [
            tokio::spawn(reload_completed(
                pending,
                components,
                system,
                reloader.clone(),
            )),
            tokio::spawn(look_again_and_again(site, reloader)),
        ];
        Ok(Self { tasks })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Pending {
    /// Notes a change, and how long to wait for its end.
    fn note(&self, components: &Path, event: &Event) {
        let wait = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => AFTER_CLOSE,
            EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => return,
            EventKind::Modify(ModifyKind::Data(_)) => WHILE_WRITING,
            EventKind::Modify(ModifyKind::Name(_)) => AFTER_CLOSE,
            EventKind::Remove(_) => AFTER_REMOVE,
            _ => AFTER_CREATE,
        };
        if event.paths.iter().any(|path| path == components) && components.is_dir() {
            self.folder_appeared.store(true, Ordering::Release);
        }
        let at = Instant::now() + wait;
        let mut pending = self.components.lock();
        for path in &event.paths {
            let Some(name) = component_of(components, path) else {
                continue;
            };
            pending.entry(name).or_default().insert(path.clone(), at);
        }
        drop(pending);
        self.changed.notify_one();
    }

    /// Notes everything in the folder, as if it had just appeared.
    fn note_all(&self, components: &Path) {
        let at = Instant::now() + AFTER_CREATE;
        let Ok(entries) = std::fs::read_dir(components) else {
            return;
        };
        let mut pending = self.components.lock();
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if let Some(name) = component_of(components, &path) {
                pending.entry(name).or_default().entry(path).or_insert(at);
            }
        }
    }

    /// Takes the components whose changes are complete; says when the next ones will be.
    fn completed(&self) -> (Vec<String>, Option<Instant>) {
        let now = Instant::now();
        let mut pending = self.components.lock();
        let due = |files: &HashMap<PathBuf, Instant>| files.values().max().copied();
        let completed: Vec<String> = pending
            .iter()
            .filter(|(_, files)| due(files).is_none_or(|due| due <= now))
            .map(|(name, _)| name.clone())
            .collect();
        for name in &completed {
            pending.remove(name);
        }
        (completed, pending.values().filter_map(due).min())
    }
}

/// The component that a path below `components/` belongs to: only a module and its settings are of interest.
fn component_of(components: &Path, path: &Path) -> Option<String> {
    let mut parts = path.strip_prefix(components).ok()?.iter();
    let first = parts.next()?.to_str()?;
    if first.starts_with('.') {
        return None;
    }
    match (parts.next(), parts.next()) {
        (None, _) => Some(first.strip_suffix(".wasm").unwrap_or(first).to_owned()),
        (Some(file), None) => {
            let is_of_interest = file == "settings.toml"
                || LIST_FILES.iter().any(|list| file == *list)
                || file.to_str() == Some(&format!("{first}.wasm"));
            is_of_interest.then(|| first.to_owned())
        }
        _ => None,
    }
}

async fn reload_completed(
    pending: Arc<Pending>,
    components: PathBuf,
    mut system: RecommendedWatcher,
    reloader: Arc<Reloader>,
) {
    loop {
        if pending.folder_appeared.swap(false, Ordering::AcqRel) {
            if let Err(error) = system.watch(&components, RecursiveMode::Recursive) {
                tracing::debug!(%error, "the folder of the components is not watched");
            }
            // What was put into it before it was watched.
            pending.note_all(&components);
        }
        let (completed, next) = pending.completed();
        for name in completed {
            let reloader = reloader.clone();
            // Not awaited: a component that is slow to load must not hold up the others.
            tokio::spawn(async move { reloader.reload_if_there(&name).await });
        }
        match next {
            Some(next) => {
                tokio::select! {
                    () = tokio::time::sleep_until(next) => {}
                    () = pending.changed.notified() => {}
                }
            }
            None => pending.changed.notified().await,
        }
    }
}

/// The look at everything. A component is reloaded if it looks other than what is loaded, twice in the same way.
async fn look_again_and_again(site: PathBuf, reloader: Arc<Reloader>) {
    let mut before: BTreeMap<String, Option<Fingerprint>> = BTreeMap::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let site = site.clone();
        let Ok(Ok(found)) = tokio::task::spawn_blocking(move || discover(&site)).await else {
            continue;
        };
        let mut now: BTreeMap<String, Option<Fingerprint>> = reloader
            .registry
            .components()
            .iter()
            .map(|server| (server.name().to_owned(), None))
            .collect();
        now.extend(
            found
                .into_iter()
                .map(|found| (found.name, Some(found.fingerprint))),
        );
        now.retain(|name, fingerprint| reloader.loaded_fingerprint(name) != *fingerprint);
        for (name, fingerprint) in &now {
            if before.get(name) == Some(fingerprint) {
                let (reloader, name) = (reloader.clone(), name.clone());
                tokio::spawn(async move { reloader.reload_if_there(&name).await });
            }
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_modules_and_settings_concern_a_component() {
        let components = Path::new("/site/components");
        for (path, expected) in [
            ("/site/components/hello.wasm", Some("hello")),
            ("/site/components/shop", Some("shop")),
            ("/site/components/shop/shop.wasm", Some("shop")),
            ("/site/components/shop/settings.toml", Some("shop")),
            ("/site/components/shop/HTTPHandlers.json", Some("shop")),
            ("/site/components/shop/WebFolder", None),
            ("/site/components/shop/WebFolder/a.html", None),
            ("/site/components/shop/other.wasm", None),
            ("/site/components/.hello.wasm.tmp", None),
            ("/site/components", None),
            ("/site/tessera.toml", None),
        ] {
            assert_eq!(
                component_of(components, Path::new(path)).as_deref(),
                expected,
                "{path}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_believed_when_its_writer_has_closed_it() {
        let components = Path::new("/site/components");
        let event = |kind: EventKind| Event::new(kind).add_path("/site/components/a.wasm".into());
        let pending = Pending::default();
        pending.note(
            components,
            &event(EventKind::Create(notify::event::CreateKind::File)),
        );
        pending.note(
            components,
            &event(EventKind::Modify(ModifyKind::Data(
                notify::event::DataChange::Any,
            ))),
        );
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(pending.completed().0.is_empty(), "still being written");
        pending.note(
            components,
            &event(EventKind::Access(AccessKind::Close(AccessMode::Write))),
        );
        assert!(pending.completed().0.is_empty());
        tokio::time::advance(AFTER_CLOSE).await;
        assert_eq!(pending.completed().0, ["a"]);
        assert!(pending.completed().0.is_empty(), "once");
    }
}
