//! Where the sessions of a process are kept: one store of each kind, opened when a session is first asked for.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tessera_engine::{GroupedStore, MemoryStore, RedisStore, Store};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::settings::StoreKind;

/// The file of the sessions that outlive the process, in the folder of Tessera's state.
const STORE_FILE: &str = "sessions.redb";
/// What a process that is killed may lose.
const COMMIT_WITHIN: Duration = Duration::from_millis(100);
/// Time between two looks for what has expired.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Sessions that are taken away in one step: a store in memory answers nobody meanwhile, for well below a millisecond.
const MEMORY_STEP: usize = 50;
/// The same for a file, of which each step is a write to the disk that nobody waits for.
const FILE_STEP: usize = 250;

/// The stores of a process.
#[derive(Debug)]
pub struct SessionStores {
    folder: PathBuf,
    /// Connections to Redis servers live here: the runtimes that serve may end before them.
    runtime: Handle,
    memory: Arc<MemoryStore>,
    file: Mutex<Option<Arc<GroupedStore>>>,
    /// By URL. A server that no web server uses any more is left.
    redis: Mutex<Vec<(String, Weak<RedisStore>)>>,
}

impl SessionStores {
    /// The stores of a site; `folder` is that of Tessera's state. To be made on the runtime of the process.
    pub fn new(folder: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            folder,
            runtime: Handle::current(),
            memory: Arc::default(),
            file: Mutex::default(),
            redis: Mutex::default(),
        })
    }

    /// The store of a kind. Blocks on the file system; a Redis server is not waited for.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened, without secrets.
    pub(super) fn open(&self, kind: &StoreKind) -> Result<Arc<dyn Store>, String> {
        match kind {
            StoreKind::Memory => Ok(self.memory.clone()),
            StoreKind::File => self.open_file(),
            StoreKind::Redis(url) => self.open_redis(url.expose()),
        }
    }

    fn open_file(&self) -> Result<Arc<dyn Store>, String> {
        let mut file = self.file.lock();
        if let Some(store) = &*file {
            return Ok(store.clone());
        }
        let path = self.folder.join(STORE_FILE);
        let store = GroupedStore::open(&path, COMMIT_WITHIN)
            .map_err(|error| format!("{} cannot be opened: {error}", path.display()))?;
        let store = Arc::new(store);
        *file = Some(store.clone());
        Ok(store)
    }

    fn open_redis(&self, url: &str) -> Result<Arc<dyn Store>, String> {
        let mut redis = self.redis.lock();
        redis.retain(|(_, store)| store.strong_count() > 0);
        let known = redis.iter().find(|(known, _)| known == url);
        if let Some(store) = known.and_then(|(_, store)| store.upgrade()) {
            return Ok(store);
        }
        let store = Arc::new(RedisStore::open(url, self.runtime.clone())?);
        redis.push((url.to_owned(), Arc::downgrade(&store)));
        Ok(store)
    }

    /// Takes away what has expired, as long as the result is kept.
    pub fn keep_tidy(self: &Arc<Self>) -> Upkeep {
        let stores = Arc::downgrade(self);
        Upkeep(tokio::spawn(async move {
            let mut looks = tokio::time::interval(SWEEP_INTERVAL);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                let Some(stores) = stores.upgrade() else {
                    return;
                };
                stores.sweep().await;
            }
        }))
    }

    async fn sweep(&self) {
        let file = self.file.lock().clone();
        let file = file.map(|store| (store as Arc<dyn Store>, FILE_STEP));
        let memory: Arc<dyn Store> = self.memory.clone();
        for (store, step) in std::iter::once((memory, MEMORY_STEP)).chain(file) {
            // A store that fails says so by itself.
            while store.sweep(step).await == Ok(step) {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Has everything on the disk that was changed so far. Blocks.
    pub fn flush(&self) {
        let file = self.file.lock().clone();
        if let Some(file) = file {
            file.flush();
        }
    }
}

/// Looks for what has expired until dropped.
#[derive(Debug)]
pub struct Upkeep(JoinHandle<()>);

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.abort();
    }
}
