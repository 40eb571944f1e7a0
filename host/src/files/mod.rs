//! Answers from the files of the HTML root.

mod accept;
mod conditional;
mod home;
mod instead;
mod listing;
mod media;
mod range;
mod reply;
mod resolve;

use std::fs::{File, Metadata};
use std::os::unix::fs::FileExt;
use std::path::Path;

use ::http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::http::{Content, Response, StoredFile};
use crate::settings::Files;
use conditional::Validators;
use reply::{Representation, bare, reply};
use resolve::Node;

pub use home::create_home_page;
pub use listing::{Folder, Listings};
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

/// What there is at a URL.
#[derive(Debug)]
pub enum Found {
    /// A file, which this sends; or the way to it.
    Response(Response),
    /// A folder to be listed.
    Folder(Folder),
}

/// Looks for what answers a GET of a path; `None` if there is nothing.
///
/// `path` is that of the URL, still percent-encoded. A path to a folder is answered with its home page, and without
/// the slash at its end by a redirect to the path with it.
pub fn answer(
    files: &Files,
    path: &str,
    query: Option<&str>,
    asked: Asked<'_>,
) -> Result<Option<Found>, FileError> {
    if path == "/" {
        let page = files.home_page.as_deref().map(Path::new);
        let page = page.map(|page| file_at(files, page, asked)).transpose()?;
        return Ok(match page.flatten() {
            Some(page) => Some(Found::Response(page)),
            None => folder_to_list(files, Path::new("."), path, asked),
        });
    }
    let Some(relative) = resolve::relative_path(path)? else {
        return Ok(None);
    };
    let found = match resolve::open(&files.root, &relative)? {
        // `/page.html/` is not the file.
        Some(Node::File(file, metadata)) if !path.ends_with('/') => {
            from_file(file, &metadata, &relative, asked).map(Found::Response)
        }
        Some(Node::Folder) => in_folder(files, &relative, path, query, asked)?,
        _ => None,
    };
    match found {
        Some(found) => Ok(Some(found)),
        None => instead(files, &relative, path, asked),
    }
}

/// The home page of a folder, the folder itself if it is to be listed, or the way to either.
fn in_folder(
    files: &Files,
    folder: &Path,
    path: &str,
    query: Option<&str>,
    asked: Asked<'_>,
) -> Result<Option<Found>, FileError> {
    // The home page of a folder is the last part of the root's: `index.html`.
    let page = files
        .home_page
        .as_ref()
        .and_then(|page| Path::new(page).file_name());
    let page = page
        .map(|page| file_at(files, &folder.join(page), asked))
        .transpose()?;
    let found = match page.flatten() {
        Some(page) => Some(Found::Response(page)),
        None => folder_to_list(files, folder, path, asked),
    };
    Ok(match path.ends_with('/') {
        true => found,
        false => found
            .and_then(|_| redirect_to_folder(path, query))
            .map(Found::Response),
    })
}

fn folder_to_list(files: &Files, folder: &Path, path: &str, asked: Asked<'_>) -> Option<Found> {
    let is_listed = files.missing.listing;
    is_listed.then(|| Found::Folder(Folder::new(&files.root, folder, path, asked.headers)))
}

/// What is answered where there is nothing.
fn instead(
    files: &Files,
    relative: &Path,
    path: &str,
    asked: Asked<'_>,
) -> Result<Option<Found>, FileError> {
    let clean_url = instead::clean_url(&files.missing, relative, path);
    let fallback = match *asked.method {
        Method::GET | Method::HEAD => instead::fallback(&files.missing, relative, asked.headers),
        _ => None,
    };
    for instead in [clean_url, fallback].into_iter().flatten() {
        if let Some(mut response) = file_at(files, &instead.path, asked)? {
            if instead.varies {
                response
                    .headers_mut()
                    .append(VARY, HeaderValue::from_static("Accept"));
            }
            return Ok(Some(Found::Response(response)));
        }
    }
    Ok(None)
}

fn file_at(files: &Files, path: &Path, asked: Asked<'_>) -> Result<Option<Response>, FileError> {
    Ok(match resolve::open(&files.root, path)? {
        Some(Node::File(file, metadata)) => from_file(file, &metadata, path, asked),
        _ => None,
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
