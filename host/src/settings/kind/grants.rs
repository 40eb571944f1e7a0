//! What a component may be given: files of secrets, folders, key-value buckets.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::folder::{is_path, read_path};
use super::{Kind, Preset, Refusal};
use crate::settings::error::shown;
use crate::settings::file::Loose;
use crate::settings::grants::{Bucket, FolderGrant, StoreKind};
use crate::settings::value::{GIB, MIB, Secret, bytes_text, parse_bytes};

/// More folders than anybody grants, and few enough to open for every instance.
const FOLDERS_MAX: usize = 32;
/// Longest name that components share a bucket by.
const SHARE_BYTES_MAX: usize = 64;
const BUCKET_BYTES_DEFAULT: u64 = 16 * MIB;
const BUCKET_BYTES_MAX: u64 = 64 * GIB;

/// The file of a secret. A path that is not absolute is one inside the folder of the component.
#[derive(Debug)]
pub(in crate::settings) struct SecretFile;

impl Kind for SecretFile {
    type Value = PathBuf;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;
    // Who writes the secret itself here by mistake should not find it in a log.
    const IS_SECRET: bool = true;

    fn read(&self, loose: &Loose) -> Result<PathBuf, Refusal> {
        read_path(loose)
    }

    fn allowed(&self) -> String {
        "the path of a file, absolute or inside the folder of the component: without \"..\" or a slash at the end"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "none".to_owned()
    }

    fn json(&self, _: &PathBuf) -> Json {
        Json::Null
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "minLength": 1, "writeOnly": true})
    }
}

/// A list of `{path, guest, write}`.
#[derive(Debug)]
pub(in crate::settings) struct FolderGrants;

impl Kind for FolderGrants {
    type Value = Vec<FolderGrant>;
    const TYPE: &'static str = "list of tables";

    fn read(&self, loose: &Loose) -> Result<Vec<FolderGrant>, Refusal> {
        let Loose::List(list) = loose else {
            return Err(Refusal::Type);
        };
        if list.len() > FOLDERS_MAX {
            return Err(Refusal::Value);
        }
        let mut folders: Vec<FolderGrant> = Vec::with_capacity(list.len());
        for (index, entry) in list.iter().enumerate() {
            let at = |reason| Refusal::Because(format!("entry {}: {reason}", index + 1));
            let folder = folder(entry).map_err(at)?;
            if folders.iter().any(|other| other.guest == folder.guest) {
                return Err(at(format!(
                    "guest \"{}\" is there twice",
                    shown(&folder.guest)
                )));
            }
            folders.push(folder);
        }
        Ok(folders)
    }

    fn allowed(&self) -> String {
        format!(
            "a list of at most {FOLDERS_MAX} {{path, guest, write}}; path is that of the folder, absolute or inside the \
             folder of the component, guest where the component sees it, such as \"/data\", and write whether it may \
             change what is in it, false if left out"
        )
    }

    fn default_text(&self) -> String {
        "[]".to_owned()
    }

    fn json(&self, value: &Vec<FolderGrant>) -> Json {
        let folder = |folder: &FolderGrant| json!({"path": folder.path.to_string_lossy(), "guest": folder.guest, "write": folder.write});
        value.iter().map(folder).collect()
    }

    fn schema(&self) -> Json {
        json!({
            "type": "array",
            "maxItems": FOLDERS_MAX,
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "minLength": 1},
                    "guest": {"type": "string", "pattern": "^/"},
                    "write": {"type": "boolean", "default": false},
                },
                "required": ["path", "guest"],
                "additionalProperties": false,
            },
            "default": [],
        })
    }
}

impl Preset for FolderGrants {
    fn preset(&self) -> Vec<FolderGrant> {
        Vec::new()
    }
}

