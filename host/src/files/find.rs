//! From the path of a URL to what answers it: a page, the way to a folder, its listing, or a page instead.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use ::http::header::LOCATION;
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::caches::Pages;
use super::instead;
use super::listing::Folder;
use super::look::{Looked, Place};
use super::page::Page;
use super::resolve::{self, FileError};
use crate::http::Response;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// The path of the URL, still percent-encoded.
    pub path: &'a str,
    /// Its query.
    pub query: Option<&'a str>,
    /// The method of the request.
    pub method: &'a Method,
    /// Its fields.
    pub headers: &'a HeaderMap,
}

/// What there is at a URL.
pub enum Found {
    /// A file.
    Page(Arc<Page>),
    /// A file that is sent because the client's Accept asks for it where there is none.
    Instead(Arc<Page>),
    /// The way to a folder, asked for without the slash at its end.
    Redirect(Response),
    /// A folder to be listed.
    Folder(Folder),
}

/// Where the path of a URL leads.
pub(super) struct Way<'a> {
    /// Relative to the root; of a folder, with a slash at its end.
    path: Cow<'a, [u8]>,
    /// The name of the home pages of folders.
    name: Option<&'a [u8]>,
}

impl Way<'_> {
    /// Of a file, or of the home page of a folder; none if folders have none.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        match (self.path.ends_with(b"/"), self.name) {
            (false, _) => Some(Place::file(&self.path)),
            (true, Some(name)) => Some(Place::in_folder(&self.path, name)),
            (true, None) => None,
        }
    }
}

impl Pages {
    /// Looks for what answers a GET; `None` if there is nothing.
    ///
    /// A path to a folder is answered with its home page, and without the slash at its end by a redirect to the path
    /// with it.
    ///
    /// # Errors
    ///
    /// When the path is none that a URL should hold, or the system has nothing left to open a file with.
    pub async fn find(&self, sought: Sought<'_>) -> Result<Option<Found>, FileError> {
        let Some(way) = self.way(sought.path)? else {
            return Ok(None);
        };
        // The way of nearly all requests; nothing on it waits, or asks the system for anything.
        if let Some(place) = way.place()
            && let Some(page) = self.kept(place)?
        {
            return Ok(Some(Found::Page(page)));
        }
        // Boxed: what is in memory is answered without, and its future should be small.
        Box::pin(self.find_on_disk(way, sought)).await
    }

    /// Where the path of a URL leads; `None` if nowhere.
    pub(super) fn way<'a>(&'a self, path: &'a str) -> Result<Option<Way<'a>>, FileError> {
        let path = match (path, &self.home_page) {
            ("/", Some(page)) => Some(page.as_bytes().into()),
            ("/", None) => Some(path.as_bytes().into()),
            _ => resolve::relative_path(path)?,
        };
        let name = self.name_in_folders();
        Ok(path.map(|path| Way { path, name }))
    }

    async fn find_on_disk(
        &self,
        way: Way<'_>,
        sought: Sought<'_>,
    ) -> Result<Option<Found>, FileError> {
        let looked = match way.place() {
            Some(place) => self.look_at_disk(place).await?,
            None => Looked::Nothing,
        };
        match looked {
            Looked::Page(page) => Ok(Some(Found::Page(page))),
            looked if self.has_more(&looked) => self.elsewhere(&way.path, looked, sought).await,
            _ => Ok(None),
        }
    }

    /// The home page of a folder is the last part of the root's: `index.html`.
    fn name_in_folders(&self) -> Option<&[u8]> {
        let page = self.home_page.as_deref()?.as_bytes();
        page.rsplit(|byte| *byte == b'/').next()
    }

    /// Whether anything but a file may answer.
    pub(super) fn has_more(&self, looked: &Looked) -> bool {
        let missing = &self.missing;
        matches!(looked, Looked::Folder)
            || missing.listing
            || missing.clean_urls
            || missing.fallback.is_some()
    }

    /// What answers where no file does.
    async fn elsewhere(
        &self,
        path: &[u8],
        looked: Looked,
        sought: Sought<'_>,
    ) -> Result<Option<Found>, FileError> {
        if sought.path == "/" {
            return Ok(self.to_list(b".", sought));
        }
        let folder = path.strip_suffix(b"/").unwrap_or(path);
        if matches!(looked, Looked::Folder) {
            let page = match self.name_in_folders() {
                Some(name) => {
                    self.look(Place::file(&[folder, b"/", name].concat()))
                        .await?
                }
                None => Looked::Nothing,
            };
            if self.missing.listing || matches!(page, Looked::Page(_)) {
                let redirect = redirect_to_folder(sought.path, sought.query);
                return Ok(redirect.map(Found::Redirect));
            }
        } else if path.ends_with(b"/") && self.missing.listing {
            let looked = resolve::look(&self.root.path, folder)?;
            if looked.is_some_and(|metadata| metadata.is_dir()) {
                return Ok(self.to_list(folder, sought));
            }
        }
        self.instead(folder, sought).await
    }

    /// A page that is sent where there is none.
    async fn instead(&self, path: &[u8], sought: Sought<'_>) -> Result<Option<Found>, FileError> {
        let relative = Path::new(OsStr::from_bytes(path));
        let clean_url = instead::clean_url(&self.missing, relative, sought.path);
        let fallback = match *sought.method {
            Method::GET | Method::HEAD => {
                instead::fallback(&self.missing, relative, sought.headers)
            }
            _ => None,
        };
        for instead in [clean_url, fallback].into_iter().flatten() {
            let place = Place::file(instead.path.as_os_str().as_bytes());
            if let Looked::Page(page) = self.look(place).await? {
                return Ok(Some(match instead.varies {
                    true => Found::Instead(page),
                    false => Found::Page(page),
                }));
            }
        }
        Ok(None)
    }

    fn to_list(&self, folder: &[u8], sought: Sought<'_>) -> Option<Found> {
        let folder = Path::new(OsStr::from_bytes(folder));
        let folder = || Folder::new(&self.root.path, folder, sought.path, sought.headers);
        self.missing.listing.then(|| Found::Folder(folder()))
    }
}

/// To the same path with a slash. Relative, so that it holds behind a mount, and cannot lead to another host.
fn redirect_to_folder(path: &str, query: Option<&str>) -> Option<Response> {
    let last = path.rsplit('/').next()?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("./{last}/{query}");
    let mut response = Response::default();
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let location = HeaderValue::try_from(location).ok()?;
    response.headers_mut().insert(LOCATION, location);
    Some(response)
}
