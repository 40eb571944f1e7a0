//! Where in an HTML document browsers decode character references, and where they take every character as it is.

use std::ops::RangeInclusive;

/// The elements whose content is text only, and whether references in it are decoded.
const TEXT_ELEMENTS: [(&str, bool); 9] = [
    ("script", false),
    ("style", false),
    ("title", true),
    ("textarea", true),
    ("xmp", false),
    ("iframe", false),
    ("noembed", false),
    ("noframes", false),
    ("plaintext", false),
];
/// The one that has no end.
const ENDLESS: &str = "plaintext";

/// The pieces of a document in their order, each with whether references are decoded in it. Where that is hard to tell,
/// they are not: then characters stay as they are, which is never wrong.
pub(super) struct Pieces<'a> {
    rest: &'a str,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Text,
    /// In a tag, outside of values in quotes.
    Tag(After),
    /// In a value in these quotes.
    Value(char, After),
    /// In an element of text only.
    Element(&'static str, bool),
}

/// What follows a tag: the content of one of [`TEXT_ELEMENTS`], or anything.
type After = Option<(&'static str, bool)>;

impl<'a> Pieces<'a> {
    pub(super) fn of(document: &'a str) -> Self {
        Self {
            rest: document,
            state: State::Text,
        }
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (piece, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        piece
    }

    fn markup(&mut self) -> (&'a str, bool) {
        let length = |end: Option<usize>| end.unwrap_or(self.rest.len());
        if let Some(comment) = self.rest.strip_prefix("<!--") {
            return (
                self.take(length(comment_end(comment).map(|end| 4 + end))),
                false,
            );
        }
        if self.rest.starts_with("<![CDATA[") {
            return (self.take(length(end_of(self.rest, "]]>"))), false);
        }
        let is_tag = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic());
        let (name, is_end_tag) = match self.rest.strip_prefix("</") {
            Some(name) => (name, true),
            None => (self.rest.get(1..).unwrap_or_default(), false),
        };
        if !is_tag(name) {
            // A declaration, or something that browsers take for a comment.
            return (self.take(length(end_of(self.rest, ">"))), false);
        }
        let name_length = name
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
            .unwrap_or(name.len());
        let is_named =
            |(element, _): &&(&str, bool)| name[..name_length].eq_ignore_ascii_case(element);
        let after = TEXT_ELEMENTS.iter().find(is_named).copied();
        self.state = State::Tag(after.filter(|_| !is_end_tag));
        let before = if is_end_tag { 2 } else { 1 };
        (self.take(before + name_length), false)
    }

    fn tag(&mut self, after: After) -> (&'a str, bool) {
        let mut last = None;
        for (at, c) in self.rest.char_indices() {
            match c {
                '>' => {
                    self.state = match after {
                        Some((element, decodes)) => State::Element(element, decodes),
                        None => State::Text,
                    };
                    return (self.take(at + 1), false);
                }
                // Elsewhere a quote is part of a name.
                '"' | '\'' if last == Some('=') => {
                    self.state = State::Value(c, after);
                    return (self.take(at + 1), false);
                }
                c if c.is_ascii_whitespace() => {}
                c => last = Some(c),
            }
        }
        (self.take(self.rest.len()), false)
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (&'a str, bool);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(match self.state {
            State::Text => match markup_start(self.rest) {
                Some(0) => self.markup(),
                Some(start) => (self.take(start), true),
                None => (self.take(self.rest.len()), true),
            },
            State::Tag(after) => self.tag(after),
            State::Value(quote, after) => {
                self.state = State::Tag(after);
                let end = self.rest.find(quote).unwrap_or(self.rest.len());
                match end {
                    // The quote itself, which does not begin a value: the tag goes on after it.
                    0 => (self.take(1), false),
                    _ => {
                        if end < self.rest.len() {
                            self.state = State::Value(quote, after);
                        }
                        (self.take(end), true)
                    }
                }
            }
            State::Element(name, decodes) => {
                self.state = State::Text;
                let end = element_end(self.rest, name).unwrap_or(self.rest.len());
                (self.take(end), decodes)
            }
        })
    }
}

/// Where the next `<` stands that begins a tag, a comment or a declaration.
fn markup_start(text: &str) -> Option<usize> {
    const LETTERS: [RangeInclusive<u8>; 2] = [b'a'..=b'z', b'A'..=b'Z'];
    let begins = |at: &usize| match text.as_bytes().get(at + 1) {
        Some(b'!' | b'/' | b'?') => true,
        Some(byte) => LETTERS.iter().any(|letters| letters.contains(byte)),
        None => false,
    };
    text.match_indices('<').map(|(at, _)| at).find(begins)
}

/// Where `text` goes on after `mark`.
fn end_of(text: &str, mark: &str) -> Option<usize> {
    text.find(mark).map(|at| at + mark.len())
}