fn folder(entry: &Loose) -> Result<FolderGrant, String> {
    let Loose::Table(members) = entry else {
        return Err(format!(
            "must be {{path, guest, write}}, not {}",
            entry.type_name()
        ));
    };
    let (mut path, mut guest, mut write) = ("", "", false);
    for (name, value) in members {
        let wrong = |type_name| format!("{name} must be {type_name}, not {}", value.type_name());
        match (name.as_str(), value) {
            ("path", value) => path = value.text().map_err(|_| wrong("a text"))?,
            ("guest", value) => guest = value.text().map_err(|_| wrong("a text"))?,
            ("write", Loose::Boolean(flag)) => write = *flag,
            ("write", _) => return Err(wrong("true or false")),
            (other, _) => {
                return Err(format!(
                    "has no \"{}\": only path, guest and write",
                    shown(other)
                ));
            }
        }
    }
    if !is_path(path) {
        return Err(format!(
            "path \"{}\" must be an absolute path, or one inside the folder of the component: without \"..\" or a slash \
             at the end",
            shown(path)
        ));
    }
    if !(guest.starts_with('/') && is_path(guest)) {
        return Err(format!(
            "guest \"{}\" must be a path such as \"/data\": absolute, without \"..\" or a slash at the end",
            shown(guest)
        ));
    }
    Ok(FolderGrant {
        path: path.into(),
        guest: guest.to_owned(),
        write,
    })
}

/// Where a bucket is kept: `memory`, `file` or the URL of a Redis server, or a table with more about it.
#[derive(Debug)]
pub(in crate::settings) struct Store;

impl Kind for Store {
    type Value = Bucket;
    const TYPE: &'static str = "table or text";
    // The URL of a Redis server may hold its password.
    const IS_SECRET: bool = true;

    fn read(&self, loose: &Loose) -> Result<Bucket, Refusal> {
        let mut bucket = Bucket {
            store: StoreKind::Memory,
            share: None,
            bytes_max: BUCKET_BYTES_DEFAULT,
        };
        match loose {
            Loose::Text(text) => bucket.store = store(text).ok_or(Refusal::Value)?,
            Loose::Table(members) => fill(&mut bucket, members).map_err(Refusal::Because)?,
            _ => return Err(Refusal::Type),
        }
        Ok(bucket)
    }

    fn allowed(&self) -> String {
        format!(
            "\"memory\", \"file\" or the URL of a Redis server (\"redis://host:6379/0\"), or {{store, share, size}}: store \
             is one of these, share a name by which components share the bucket, and size the most bytes in it, at most \
             {} and {} if left out",
            bytes_text(BUCKET_BYTES_MAX),
            bytes_text(BUCKET_BYTES_DEFAULT)
        )
    }

    fn default_text(&self) -> String {
        "none".to_owned()
    }

    fn json(&self, _: &Bucket) -> Json {
        Json::Null
    }

    fn schema(&self) -> Json {
        json!({
            "type": ["string", "object"],
            "properties": {
                "store": {"type": "string"},
                "share": {"type": "string", "minLength": 1, "maxLength": SHARE_BYTES_MAX},
                "size": {"type": ["integer", "string"]},
            },
            "required": ["store"],
            "additionalProperties": false,
            "writeOnly": true,
        })
    }
}

pub(super) fn store(text: &str) -> Option<StoreKind> {
    match text {
        "memory" => Some(StoreKind::Memory),
        "file" => Some(StoreKind::File),
        url => {
            let rest = url.strip_prefix("redis://")?;
            let is_url = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
            is_url.then(|| StoreKind::Redis(Secret::new(url)))
        }
    }
}

fn fill(bucket: &mut Bucket, members: &[(String, Loose)]) -> Result<(), String> {
    let mut has_store = false;
    for (name, value) in members {
        match (name.as_str(), value) {
            ("store", Loose::Text(text)) => {
                bucket.store = store(text)
                    .ok_or("store must be \"memory\", \"file\" or the URL of a Redis server")?;
                has_store = true;
            }
            ("share", Loose::Text(text)) if is_share(text) => bucket.share = Some(text.clone()),
            ("share", _) => {
                return Err(format!(
                    "share must be a name of letters, digits and any of -_. (at most {SHARE_BYTES_MAX})"
                ));
            }
            ("size", value) => {
                let bytes = match value {
                    Loose::Integer(number) => u64::try_from(*number).ok(),
                    Loose::Text(text) => parse_bytes(text),
                    _ => None,
                };
                bucket.bytes_max = bytes
                    .filter(|bytes| (1..=BUCKET_BYTES_MAX).contains(bytes))
                    .ok_or_else(|| {
                        format!("size must be a size up to {}", bytes_text(BUCKET_BYTES_MAX))
                    })?;
            }
            ("store", _) => return Err("store must be a text".to_owned()),
            (other, _) => {
                return Err(format!(
                    "has no \"{}\": only store, share and size",
                    shown(other)
                ));
            }
        }
    }
    if has_store {
        Ok(())
    } else {
        Err("needs store".to_owned())
    }
}

fn is_share(text: &str) -> bool {
    (1..=SHARE_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
