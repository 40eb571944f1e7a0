//! The folder of the pictures: `1700000000000.png`, and beside it `1700000000000.png.txt` with its caption.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use tessera_guest::Error;

use crate::picture::Kind;

/// Most pictures that are kept, so that visitors cannot fill the disk.
const PICTURES_MAX: usize = 200;

/// Keeps a picture. Its name is the time, in milliseconds.
pub(crate) fn put(kind: Kind, caption: &str, content: &mut impl Read) -> Result<(), Error> {
    if pictures()?.len() >= PICTURES_MAX {
        return Err(Error::refused(503, "There is no room for more pictures."));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    // Another visitor may have come in the same millisecond.
    for number in now..now + 100 {
        let name = format!("{number}.{}", kind.extension());
        let mut file = match File::create_new(folder().join(&name)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            created => created?,
        };
        io::copy(content, &mut file)?;
        return Ok(fs::write(folder().join(name + ".txt"), caption)?);
    }
    Err(Error::new("no name is free for a picture"))
}

/// The names and captions of all pictures, the newest first.
pub(crate) fn pictures() -> Result<Vec<(String, String)>, Error> {
    let mut pictures = Vec::new();
    for entry in fs::read_dir(folder())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if kind_of(&name).is_none() {
            continue;
        }
        // Without a caption it is still being written, or failed to be.
        if let Ok(caption) = fs::read_to_string(folder().join(format!("{name}.txt"))) {
            pictures.push((name, caption));
        }
    }
    pictures.sort();
    pictures.reverse();
    Ok(pictures)
}

/// One picture; none if the name is not that of a picture here.
pub(crate) fn picture(name: &str) -> Result<Option<(Kind, Vec<u8>)>, Error> {
    let Some(kind) = kind_of(name) else {
        return Ok(None);
    };
    match fs::read(folder().join(name)) {
        Ok(content) => Ok(Some((kind, content))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The kind of a picture that `put` may have named so; a path is no such name.
fn kind_of(name: &str) -> Option<Kind> {
    let (number, extension) = name.split_once('.')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    Kind::named(extension).filter(|_| is_number)
}

/// `/pictures` is what `settings.toml` grants; tests have a folder of their own.
fn folder() -> PathBuf {
    if cfg!(test) {
        let folder = std::env::temp_dir().join(format!("photos-{}", std::process::id()));
        let _ = fs::create_dir_all(&folder);
        return folder;
    }
    "/pictures".into()
}
