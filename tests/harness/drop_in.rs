//! Putting files into a site while it runs: at once, as `mv` does, or slowly, as a copy over a network does.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::wait::pause;

/// Puts a file in place in one step.
pub fn drop_in(content: &[u8], to: &Path) {
    let name = to.file_name().expect("a file has a name").to_string_lossy();
    let beside = to.with_file_name(format!(".{name}.part"));
    fs::write(&beside, content).expect("the site can be written to");
    fs::rename(&beside, to).expect("a file can be renamed in its folder");
}

/// Writes a file in place in pieces, with a pause after each, and gives control to `halfway` between the halves.
pub async fn drop_in_slowly(content: &[u8], to: &Path, halfway: impl AsyncFnOnce()) {
    const PIECES: usize = 8;
    let mut file = File::create(to).expect("the site can be written to");
    let mut halfway = Some(halfway);
    let pieces = content.chunks(content.len().div_ceil(PIECES));
    for (number, piece) in pieces.enumerate() {
        if number == PIECES / 2
            && let Some(halfway) = halfway.take()
        {
            halfway().await;
        }
        file.write_all(piece).expect("the site can be written to");
        pause(Duration::from_millis(20)).await;
    }
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the site can be written to");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}
