//! The files that tags are looked for in: pages asked for by their URL, files that components send, and included ones.

use std::sync::Arc;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue, Method};
use tessera_engine::{Document, PAGE_BYTES_MAX};
use tessera_tags::Template;

use super::caches::Pages;
use super::look::{Looked, Place};
use super::media::is_text;
use super::page::Page;
use super::reply;
use super::template::{self, Compiled, Use};
use crate::http::{Content, Response};
use crate::settings::Charset;

/// Pages from this size on are compiled on a thread for work that takes its time.
const COMPILE_AT_ONCE_BYTES_MAX: usize = 64 * 1024;

/// A page with tags that cannot be rendered: it is too long, or cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl Pages {
    /// A page that was asked for by its URL, compiled. Without a template it is sent as it is.
    ///
    /// # Errors
    ///
    /// When it is longer than a page with tags may be, or cannot be read: its tags are nobody's to see.
    pub async fn semi_dynamic(
        &self,
        page: &Arc<Page>,
        charset: Charset,
    ) -> Result<Document, Unreadable> {
        let compiled = self.compiled(page, Use::Url, charset).await;
        Ok(document(page, Some(compiled.ok_or(Unreadable)?)))
    }

    /// What WEB SEND FILE sends; none if there is no such file.
    pub async fn document(&self, path: &str, charset: Charset) -> Option<Document> {
        let page = self.named(path).await?;
        let content_type = page.head().get(CONTENT_TYPE)?;
        // Longer ones are data, which nobody looks through each time that it is sent.
        let may_have_tags = is_text(content_type) && page.length() <= PAGE_BYTES_MAX as u64;
        let compiled = match may_have_tags {
            true => self.compiled(&page, Use::Sent, charset).await,
            false => None,
        };
        Some(document(&page, compiled))
    }

    /// The page that 4DINCLUDE inserts; none if there is no such file, or it is too long.
    pub async fn included(&self, path: &str, charset: Charset) -> Option<Arc<Template>> {
        let page = self.named(path).await?;
        let compiled = self.compiled(&page, Use::Included, charset).await?;
        compiled.template
    }

    async fn named(&self, path: &str) -> Option<Arc<Page>> {
        let path = relative(path)?;
        match self.look(Place::file(path.as_bytes())).await.ok()? {
            Looked::Page(page) => Some(page),
            Looked::Folder | Looked::Nothing => None,
        }
    }

    async fn compiled(&self, page: &Arc<Page>, usage: Use, charset: Charset) -> Option<Compiled> {
        if let Some(compiled) = page.templates().get(usage, charset) {
            return Some(compiled.clone());
        }
        if page.length() > PAGE_BYTES_MAX as u64 {
            return None;
        }
        let content_type = page.head().get(CONTENT_TYPE)?.clone();
        let compiled = match page.content()? {
            Content::Memory(bytes) if bytes.len() <= COMPILE_AT_ONCE_BYTES_MAX => {
                template::compile(bytes, usage, &content_type, charset).ok()?
            }
            content => {
                let content = content.clone();
                let compiling = tokio::task::spawn_blocking(move || {
                    let bytes = match content {
                        Content::Memory(bytes) => bytes,
                        Content::File(file) => file.read().ok()?,
                    };
                    template::compile(&bytes, usage, &content_type, charset).ok()
                });
                compiling.await.ok()??
            }
        };
        page.templates().keep(usage, compiled.clone());
        if let Some(cache) = &self.cache {
            cache.load().weigh_again(&self.key_of(page), page);
        }
        Some(compiled)
    }
}

fn document(page: &Arc<Page>, compiled: Option<Compiled>) -> Document {
    let head = page.head().get(CONTENT_TYPE);
    let of_page = || {
        head.cloned()
            .unwrap_or(HeaderValue::from_static("text/html"))
    };
    let (template, content_type) = match compiled {
        Some(compiled) => (compiled.template, compiled.content_type),
        None => (None, of_page()),
    };
    Document {
        path: String::from_utf8_lossy(page.path()).into(),
        template,
        content_type,
        file: page.clone(),
    }
}

/// The response with a page as it is, or with what conditions and ranges among `headers` ask for.
pub fn send(page: &Page, method: &Method, headers: &HeaderMap) -> Response {
    reply::respond(page, method, headers)
}

/// A path that a component or a tag gave, without `.` and `..`. None if it leads out of the root, or names no file that a URL
/// could name: dot files are nobody's.
fn relative(path: &str) -> Option<String> {
    if path.ends_with('/') || path.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let mut named = parts.iter().enumerate();
    let is_hidden = |(index, part): (usize, &&str)| {
        part.starts_with('.') && !(index == 0 && **part == *".well-known")
    };
    (!parts.is_empty() && !named.any(is_hidden)).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_root() {
        for (path, expected) in [
            ("a.html", Some("a.html")),
            ("/a.html", Some("a.html")),
            ("./a//b/../c.html", Some("a/c.html")),
            (".well-known/a", Some(".well-known/a")),
            ("a b%20.txt", Some("a b%20.txt")),
            ("", None),
            ("/", None),
            ("a/", None),
            ("..", None),
            ("a/..", None),
            ("../a", None),
            ("a/../../b", None),
            ("/../etc/passwd", None),
            (".hidden", None),
            ("a/.git/config", None),
            ("a/.well-known", None),
            ("a\0.html", None),
        ] {
            assert_eq!(relative(path).as_deref(), expected, "{path:?}");
        }
    }
}
