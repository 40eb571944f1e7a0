//! Compiled code on disk, so that a component is compiled once and not at every start.
//!
//! Loading compiled code means running whatever the file says, so a file is only used if it belongs to this
//! user, nobody else may write it, and its content is what was written. This is the one place of `unsafe`.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

/// Most files that are kept; the least recently used go first.
const FILES_MAX: usize = 256;

/// A folder of compiled components.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
    /// What the code depends on beside the component: version of the engine, its settings, the processor.
    engine_key: u64,
}

impl CodeCache {
    /// Opens the folder, making it if need be; only this user may enter it.
    pub(crate) fn open(folder: &Path, engine: &wasmtime::Engine) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            folder: folder.to_owned(),
            engine_key: hasher.finish(),
        })
    }

    /// The compiled form of a component, if it is there and may be trusted.
    pub(crate) fn load(&self, engine: &wasmtime::Engine, wasm: &[u8]) -> Option<Component> {
        let path = self.path(wasm);
        let sum = fs::read(path.with_extension("sum")).ok()?;
        let code = match read_own(&path) {
            Ok(code) => code,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code is not used");
                return None;
            }
        };
        if Sha256::digest(&code)[..] != sum[..] {
            tracing::warn!(path = %path.display(), "compiled code is damaged and not used");
            return None;
        }
        // For pruning: the time of the last use. That it cannot be set only makes the file older.
        let _ = File::open(&path).and_then(|file| file.set_modified(std::time::SystemTime::now()));
        match deserialize(engine, &path) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), error = %format_args!("{error:#}"), "compiled code is not used");
                None
            }
        }
    }

    /// Keeps the compiled form of a component.
    pub(crate) fn store(&self, wasm: &[u8], code: &[u8]) -> io::Result<()> {
        let path = self.path(wasm);
        write_own(&path, code)?;
        write_own(&path.with_extension("sum"), &Sha256::digest(code))?;
        self.prune()
    }

    fn path(&self, wasm: &[u8]) -> PathBuf {
        let hash = Sha256::digest(wasm);
        let hex: String = hash[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.folder
            .join(format!("{hex}-{:016x}.cwasm", self.engine_key))
    }

    fn prune(&self) -> io::Result<()> {
        let mut files: Vec<(std::time::SystemTime, PathBuf)> = fs::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "cwasm")
            })
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        for (_, path) in files.iter().take(files.len().saturating_sub(FILES_MAX)) {
            fs::remove_file(path)?;
            fs::remove_file(path.with_extension("sum"))?;
        }
        Ok(())
    }
}

/// Reads a file that belongs to this user and that nobody else may write.
fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let refused = |why: &str| {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            why.to_owned(),
        ))
    };
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return refused("it belongs to another user");
    }
    if metadata.mode() & 0o022 != 0 {
        return refused("others may write it");
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file that only this user may read, in one step: a reader sees all of it or nothing.
fn write_own(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!(
        "{}.{:?}.tmp",
        std::process::id(),
        std::thread::current().id()
    ));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
}

#[expect(
    unsafe_code,
    reason = "compiled code can only be loaded by an unsafe function"
)]
fn deserialize(engine: &wasmtime::Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by `store` with what `precompile_component` returned: it lies in a folder that only
    // this user may enter, belongs to this user, is writable by nobody else, and its checksum is the one recorded.
    // That it fits this engine is checked by Wasmtime.
    unsafe { Component::deserialize_file(engine, path) }
}

/// A hash that is the same in every process: the standard one makes no such promise.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn code_is_kept_and_only_trusted_if_it_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let engine = wasmtime::Engine::default();
        let cache = CodeCache::open(&folder.path().join("code"), &engine).unwrap();
        let wasm = wat_component();
        assert!(cache.load(&engine, &wasm).is_none());

        let code = engine.precompile_component(&wasm).unwrap();
        cache.store(&wasm, &code).unwrap();
        assert!(cache.load(&engine, &wasm).is_some());

        let path = cache.path(&wasm);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(cache.load(&engine, &wasm).is_none(), "others may write it");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let mut damaged = code.clone();
        *damaged.last_mut().unwrap() ^= 1;
        fs::write(&path, damaged).unwrap();
        assert!(cache.load(&engine, &wasm).is_none(), "damaged");
    }

    /// The smallest component: a header and nothing else.
    fn wat_component() -> Vec<u8> {
        b"\0asm\x0d\0\x01\0".to_vec()
    }
}
