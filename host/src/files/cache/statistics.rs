//! What the cache holds, as WEB GET STATISTICS and its kin tell it.

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;

use crate::files::page::Page;
use crate::http::Coding;

/// What the cache holds of one web server's files.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Most bytes that the cache may hold, of all servers that share it.
    pub max_size: u64,
    /// Bytes that it holds, of all servers that share it.
    pub current_size: u64,
    /// How often something was loaded into it.
    pub loads: u64,
    /// What it holds of this server, the most requested first.
    pub objects: Vec<Object>,
}

/// How full a cache is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that it holds.
    pub bytes: u64,
    /// Most bytes that it may hold.
    pub bytes_max: u64,
    /// Pages that it holds, compressed forms included.
    pub objects: u64,
    /// How often something was loaded into it.
    pub loads: u64,
}

/// One thing in the cache.
#[derive(Clone, Debug)]
pub struct Object {
    /// The path below the root, with a slash before it.
    pub url: String,
    /// Its content type.
    pub mime_type: String,
    /// How it is compressed.
    pub coding: Option<Coding>,
    /// Bytes of its content.
    pub length: u64,
    /// Requests that it answered.
    pub hits: u64,
    /// The Last-Modified of its responses.
    pub last_modified: Option<String>,
}

impl Statistics {
    /// How much of the cache is in use, in per cent.
    pub fn usage(&self) -> f64 {
        match self.max_size {
            0 => 0.0,
            max => 100.0 * self.current_size as f64 / max as f64,
        }
    }
}

impl Object {
    pub(super) fn of(path: &[u8], coding: Option<Coding>, page: &Arc<Page>) -> Self {
        let mime_type = page.head().get(CONTENT_TYPE);
        let modified = page.validators().modified;
        Self {
            url: format!("/{}", String::from_utf8_lossy(path)),
            mime_type: mime_type
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            coding,
            length: page.length(),
            hits: page.hits(),
            last_modified: modified.map(httpdate::fmt_http_date),
        }
    }
}
