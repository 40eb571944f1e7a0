//! A file as it is sent: everything that a response to it needs, made once.

use std::fs::{File, Metadata};
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_TYPE, ETAG, LAST_MODIFIED, SERVER, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use tessera_tags::{Syntax, has_tags};

use super::cache::{Origin, Variant};
use super::conditional::Validators;
use super::media::Media;
use super::template::Templates;
use crate::http::{Content, StoredFile};
use crate::response::SERVER_NAME;

/// Files up to this size are read at once where the request is handled: one that the system has in memory takes less
/// time than a switch to another thread would.
const READ_AT_ONCE_BYTES_MAX: u64 = 64 * 1024;

const NO_GUESSING: HeaderValue = HeaderValue::from_static("nosniff");
const ON_CODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");

/// A file as it is sent.
pub struct Page {
    /// Relative to the root.
    path: Box<[u8]>,
    head: HeaderMap,
    /// The head of a response with the whole content, as it is sent, once it was asked for.
    whole_head: OnceLock<Bytes>,
    /// That of a 304.
    unchanged_head: OnceLock<Bytes>,
    validators: Validators,
    /// None is a form that was not worth it; the bytes are in the page itself.
    content: Option<Content>,
    is_compressible: bool,
    /// Its type is one that tags are looked for in, and it has some, or is too large to know.
    is_semi_dynamic: bool,
    templates: Templates,
    pub(super) origin: Origin,
    /// When it was last seen to be what is on disk, and how many changes of its root were known then.
    checked: AtomicU64,
    changes: AtomicU64,
    hits: AtomicU64,
}

impl Page {
    /// A file that is read as it is sent.
    pub(super) fn streamed(
        path: Vec<u8>,
        media: Media,
        file: File,
        metadata: &Metadata,
        origin: Origin,
    ) -> Self {
        let validators = Validators::of(metadata, None);
        let mut head = HeaderMap::with_capacity(8);
        head.insert(SERVER, SERVER_NAME);
        head.insert(CONTENT_TYPE, media.content_type);
        // The type is the name's: a browser that guesses another from the content may run what was only to be shown.
        head.insert(X_CONTENT_TYPE_OPTIONS, NO_GUESSING);
        head.insert(ACCEPT_RANGES, BYTES);
        head.insert(ETAG, validators.etag.clone());
        if let Some(date) = validators.modified.map(httpdate::fmt_http_date)
            && let Ok(date) = HeaderValue::try_from(date)
        {
            head.insert(LAST_MODIFIED, date);
        }
        if media.is_compressible {
            // Also where it is too small to be compressed: it may grow, and caches remember.
            head.insert(VARY, ON_CODING);
        }
        Self {
            path: path.into(),
            head,
            whole_head: OnceLock::new(),
            unchanged_head: OnceLock::new(),
            validators,
            content: Some(Content::File(StoredFile::new(file, metadata))),
            is_compressible: media.is_compressible,
            is_semi_dynamic: media.is_semi_dynamic,
            templates: Templates::default(),
            origin,
            checked: AtomicU64::default(),
            changes: AtomicU64::default(),
            hits: AtomicU64::default(),
        }
    }

    /// The same with its content in memory, if that can be read.
    pub(super) async fn in_memory(self) -> io::Result<Self> {
        let Some(Content::File(file)) = &self.content else {
            return Ok(self);
        };
        let bytes = if file.length() <= READ_AT_ONCE_BYTES_MAX {
            file.read()?
        } else {
            let file = file.clone();
            let reading = tokio::task::spawn_blocking(move || file.read());
            reading.await.map_err(io::Error::other)??
        };
        Ok(Self {
            is_semi_dynamic: self.is_semi_dynamic && has_tags(&bytes, Syntax::All),
            content: Some(Content::Memory(bytes)),
            ..self
        })
    }

    /// Another form of this page's content, in memory. `None` is one that is not worth it.
    pub(super) fn coded(&self, variant: Variant, bytes: Option<Bytes>) -> Self {
        let mut validators = self.validators.clone();
        validators.mark(variant);
        let mut head = self.head.clone();
        head.insert(ETAG, validators.etag.clone());
        head.insert(CONTENT_ENCODING, variant.coding.token());
        Self {
            path: self.path.clone(),
            head,
            whole_head: OnceLock::new(),
            unchanged_head: OnceLock::new(),
            validators,
            content: bytes.map(Content::Memory),
            is_compressible: false,
            is_semi_dynamic: false,
            templates: Templates::default(),
            origin: self.origin.clone(),
            checked: AtomicU64::default(),
            changes: AtomicU64::default(),
            hits: AtomicU64::default(),
        }
    }

