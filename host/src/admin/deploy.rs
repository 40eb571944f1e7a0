//! `PUT /api/v1/components/{name}`: a module comes with the request, is examined, and only then put where components are
//! found.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::STATE_FOLDER;
use super::problem::Problem;
use crate::server::{Candidate, Cause, Outcome, Reloader, Unfit};

/// Most bytes of a module; the largest that tool chains for scripts make has some 30 MiB.
pub(super) const BYTES_MAX: u64 = 128 * 1024 * 1024;
/// What a client gets to send the next piece.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);
/// What all of it gets.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(600);
/// What is read of a body that is refused.
const DRAINED_BYTES_MAX: usize = 4 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest name of a component, in characters: those of files have 255 bytes, and there is a suffix.
const NAME_MAX: usize = 64;
/// In the state folder: what is not examined yet.
const FOLDER: &str = "incoming";
/// A module is no secret.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o700;

/// Takes modules, one at a time: each is compiled, which takes all processors.
#[derive(Debug)]
pub(super) struct Deploying {
    folder: PathBuf,
    place: Arc<Semaphore>,
}

/// A file that goes away unless it is moved.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // Not there any more once it is where it belongs.
        let _ = fs::remove_file(&self.0);
    }
}

impl Deploying {
    /// For a site. What an earlier process had not finished is removed.
    pub(super) fn new(site: &Path) -> Self {
        let folder = site.join(STATE_FOLDER).join(FOLDER);
        // Not there on most starts; if it cannot be emptied, the first module that comes says so.
        let _ = fs::remove_dir_all(&folder);
        Self {
            folder,
            place: Arc::new(Semaphore::new(1)),
        }
    }

    /// Takes a module and lets it serve. After an error everything is as before.
    pub(super) async fn deploy(
        &self,
        reloader: &Arc<Reloader>,
        name: String,
        may_import_more: bool,
        body: Incoming,
    ) -> Result<Value, Problem> {
        let place = match self.admit(&name) {
            Ok(place) => place,
            Err(problem) => {
                drain(body).await;
                return Err(problem);
            }
        };
        let passing = tokio::time::timeout(WHOLE_TIMEOUT, self.receive(body));
        let passing = passing.await.map_err(|_| Problem::body_timeout())??;
        let reloader = reloader.clone();
        // Finished even if the client goes away: half of it would be neither the old version nor the new one.
        let work = async move {
            let _place = place;
            finish(&reloader, &name, passing, may_import_more).await
        };
        tokio::spawn(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a module that was sent could not be taken");
            Err(Problem::internal())
        })
    }

    fn admit(&self, name: &str) -> Result<OwnedSemaphorePermit, Problem> {
        check_name(name).map_err(|reason| Problem::unfit(&reason))?;
        let place = self.place.clone().try_acquire_owned();
        place.map_err(|_| Problem::deploying())
    }

    /// Writes a body to a file beside the site.
    async fn receive(&self, mut body: Incoming) -> Result<Passing, Problem> {
        let failed = |error: io::Error| failed(&self.folder, &error);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(&self.folder)
            .map_err(failed)?;
        let path = self.folder.join("module.wasm");
        // Left by a process that was killed; nothing here is a link that is followed.
        let _ = fs::remove_file(&path);
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(FILE_MODE);
        let file = file.open(&path).map_err(failed)?;
        let (passing, mut file) = (Passing(path), File::from_std(file));
        let mut bytes = 0;
        loop {
            let piece = tokio::time::timeout(PIECE_TIMEOUT, body.frame());
            let Some(piece) = piece.await.map_err(|_| Problem::body_timeout())? else {
                break;
            };
            let unreadable = |_| Problem::bad_body("the body of the request cannot be read");
            let Ok(data) = piece.map_err(unreadable)?.into_data() else {
                continue;
            };
            bytes += data.len() as u64;
            if bytes > BYTES_MAX {
                let bytes_max = usize::try_from(BYTES_MAX).unwrap_or(usize::MAX);
                return Err(Problem::body_too_large(bytes_max));
            }
            file.write_all(&data).await.map_err(failed)?;
        }
        file.sync_all().await.map_err(failed)?;
        Ok(passing)
    }
}

/// Reads so much of a body that nobody wants as clients send without waiting: some of them read no answer before the end.
pub(super) async fn drain(body: Incoming) {
    let reading = Limited::new(body, DRAINED_BYTES_MAX).collect();
    // Whatever comes of it, the answer is the same.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, reading).await;
}

/// Examines a module, puts it in its place, and has it loaded.
async fn finish(
    reloader: &Arc<Reloader>,
    name: &str,
    passing: Passing,
    may_import_more: bool,
) -> Result<Value, Problem> {
    let examined = reloader.examine(name, &passing.0, may_import_more).await;
    let candidate = examined.map_err(|unfit| match unfit {
        Unfit::NameTaken => {
            let reason = format!("{name} is the name of the host's own web server: choose another");
            Problem::unfit(&reason)
        }
        Unfit::NewImports(new) => Problem::new_imports(new),
        Unfit::Wrong(reason) => Problem::unfit(&reason),
    })?;
    let place = candidate.place.clone();
    let moving = tokio::task::spawn_blocking(move || {
        let moved = put(&passing.0, &place);
        moved.map_err(|error| failed(&place, &error))
    });
    moving.await.map_err(|_| Problem::internal())??;
    tracing::info!(
        server = name,
        digest = candidate.digest,
        "a module was deployed through admin"
    );
    let cause = Cause::Asked {
        accept_new_imports: may_import_more,
    };
    // The watcher may be first: then there is nothing left to do.
    let reloaded = reloader.reload(Some(name), cause).await;
    let outcome = reloaded.ok().and_then(|mut list| list.pop());
    let outcome = outcome.map_or(Outcome::Unchanged, |reloaded| reloaded.outcome);
    Ok(deployed(reloader, name, &candidate, outcome))
}

