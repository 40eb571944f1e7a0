//! The HTML root, as the web processes of a server see it.

use std::sync::Arc;

use tessera_engine::{Document, Lookup, WebFolder};
use tessera_tags::Template;

use super::Serving;
use crate::files::Pages;
use crate::settings::Charset;

/// The root of a server that does not serve yet.
pub(crate) struct Folder {
    pub(crate) pages: Option<Pages>,
    pub(crate) charset: Charset,
}

impl WebFolder for Folder {
    fn document(&self, path: &str) -> Lookup<'_, Document> {
        document(self.pages.as_ref(), path, self.charset)
    }

    fn included(&self, path: &str) -> Lookup<'_, Arc<Template>> {
        included(self.pages.as_ref(), path, self.charset)
    }
}

impl WebFolder for Serving {
    fn document(&self, path: &str) -> Lookup<'_, Document> {
        document(self.pages.as_ref(), path, self.web.responses.charset)
    }

    fn included(&self, path: &str) -> Lookup<'_, Arc<Template>> {
        included(self.pages.as_ref(), path, self.web.responses.charset)
    }
}

fn document<'a>(pages: Option<&'a Pages>, path: &str, charset: Charset) -> Lookup<'a, Document> {
    let path = path.to_owned();
    Box::pin(async move { pages?.document(&path, charset).await })
}

fn included<'a>(
    pages: Option<&'a Pages>,
    path: &str,
    charset: Charset,
) -> Lookup<'a, Arc<Template>> {
    let path = path.to_owned();
    Box::pin(async move { pages?.included(&path, charset).await })
}
