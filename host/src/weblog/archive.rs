//! The folder that logs go to when they are rotated, and how many stay there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;

/// Beside the log.
const FOLDER: &str = "Logweb Archives";
/// Logs of the same second that are told apart.
const SAME_SECOND_MAX: u32 = 10_000;

/// Moves a log into the archive, named by local time: `DYYYY_MM_DD_Thh_mm_ss.txt`, or with `_2` and so on behind it where
/// there is one of that second already.
pub(super) fn store(log: &Path, now: DateTime) -> io::Result<PathBuf> {
    let folder = log.parent().unwrap_or_else(|| Path::new(".")).join(FOLDER);
    fs::create_dir_all(&folder)?;
    let extension = log.extension().unwrap_or_default().to_string_lossy();
    let stem = format!(
        "D{:04}_{:02}_{:02}_T{:02}_{:02}_{:02}",
        now.year(),
        now.month(),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    );
    for number in 1..SAME_SECOND_MAX {
        let suffix = match number {
            1 => String::new(),
            number => format!("_{number}"),
        };
        let path = folder.join(format!("{stem}{suffix}.{extension}"));
        // Nobody else writes here: the site is locked.
        if fs::symlink_metadata(&path).is_err() {
            fs::rename(log, &path)?;
            return Ok(path);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Takes the oldest away, so that `keep` are left; 0 keeps all.
pub(super) fn prune(log: &Path, keep: u32) -> io::Result<()> {
    let folder = log.parent().unwrap_or_else(|| Path::new(".")).join(FOLDER);
    prune_in(&folder, keep, archived)
}

/// Takes the files of a folder away that `order` knows, all but the last `keep`; 0 keeps all.
pub(super) fn prune_in<T: Ord>(
    folder: &Path,
    keep: u32,
    order: impl Fn(&str) -> Option<T>,
) -> io::Result<()> {
    if keep == 0 {
        return Ok(());
    }
    let mut known = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(order) = name.to_str().and_then(&order) {
            known.push((order, entry.path()));
        }
    }
    known.sort();
    let surplus = known.len().saturating_sub(keep as usize);
    for (_, path) in known.into_iter().take(surplus) {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// When a file was archived, and the number among those of its second.
fn archived(name: &str) -> Option<(String, u32)> {
    let stem = name
        .strip_suffix(".txt")
        .or_else(|| name.strip_suffix(".jsonl"))?;
    let (date, rest) = stem.split_at_checked("D2020_09_04_T15_50_07".len())?;
    let is_date = date
        .bytes()
        .zip(*b"D0000_00_00_T00_00_00")
        .all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        });
    let number = match rest.strip_prefix('_') {
        None => rest.is_empty().then_some(1)?,
        Some(number) => number.parse().ok()?,
    };
    is_date.then(|| (date.to_owned(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_one_second_are_told_apart_and_the_newest_stay() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logweb.txt");
        let now: DateTime = "2020-09-04T15:50:07".parse().unwrap();
        let later: DateTime = "2020-09-04T15:50:08".parse().unwrap();
        for number in 0..12 {
            fs::write(&log, number.to_string()).unwrap();
            store(&log, now).unwrap();
        }
        fs::write(&log, "later").unwrap();
        let last = store(&log, later).unwrap();
        let archive = folder.path().join(FOLDER);
        assert_eq!(last, archive.join("D2020_09_04_T15_50_08.txt"));
        assert!(archive.join("D2020_09_04_T15_50_07_12.txt").exists() && !log.exists());
        fs::write(archive.join("notes.txt"), "not ours").unwrap();
        prune(&log, 0).unwrap();
        assert_eq!(fs::read_dir(&archive).unwrap().count(), 14);
        prune(&log, 3).unwrap();
        let mut left: Vec<_> = fs::read_dir(&archive)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let expected = [
            "D2020_09_04_T15_50_07_11.txt",
            "D2020_09_04_T15_50_07_12.txt",
            "D2020_09_04_T15_50_08.txt",
            "notes.txt",
        ];
        assert_eq!(left, expected);
    }
}
