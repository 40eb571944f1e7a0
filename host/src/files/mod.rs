//! Answers from the files of the HTML root.

mod conditional;
mod home;
mod media;
mod range;
mod reply;
mod resolve;

use std::fs::{File, Metadata};
use std::os::unix::fs::FileExt;
use std::path::Path;

use ::http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION, X_CONTENT_TYPE_OPTIONS};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::http::{Content, Response, StoredFile};
use crate::settings::Files;
use conditional::Validators;
use reply::{Representation, bare, reply};
use resolve::{Node, Resolved};

pub use home::create_home_page;
pub use resolve::FileError;

/// Files up to this size are read at once where the request is handled: one that the system has in memory takes less
/// time than a switch to another thread would.
const READ_AT_ONCE_BYTES_MAX: u64 = 64 * 1024;

const NO_GUESSING: HeaderValue = HeaderValue::from_static("nosniff");

/// What a request says beside its URL.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method: others than GET and HEAD are answered as if it was GET, and whole.
    pub method: &'a Method,
    /// Its fields.
    pub headers: &'a HeaderMap,
}

/// Looks for a file and makes the response to a GET of it; `None` if there is none.
///
/// `path` is that of the URL, still percent-encoded. A path to a folder is answered with its home page, and without
/// the slash at its end by a redirect to the path with it.
pub fn answer(
    files: &Files,
    path: &str,
    query: Option<&str>,
    asked: Asked<'_>,
) -> Result<Option<Response>, FileError> {
    let home_page = files.home_page.as_deref();
    let resolved = if path == "/" {
        match home_page {
            Some(page) => resolve::open(&files.root, Path::new(page))?,
            None => return Ok(None),
        }
    } else {
        let relative = resolve::relative_path(path)?;
        match relative {
            None => return Ok(None),
            Some(relative) => resolve::open(&files.root, &relative)?,
        }
    };
    Ok(match resolved {
        None => None,
        Some(Resolved {
            node: Node::File(file, metadata),
            path: file_path,
        }) => {
            // `/page.html/` is not the file.
            if path.len() > 1 && path.ends_with('/') {
                None
            } else {
                from_file(file, &metadata, &file_path, asked)
            }
        }
        Some(Resolved {
            node: Node::Folder,
            path: folder,
        }) => {
            // The home page of a folder is the last part of the root's: `index.html`.
            let page = home_page
                .and_then(|page| Path::new(page).file_name())
                .map(|page| folder.join(page));
            let Some(page) = page else { return Ok(None) };
            match resolve::open(&files.root, &page)? {
                Some(Resolved {
                    node: Node::File(file, metadata),
                    path: file_path,
                }) if path.ends_with('/') => from_file(file, &metadata, &file_path, asked),
                Some(Resolved {
                    node: Node::File(..),
                    ..
                }) => redirect_to_folder(path, query),
                _ => None,
            }
        }
    })
}

/// A file's response, by its validators and what the request asks for. `None` if it vanished meanwhile.
fn from_file(file: File, metadata: &Metadata, path: &Path, asked: Asked<'_>) -> Option<Response> {
    let (validators, length) = (Validators::of(metadata), metadata.len());
    let content = if length <= READ_AT_ONCE_BYTES_MAX {
        // Not `read_to_end`, which asks the system three more times what is known already.
        let mut content = vec![0; usize::try_from(length).ok()?];
        file.read_exact_at(&mut content, 0).ok()?;
        Content::Memory(content.into())
    } else {
        Content::File(StoredFile::new(file, metadata))
    };
    let representation = Representation {
        content: &content,
        content_type: &media::content_type(path),
        validators: &validators,
    };
    let mut response = reply(&representation, asked.method, asked.headers);
    let headers = response.headers_mut();
    if headers.contains_key(CONTENT_TYPE) {
        // The type is the name's: a browser that guesses another from the content may run what was only to be shown.
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_GUESSING);
    }
    headers.insert(ETAG, validators.etag);
    if let Some(date) = validators.modified.map(httpdate::fmt_http_date) {
        headers.extend(
            HeaderValue::try_from(date)
                .ok()
                .map(|date| (LAST_MODIFIED, date)),
        );
    }
    Some(response)
}

/// To the same path with a slash. Relative, so that it holds behind a mount, and cannot lead to another host.
fn redirect_to_folder(path: &str, query: Option<&str>) -> Option<Response> {
    let last = path.rsplit('/').next()?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("./{last}/{query}");
    let mut response = bare(StatusCode::PERMANENT_REDIRECT);
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::try_from(location).ok()?);
    Some(response)
}

#[cfg(test)]
mod tests;