/// What became of it.
fn deployed(reloader: &Reloader, name: &str, candidate: &Candidate, outcome: Outcome) -> Value {
    let server = reloader.registry.find(name);
    let serving = server.as_ref().and_then(|server| server.serving());
    let error = match &outcome {
        Outcome::Failed(error) => Some(error.clone()),
        _ => None,
    };
    json!({
        "name": name,
        "outcome": outcome.word(),
        "error": error,
        "isRunning": serving.is_some(),
        "generation": serving.map(|serving| serving.number),
        "file": candidate.place.strip_prefix(&reloader.site).unwrap_or(&candidate.place),
        "digest": candidate.digest,
        "size": candidate.bytes,
        "exports": candidate.info.exports,
        "imports": candidate.info.imports,
        "methods": candidate.methods,
        "permissionsAsked": candidate.asked,
    })
}

/// Moves a file to its place in one step, also to another file system.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder)?;
    let renamed = match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let name = to.file_name().unwrap_or_default().to_string_lossy();
            // Files that begin with a dot are no components.
            let beside = Passing(folder.join(format!(".{name}.incoming")));
            fs::copy(from, &beside.0)?;
            fs::File::open(&beside.0)?.sync_all()?;
            fs::rename(&beside.0, to)
        }
        renamed => renamed,
    };
    renamed?;
    // The name, too, is to be there after a loss of power.
    fs::File::open(folder)?.sync_all()
}

/// A name must be fit for a file, for a URL, and for a log.
fn check_name(name: &str) -> Result<(), String> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let begins = name.as_bytes().first();
    let begins_well = begins.is_some_and(u8::is_ascii_alphanumeric);
    if begins_well && name.len() <= NAME_MAX && name.bytes().all(is_fit) {
        return Ok(());
    }
    Err(format!(
        "a component's name has 1 to {NAME_MAX} letters, digits, '-', '_' and '.' (ASCII), and begins with a letter or a \
         digit"
    ))
}

fn failed(path: &Path, error: &io::Error) -> Problem {
    tracing::error!(path = %path.display(), %error, "a module that was sent cannot be kept");
    Problem::no_room(&format!(
        "the module cannot be kept: {error}; see the host's log"
    ))
}

/// The schema of [`deployed`].
pub(super) fn schema() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let names =
        |about: &str| json!({"type": "array", "items": {"type": "string"}, "description": about});
    json!({
        "type": "object",
        "required": ["name", "outcome", "error", "isRunning", "generation", "file", "digest", "size", "exports", "imports"],
        "properties": {
            "name": text("The component."),
            "outcome": {
                "enum": ["started", "swapped", "unchanged", "stopped", "failed"],
                "description": "Of the load. Unchanged: it was loaded before that, or it is stopped.",
            },
            "error": {
                "type": ["string", "null"],
                "description": "Why a module that is good does not serve: a port or a mount that another one has.",
            },
            "isRunning": {"type": "boolean"},
            "generation": {"type": ["integer", "null"], "description": "The version that serves; null if none does."},
            "file": text("Where the module is now, below the site."),
            "digest": text("SHA-256 in hexadecimal."),
            "size": {"type": "integer", "minimum": 0, "description": "Bytes."},
            "exports": names("What it exports."),
            "imports": names("What it imports."),
            "methods": names("Its methods."),
            "permissionsAsked": names("The settings of [permissions] that its imports are about. Granted is what settings.toml says."),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["a", "Shop-2", "my_shop.v1", "0", &"x".repeat(NAME_MAX)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            ".hidden",
            "-f",
            "a/b",
            "../a",
            "a\\b",
            "a b",
            "a\0",
            "caf\u{e9}",
            &"x".repeat(NAME_MAX + 1),
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_module_is_put_in_one_step_and_replaces_a_link_itself() {
        let site = tempfile::tempdir().unwrap();
        let at = |name: &str| site.path().join(name);
        fs::write(at("new"), "new").unwrap();
        fs::write(at("elsewhere"), "untouched").unwrap();
        fs::create_dir(at("components")).unwrap();
        let place = at("components/a.wasm");
        std::os::unix::fs::symlink(at("elsewhere"), &place).unwrap();
        put(&at("new"), &place).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "new");
        assert_eq!(fs::read_to_string(at("elsewhere")).unwrap(), "untouched");
        assert!(!at("new").exists());
        // A folder that is not there yet.
        put(&place, &at("b/b.wasm")).unwrap();
        assert_eq!(fs::read_to_string(at("b/b.wasm")).unwrap(), "new");
    }

    #[test]
    fn what_was_not_finished_is_gone_with_the_next_start() {
        let site = tempfile::tempdir().unwrap();
        let folder = site.path().join(STATE_FOLDER).join(FOLDER);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("module.wasm"), "half").unwrap();
        let deploying = Deploying::new(site.path());
        assert!(!folder.exists() && deploying.folder == folder);
    }
}
