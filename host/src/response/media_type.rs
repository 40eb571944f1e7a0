//! The name of a media type, compared as HTTP has it: without regard to case or parameters.

/// `text/html` of `Text/HTML; charset=utf-8`. Bytes: no name has others than those of ASCII.
#[derive(Clone, Copy)]
pub(super) struct MediaType<'a>(&'a [u8]);

impl<'a> MediaType<'a> {
    /// The name in a Content-Type.
    pub(super) fn of(content_type: &'a [u8]) -> Self {
        let mut parts = content_type.split(|byte| *byte == b';');
        Self(parts.next().unwrap_or_default().trim_ascii())
    }

    pub(super) fn is(self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name.as_bytes())
    }

    pub(super) fn starts_with(self, start: &str) -> bool {
        let found = self.0.get(..start.len());
        found.is_some_and(|it| it.eq_ignore_ascii_case(start.as_bytes()))
    }

    pub(super) fn ends_with(self, end: &str) -> bool {
        let at = self.0.len().checked_sub(end.len());
        let found = at.and_then(|at| self.0.get(at..));
        found.is_some_and(|it| it.eq_ignore_ascii_case(end.as_bytes()))
    }
}