    /// Another form of this page's content, from the file beside it.
    pub(super) fn sibling(&self, variant: Variant, file: File, metadata: &Metadata) -> Self {
        let mut validators = Validators::of(metadata, self.validators.modified);
        validators.mark(variant);
        let mut page = self.coded(variant, None);
        page.head.insert(ETAG, validators.etag.clone());
        page.validators = validators;
        page.content = Some(Content::File(StoredFile::new(file, metadata)));
        page
    }

    /// Whether responses depend on Accept-Encoding.
    pub fn varies(&self) -> bool {
        self.head.contains_key(VARY)
    }

    /// What every response with the content has, but for its length.
    pub(super) fn head(&self) -> &HeaderMap {
        &self.head
    }

    /// The head of a response with the whole content, from the status line to the end of its length; what differs from
    /// time to time is not in it, nor the end of the head.
    pub(super) fn whole_head(&self) -> &Bytes {
        self.whole_head.get_or_init(|| {
            let mut text = self.head_text("200 OK", &[]);
            let length = format!("content-length: {}\r\n", self.length());
            text.extend_from_slice(length.as_bytes());
            text.into()
        })
    }

    /// The same of a response to whoever has it already.
    pub(super) fn unchanged_head(&self) -> &Bytes {
        self.unchanged_head.get_or_init(|| {
            // As in `response::finish`.
            let unsaid = [CONTENT_TYPE, CONTENT_ENCODING];
            self.head_text("304 Not Modified", &unsaid).into()
        })
    }

    fn head_text(&self, status: &str, unsaid: &[HeaderName]) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {status}\r\n").into_bytes();
        for (name, value) in self.head.iter().filter(|(name, _)| !unsaid.contains(name)) {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        text
    }

    /// Its path, relative to the root.
    pub(crate) fn path(&self) -> &[u8] {
        &self.path
    }

    pub(super) fn validators(&self) -> &Validators {
        &self.validators
    }

    /// Bytes of the content.
    pub fn length(&self) -> u64 {
        self.content.as_ref().map_or(0, Content::length)
    }

    /// What it takes in memory beside its head, in bytes.
    pub(super) fn bytes_in_memory(&self) -> usize {
        self.in_memory_bytes().map_or(0, Bytes::len) + self.templates.weight()
    }

    /// Whether it is to be rendered when it is asked for by its URL.
    pub fn is_semi_dynamic(&self) -> bool {
        self.is_semi_dynamic
    }

    pub(super) fn templates(&self) -> &Templates {
        &self.templates
    }

    pub(super) fn in_memory_bytes(&self) -> Option<&Bytes> {
        match &self.content {
            Some(Content::Memory(bytes)) => Some(bytes),
            Some(Content::File(_)) | None => None,
        }
    }

    pub(super) fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }

    pub(super) fn is_compressible(&self) -> bool {
        self.is_compressible
    }

    /// Whether there are files beside it that hold the same in a compressed form.
    pub(super) fn has_siblings(&self) -> bool {
        self.origin.has_siblings()
    }

    pub(super) fn is_worth_it(&self) -> bool {
        self.content.is_some()
    }

    pub(super) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Whether it answered a request from memory before, or does so now.
    pub(crate) fn is_hit(&self) -> bool {
        self.hits() > 0
    }

    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes when it was found to be what is on disk, knowing so many changes of its root.
    pub(super) fn check(&self, now: u64, changes: u64) {
        self.changes.store(changes, Ordering::Relaxed);
        self.checked.store(now, Ordering::Release);
    }

    /// Whether it was found to be what is on disk less than `interval` milliseconds ago, and nothing has changed since.
    pub(super) fn is_fresh(&self, now: u64, changes: u64, interval: u64) -> bool {
        let checked = self.checked.load(Ordering::Acquire);
        now.saturating_sub(checked) < interval && self.changes.load(Ordering::Relaxed) == changes
    }
}
