//! The files of the HTML root, as a web process sees them; the host answers through [`WebFolder`].

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::HeaderValue;
use tessera_tags::Template;

/// What is looked up in a [`WebFolder`].
pub type Lookup<'a, T> = Pin<Box<dyn Future<Output = Option<T>> + Send + 'a>>;

/// The HTML root of a web server. Paths are relative to it, and none leads out of it. Implemented by the host.
pub trait WebFolder: Send + Sync + 'static {
    /// What WEB SEND FILE sends; none if there is no such file.
    fn document(&self, path: &str) -> Lookup<'_, Document>;
    /// The page that 4DINCLUDE inserts, compiled; none if there is no such file.
    fn included(&self, path: &str) -> Lookup<'_, Arc<Template>>;
}

/// A file of the HTML root, as it is sent.
#[derive(Clone)]
pub struct Document {
    /// Its path, which those of included pages are relative to.
    pub path: Arc<str>,
    /// The file compiled, if it has tags; none if it is sent as it is.
    pub template: Option<Arc<Template>>,
    /// The content type of what is made of it, with the file's own character set if it says one.
    pub content_type: HeaderValue,
    /// What the host sends it from.
    pub file: Arc<dyn Any + Send + Sync>,
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Eq for Document {}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("path", &self.path)
            .field("has_tags", &self.template.is_some())
            .finish_non_exhaustive()
    }
}
