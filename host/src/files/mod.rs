//! Answers from the files of the HTML root.

mod conditional;
mod error_pages;
mod home;
mod media;
mod resolve;

use std::fs::{File, Metadata};
use std::os::unix::fs::FileExt;
use std::path::Path;

use ::http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION, X_CONTENT_TYPE_OPTIONS};
use ::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;

use crate::http::{Body, Response};
use crate::settings::Files;
use conditional::{Outcome, Validators};
use resolve::{Node, Resolved};

pub use error_pages::ErrorPages;
pub use home::create_home_page;
pub use resolve::FileError;

/// Files up to this size are read at once where the request is handled: one that the system has in memory takes less
/// time than a switch to another thread would.
const READ_AT_ONCE_BYTES_MAX: u64 = 64 * 1024;

const NO_GUESSING: HeaderValue = HeaderValue::from_static("nosniff");

/// Looks for a file and makes the response to a GET of it; `None` if there is none.
///
/// `path` is that of the URL, still percent-encoded. A path to a folder is answered with its home page, and without
/// the slash at its end by a redirect to the path with it.
pub fn answer(
    files: &Files,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
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
                from_file(file, &metadata, &file_path, headers)
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
                }) if path.ends_with('/') => from_file(file, &metadata, &file_path, headers),
                Some(Resolved {
                    node: Node::File(..),
                    ..
                }) => redirect_to_folder(path, query),
                _ => None,
            }
        }
    })
}

/// A file's response, by its validators and the request's conditions. `None` if it vanished meanwhile.
fn from_file(
    file: File,
    metadata: &Metadata,
    path: &Path,
    headers: &HeaderMap,
) -> Option<Response> {
    let (validators, length) = (Validators::of(metadata), metadata.len());
    let mut response = match conditional::evaluate(headers, &validators) {
        Outcome::Full => {
            let body = if length <= READ_AT_ONCE_BYTES_MAX {
                // Not `read_to_end`, which asks the system three more times what is known already.
                let mut content = vec![0; usize::try_from(length).ok()?];
                file.read_exact_at(&mut content, 0).ok()?;
                Body::from(Bytes::from(content))
            } else {
                Body::file(file, length)
            };
            Response::new(body)
        }
        Outcome::NotModified => {
            // Type and length decide what else a 304 must say; neither is sent.
            let mut response = status_only(StatusCode::NOT_MODIFIED);
            *response.body_mut() = Body::unsent(length);
            response
        }
        Outcome::PreconditionFailed => return Some(status_only(StatusCode::PRECONDITION_FAILED)),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media::content_type(path));
    // The type is the name's: a browser that guesses another from the content may run what was only to be shown.
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_GUESSING);
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

fn status_only(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// To the same path with a slash. Relative, so that it holds behind a mount, and cannot lead to another host.
fn redirect_to_folder(path: &str, query: Option<&str>) -> Option<Response> {
    let last = path.rsplit('/').next()?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("./{last}/{query}");
    let mut response = status_only(StatusCode::PERMANENT_REDIRECT);
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::try_from(location).ok()?);
    Some(response)
}

#[cfg(test)]
mod tests;