/// Where the text after a comment begins; `comment` is what follows `<!--`.
fn comment_end(comment: &str) -> Option<usize> {
    for empty in [">", "->"] {
        if comment.starts_with(empty) {
            return Some(empty.len());
        }
    }
    // Looked at once, however many comments follow.
    let ends = |at: &usize| {
        let before = comment.get(..*at).unwrap_or_default();
        before.ends_with("--") || before.ends_with("--!")
    };
    let mut closing = comment.match_indices('>').map(|(at, _)| at);
    closing.find(ends).map(|at| at + 1)
}

/// Where the end tag of an element of text only begins.
fn element_end(text: &str, name: &str) -> Option<usize> {
    if name == ENDLESS {
        return None;
    }
    let is_end = |at: &usize| {
        let after = text.get(at + 2..).unwrap_or_default();
        let named = after
            .get(..name.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(name));
        let next = after.as_bytes().get(name.len());
        named && next.is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>'))
    };
    text.match_indices("</").map(|(at, _)| at).find(is_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document with what is decoded in brackets.
    fn marked(document: &str) -> String {
        let mut marked = String::new();
        let mut all = String::new();
        let mut was_decoded = false;
        for (piece, decodes) in Pieces::of(document) {
            all += piece;
            if decodes != was_decoded {
                marked.push(if decodes { '[' } else { ']' });
                was_decoded = decodes;
            }
            marked += piece;
        }
        assert_eq!(all, document, "nothing is lost");
        marked
    }

    #[test]
    fn references_are_decoded_in_text_and_in_values() {
        for (document, expected) in [
            ("é", "[é"),
            ("<p>é</p>é", "<p>[é]</p>[é"),
            (
                "<p title=\"é>\" lang='é'>é",
                "<p title=\"[é>]\" lang='[é]'>[é",
            ),
            ("<p a=\"\" b=\"é\">é", "<p a=\"\" b=\"[é]\">[é"),
            ("<p a = \"é\">", "<p a = \"[é]\">"),
            ("<p title=é>é", "<p title=é>[é"),
            ("<p it's é>é", "<p it's é>[é"),
            ("<élément>é", "[<élément>é"),
            ("<p-é>é", "<p-é>[é"),
            ("a < é <3 é", "[a < é <3 é"),
            ("<title>é</title>é", "<title>[é]</title>[é"),
            ("<textarea><b é></textarea>", "<textarea>[<b é>]</textarea>"),
            ("<p a=\"é", "<p a=\"[é"),
            ("é<", "[é<"),
        ] {
            assert_eq!(marked(document), expected);
        }
    }

    #[test]
    fn they_are_not_in_scripts_styles_and_comments() {
        for (document, expected) in [
            ("<script>'é'</script>é", "<script>'é'</script>[é"),
            (
                "<SCRIPT a=\"é\">'</p>é'</Script >é",
                "<SCRIPT a=\"[é]\">'</p>é'</Script >[é",
            ),
            (
                "<script>é</scripts></script>é",
                "<script>é</scripts></script>[é",
            ),
            ("<scripts>é", "<scripts>[é"),
            ("<style>é</style>é", "<style>é</style>[é"),
            ("<script>é", "<script>é"),
            ("<plaintext>é</plaintext>é", "<plaintext>é</plaintext>é"),
            ("<!-- é > é -->é", "<!-- é > é -->[é"),
            ("<!-->é", "<!-->[é"),
            ("<!--->é", "<!--->[é"),
            ("<!-- é --!>é", "<!-- é --!>[é"),
            ("<!---->é", "<!---->[é"),
            ("<!-- é --->é", "<!-- é --->[é"),
            ("<!-- é --!é-->é", "<!-- é --!é-->[é"),
            ("<!-- é -- >é", "<!-- é -- >é"),
            ("<!-- é", "<!-- é"),
            ("<!doctype é>é", "<!doctype é>[é"),
            ("<?é?>é", "<?é?>[é"),
            ("</é>é", "</é>[é"),
            ("<![CDATA[é>é]]>é", "<![CDATA[é>é]]>[é"),
        ] {
            assert_eq!(marked(document), expected);
        }
    }

    #[test]
    fn a_document_of_many_comments_is_read_once() {
        // Read to its end for each of them, it would take hours.
        let document = "<!-- x -->".repeat(200_000);
        assert_eq!(Pieces::of(&document).count(), 200_000);
    }

    #[test]
    fn no_document_panics_or_loses_anything() {
        let parts = [
            "<", ">", "!", "--", "-", "\"", "'", "=", "/", "script", "style", "title", "é", " ",
            "a", "[CDATA[", "]]>", "?",
        ];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..20_000 {
            let mut document = String::new();
            for _ in 0..seed % 24 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                document += parts[usize::try_from(seed % parts.len() as u64).unwrap()];
            }
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            marked(&document);
        }
    }
}
