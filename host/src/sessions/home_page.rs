//! The home page that a component has set for one client.

use ::http::header::HeaderMap;
use memchr::memmem;

use super::ServerSessions;

impl ServerSessions {
    /// Whether a request may be one of a session, going by its fields as they were sent.
    pub fn may_be_named(&self, fields: &[u8]) -> bool {
        memmem::find(fields, self.cookie.name().as_bytes()).is_some()
    }

    /// The home page of the client that sent a request, relative to the HTML root; none if it has the default one, as
    /// where the store fails.
    pub async fn home_page(&self, headers: &HeaderMap) -> Option<String> {
        let token = self.cookie.find(headers)?;
        let held = self.load(&token).await.ok()??;
        Some(held.record.home_page).filter(|page| !page.is_empty())
    }
}
