//! Compiled code on disk, so that a component is compiled once and not at every start.
//!
//! Loading compiled code means running whatever the file says, so a file is only used if it and its folder belong to this
//! user, nobody else may write either, and its content is what was written under its name. This is the one place of
//! `unsafe`.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use wasmtime::component::Component;

use crate::code_files::{open_folder, open_own, read_sum, sum_of, sum_with, write_own};
use crate::code_pruning::{BOUNDS, CODE, SUM, prune, remove_unfinished};
use crate::module::Module;

/// How the files are written; another one is another version of the engine.
const FORMAT: u32 = 3;

/// A folder of compiled components.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
    /// What the code depends on beside the component: version of the engine, its settings, the processor.
    engine_key: u64,
    opened: SystemTime,
}

impl CodeCache {
    /// Removes what a killed process left. To be done before the first cache of the folder is opened: what a process
    /// writes looks the same until it is finished.
    pub(crate) fn tidy(folder: &Path) {
        // A folder that is not safe is told of when it is opened.
        if open_folder(folder).is_ok()
            && let Err(error) = remove_unfinished(folder)
        {
            tracing::warn!(folder = %folder.display(), %error, "compiled code cannot be tidied up");
        }
    }

    /// Opens the folder, making it if need be; only this user may enter it.
    pub(crate) fn open(folder: &Path, engine: &wasmtime::Engine) -> io::Result<Self> {
        open_folder(folder)?;
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        FORMAT.hash(&mut hasher);
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache = Self {
            folder: folder.to_owned(),
            engine_key: hasher.finish(),
            opened: SystemTime::now(),
        };
        if let Err(error) = cache.prune() {
            tracing::warn!(folder = %folder.display(), %error, "compiled code cannot be pruned");
        }
        Ok(cache)
    }

    /// The compiled form of a component, if it is there and may be trusted.
    pub(crate) fn load(&self, engine: &wasmtime::Engine, module: &Module<'_>) -> Option<Component> {
        let path = self.path(module);
        match trusted(&path) {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(path = %path.display(), "compiled code is damaged and not used");
                return None;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code is not used");
                return None;
            }
        }
        // For pruning: the time of the last use. That it cannot be set only makes the file older.
        let _ = open_own(&path).and_then(|file| file.set_modified(SystemTime::now()));
        match deserialize(engine, &path) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), error = %format_args!("{error:#}"), "compiled code is not used");
                None
            }
        }
    }

    /// Keeps the compiled form of a component. The checksum comes last: code without it is not finished.
    pub(crate) fn store(&self, module: &Module<'_>, code: &[u8]) -> io::Result<()> {
        let path = self.path(module);
        let sum = path.with_extension(SUM);
        match fs::remove_file(&sum) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        write_own(&path, code)?;
        write_own(&sum, &sum_with(&path, code))?;
        self.prune()
    }

    fn path(&self, module: &Module<'_>) -> PathBuf {
        self.folder.join(module.digest().half() + &self.own_end())
    }

    /// How the names of this engine's code end.
    fn own_end(&self) -> String {
        format!("-{:016x}.{CODE}", self.engine_key)
    }

    fn prune(&self) -> io::Result<()> {
        prune(&self.folder, &self.own_end(), self.opened, BOUNDS)
    }
}

/// Whether the code is what was written. Both files must be this user's alone.
fn trusted(path: &Path) -> io::Result<bool> {
    let expected = match read_sum(&path.with_extension(SUM)) {
        // Cut off, as by a machine that lost its power.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        sum => sum?,
    };
    Ok(sum_of(path)? == expected)
}

#[expect(
    unsafe_code,
    reason = "compiled code can only be loaded by an unsafe function"
)]
fn deserialize(engine: &wasmtime::Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by `store` with what `Component::serialize` returned: folder and file belong to this
    // user and are writable by nobody else, so that nobody can have exchanged it since it was looked at, and its
    // checksum is the one recorded for its name. That it fits this engine is checked by Wasmtime.
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
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// The smallest component: a header and nothing else.
    const WASM: &[u8] = b"\0asm\x0d\0\x01\0";

    fn module() -> Module<'static> {
        Module::of(WASM)
    }

    struct Kept {
        _folder: tempfile::TempDir,
        engine: wasmtime::Engine,
        cache: CodeCache,
        path: PathBuf,
        code: Vec<u8>,
    }

    fn kept() -> Kept {
        let folder = tempfile::tempdir().unwrap();
        let engine = wasmtime::Engine::default();
        let cache = CodeCache::open(&folder.path().join("code"), &engine).unwrap();
        assert!(cache.load(&engine, &module()).is_none());
        let code = engine.precompile_component(WASM).unwrap();
        cache.store(&module(), &code).unwrap();
        assert!(cache.load(&engine, &module()).is_some());
        Kept {
            path: cache.path(&module()),
            _folder: folder,
            engine,
            cache,
            code,
        }
    }

    impl Kept {
        fn is_used(&self) -> bool {
            self.cache.load(&self.engine, &module()).is_some()
        }
    }

    #[test]
    fn code_is_only_trusted_if_it_is_ours() {
        let kept = kept();
        for path in [kept.path.clone(), kept.path.with_extension(SUM)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).unwrap();
            assert!(!kept.is_used(), "others may write {}", path.display());
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(kept.is_used());
            let elsewhere = path.with_extension("elsewhere");
            fs::rename(&path, &elsewhere).unwrap();
            assert!(!kept.is_used(), "gone");
            symlink(&elsewhere, &path).unwrap();
            assert!(!kept.is_used(), "a link");
            fs::rename(&elsewhere, &path).unwrap();
        }
        // Code that was written under another name is another component's.
        let other = Module::of(b"\0asm\x0d\0\x01\0\x00\x02\x01a");
        let path = kept.cache.path(&other);
        fs::copy(&kept.path, &path).unwrap();
        fs::copy(kept.path.with_extension(SUM), path.with_extension(SUM)).unwrap();
        assert!(kept.cache.load(&kept.engine, &other).is_none());
        assert!(kept.is_used());
    }

    #[test]
    fn no_byte_of_the_code_or_its_checksum_can_be_changed() {
        let kept = kept();
        let sum_path = kept.path.with_extension(SUM);
        let sum = fs::read(&sum_path).unwrap();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..300 {
            random = random
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(1_442_695);
            let (path, whole) = if round % 4 == 0 {
                (&sum_path, &sum)
            } else {
                (&kept.path, &kept.code)
            };
            let at = usize::try_from(random >> 33).unwrap() % whole.len();
            let mut bytes = whole.clone();
            match round % 3 {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, 0),
                _ => bytes[at] ^= 1 << (round % 8),
            }
            fs::write(path, bytes).unwrap();
            assert!(!kept.is_used(), "round {round}, byte {at}");
            fs::write(path, whole).unwrap();
        }
        assert!(kept.is_used());
    }

    #[test]
    fn what_a_killed_process_left_is_no_code() {
        let kept = kept();
        let sum = kept.path.with_extension(SUM);
        let unfinished = kept.path.with_extension("1-2.tmp");
        fs::write(&unfinished, &kept.code[..kept.code.len() / 2]).unwrap();
        fs::remove_file(&sum).unwrap();
        assert!(!kept.is_used());
        let folder = kept.path.parent().unwrap();
        // Another cache of the same process takes nothing from the first.
        let cache = CodeCache::open(folder, &kept.engine).unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
        CodeCache::tidy(folder);
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
        cache.store(&module(), &kept.code).unwrap();
        assert!(kept.is_used());
    }
}
