//! What the operator grants a component beside answering requests: secrets, configuration, folders, buckets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::component::Environment;
use super::error::{Fault, Place};
use super::folders::{Base, is_inside};
use super::reader::Reader;
use super::setting::Definition;
use super::table;
use super::value::Secret;

/// Where Tessera keeps what is its own, in the folder of the site.
const STATE_FOLDER: &str = ".tessera";

/// `[secrets]`, `[config]` and `[keyvalue]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The files of secrets, as full paths, by the name under which the component reads them.
    pub secrets: BTreeMap<String, PathBuf>,
    /// What the component reads through wasi:config.
    pub config: Environment,
    /// The buckets that the component opens through wasi:keyvalue, by name.
    pub buckets: BTreeMap<String, Bucket>,
}

/// A folder that a component may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderGrant {
    /// Where it is on this machine; a full path, once the settings are read.
    pub path: PathBuf,
    /// Where the component sees it; begins with a slash.
    pub guest: String,
    /// Whether the component may change what is in it.
    pub write: bool,
}

/// A bucket of key-value pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Where it is kept.
    pub store: StoreKind,
    /// The name by which components share it; none is the component's own.
    pub share: Option<String>,
    /// The most bytes of keys and values in it; a bucket in Redis has the limits of that server instead.
    pub bytes_max: u64,
}

/// Where a bucket is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// In memory, as long as the process runs.
    Memory,
    /// In a file of the site.
    File,
    /// In a Redis server; its URL, which may hold a password.
    Redis(Secret),
}

/// Reads secrets, configuration and buckets. A name is one thing: who reads it would not know which.
pub(super) fn read_grants(
    reader: &mut Reader,
    base: &Base,
    environment: &BTreeMap<String, String>,
) -> Grants {
    let secrets = reader.variables(&table::SECRETS);
    let config = reader.variables(&table::CONFIG);
    let mut files = BTreeMap::new();
    for (name, path) in secrets {
        let taken: [(bool, &dyn Definition); 2] = [
            (environment.contains_key(&name), &table::ENVIRONMENT),
            (config.contains_key(&name), &table::CONFIG),
        ];
        for (_, other) in taken.iter().filter(|(is_taken, _)| *is_taken) {
            let reason = format!("is in [{}] too; name it differently", other.table());
            reader.refuse_variable(&table::SECRETS, &name, reason);
        }
        match resolve(base, &path) {
            Some(path) => drop(files.insert(name, path)),
            None => reader.refuse_variable(&table::SECRETS, &name, NEEDS_FOLDER),
        }
    }
    Grants {
        secrets: files,
        config: Environment(config),
        buckets: reader.variables(&table::KEYVALUE),
    }
}

/// Reads the folders, and refuses those through which a component could get at what holds it within bounds. Whether they
/// exist is found out when the component is loaded.
pub(super) fn read_folders(reader: &mut Reader, base: &Base) -> Vec<FolderGrant> {
    let mut folders: Vec<FolderGrant> = reader.value(&table::FOLDERS);
    for (index, folder) in folders.iter_mut().enumerate() {
        let problem = match resolve(base, &folder.path) {
            None => Some(NEEDS_FOLDER),
            Some(path) => {
                folder.path = path;
                problem(base, &folder.path)
            }
        };
        let Some(problem) = problem else { continue };
        let reason = format!("entry {}: path {problem}", index + 1);
        if !reader.refuse(&[&table::FOLDERS], reason.as_str()) {
            let (path, line, column) = (folder.path.clone(), None, None);
            reader.add(Fault::of_place(Place::File { path, line, column }, reason));
        }
    }
    folders
}

const NEEDS_FOLDER: &str = "must be absolute: a bare module has no folder to begin in; or put the module into a folder of \
                            its name";

/// Settings, keys and the state of the site are nobody's but the operator's, and another component's folder is its own.
fn problem(base: &Base, folder: &Path) -> Option<&'static str> {
    let outer = [&base.own, &base.site];
    if outer.into_iter().flatten().any(|it| is_inside(it, folder)) {
        return Some(
            "must not hold the folder of the site or component: its settings and keys are not the component's",
        );
    }
    let site = base.site.as_ref()?;
    if is_inside(folder, &site.join(STATE_FOLDER)) {
        return Some("must not be in .tessera, which is Tessera's own");
    }
    let is_own = base.own.as_ref().is_some_and(|own| is_inside(folder, own));
    if !is_own && is_inside(folder, &site.join("components")) {
        return Some("must not be in the folder of another component");
    }
    None
}

fn resolve(base: &Base, path: &Path) -> Option<PathBuf> {
    match &base.own {
        Some(own) => Some(own.join(path)),
        None => path.is_absolute().then(|| path.to_owned()),
    }
}
