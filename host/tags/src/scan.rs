//! Finds the tags in the bytes of a page, in both forms, in one pass.

use memchr::memmem::{self, Finder};

/// How far a `$` tag is looked through for its end where it is only asked whether there are tags: as far as pages may have it.
const DOLLAR_BYTES_MAX: usize = 4096;

/// Which forms of tags a page may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `<!--#4DTEXT x-->` and `$4DTEXT(x)`: pages asked for by their URL, and included ones.
    All,
    /// `<!--#4DTEXT x-->` only: what a component sends, and what tags insert.
    Comments,
}

/// What a tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Text,
    Html,
    Eval,
    Code,
    Script,
    If,
    ElseIf,
    Else,
    EndIf,
    Loop,
    EndLoop,
    Each,
    EndEach,
    Include,
    Base,
}

/// Keywords after `4D`, with the names of old versions.
const KEYWORDS: &[(&str, Keyword)] = &[
    ("TEXT", Keyword::Text),
    ("HTML", Keyword::Html),
    ("EVAL", Keyword::Eval),
    ("CODE", Keyword::Code),
    ("SCRIPT", Keyword::Script),
    ("IF", Keyword::If),
    ("ELSEIF", Keyword::ElseIf),
    ("ELSE", Keyword::Else),
    ("ENDIF", Keyword::EndIf),
    ("LOOP", Keyword::Loop),
    ("ENDLOOP", Keyword::EndLoop),
    ("EACH", Keyword::Each),
    ("ENDEACH", Keyword::EndEach),
    ("INCLUDE", Keyword::Include),
    ("BASE", Keyword::Base),
    ("VAR", Keyword::Text),
    ("HTMLVAR", Keyword::Html),
    ("ACTION", Keyword::Script),
];

/// A tag as it was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    pub(crate) keyword: Keyword,
    /// Where it starts and ends on the page.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What follows the keyword, without blanks around it.
    pub(crate) content: &'a [u8],
    /// Whether it is in the `$` form.
    pub(crate) is_dollar: bool,
}

/// Whether there are tags in a text. One search through it, unless there is what may be one.
pub fn has_tags(text: &[u8], syntax: Syntax) -> bool {
    // Most texts have neither; that is found out before anything is made ready.
    let may_have = memmem::find(text, b"<!--").is_some()
        || (syntax == Syntax::All && memmem::find(text, b"$4").is_some());
    may_have
        && Scanner::new(text, 0, syntax, DOLLAR_BYTES_MAX)
            .next()
            .is_some()
}

/// Goes through a page from tag to tag.
pub(crate) struct Scanner<'a> {
    source: &'a [u8],
    at: usize,
    /// Where the next comment starts, and the next `$4D`; the page's length where there is none.
    comment: usize,
    dollar: usize,
    /// The longest expression in the `$` form, in bytes.
    dollar_bytes_max: usize,
    comments: Finder<'static>,
    /// Where tags start that nothing ends.
    pub(crate) unended: Vec<usize>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(
        source: &'a [u8],
        at: usize,
        syntax: Syntax,
        dollar_bytes_max: usize,
    ) -> Self {
        let mut scanner = Self {
            source,
            at,
            comment: at,
            dollar: at,
            dollar_bytes_max,
            comments: Finder::new(b"<!--"),
            unended: Vec::new(),
        };
        scanner.comment = scanner.comment_from(at);
        scanner.dollar = match syntax {
            Syntax::All => scanner.dollar_from(at),
            Syntax::Comments => source.len(),
        };
        scanner
    }

    fn comment_from(&self, at: usize) -> usize {
        let rest = self.source.get(at..).unwrap_or_default();
        self.comments
            .find(rest)
            .map_or(self.source.len(), |found| at + found)
    }

    fn dollar_from(&self, at: usize) -> usize {
        let rest = self.source.get(at..).unwrap_or_default();
        memmem::find(rest, b"$4").map_or(self.source.len(), |found| at + found)
    }

    /// The next tag, or None at the end of the page.
    pub(crate) fn next(&mut self) -> Option<Tag<'a>> {
        let len = self.source.len();
        loop {
            if self.comment < self.at {
                self.comment = self.comment_from(self.at);
            }
            if self.dollar < self.at {
                self.dollar = self.dollar_from(self.at);
            }
            let start = self.comment.min(self.dollar);
            if start >= len {
                return None;
            }
            let tag = if self.comment < self.dollar {
                self.commented(start)
            } else {
                self.dollared(start)
            };
            self.at = tag.as_ref().map_or(start + 1, |tag| tag.end);
            if tag.is_some() {
                return tag;
            }
        }
    }

    /// The tag whose comment starts at `start`, if it is one.
    fn commented(&mut self, start: usize) -> Option<Tag<'a>> {
        let opened = start + b"<!--".len();
        let rest = self.source.get(opened..)?;
        let rest = rest.strip_prefix(b"#").unwrap_or(rest);
        let (keyword, rest) = keyword(rest)?;
        let Some(length) = memmem::find(rest, b"-->") else {
            self.unended.push(start);
            // Nothing ends a later one either.
            self.comment = self.source.len();
            return None;
        };
        let content = rest.get(..length)?;
        let end = self.source.len() - rest.len() + length + b"-->".len();
        Some(Tag {
            keyword,
            start,
            end,
            content: content.trim_ascii(),
            is_dollar: false,
        })
    }

    /// The tag in the `$` form at `start`, if it is one: only tags that return values have it.
    fn dollared(&self, start: usize) -> Option<Tag<'a>> {
        let (keyword, rest) = keyword(self.source.get(start + 1..)?)?;
        if !matches!(keyword, Keyword::Text | Keyword::Html | Keyword::Eval) {
            return None;
        }
        let inside = rest.strip_prefix(b"(")?;
        let length = closing(inside, self.dollar_bytes_max)?;
        let end = self.source.len() - inside.len() + length + 1;
        Some(Tag {
            keyword,
            start,
            end,
            content: inside.get(..length)?.trim_ascii(),
            is_dollar: true,
        })
    }
}

/// The keyword that `text` starts with, and what follows it.
fn keyword(text: &[u8]) -> Option<(Keyword, &[u8])> {
    let [b'4', b'd' | b'D', rest @ ..] = text else {
        return None;
    };
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let letters = rest
        .iter()
        .take(16)
        .take_while(|byte| is_letter(byte))
        .count();
    let (word, rest) = rest.split_at_checked(letters)?;
    let mut known = KEYWORDS.iter();
    let (_, keyword) = known.find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))?;
    Some((*keyword, rest))
}

/// How far the parenthesis is that closes what comes before `inside`; those in quotes and pairs do not count.
fn closing(inside: &[u8], bytes_max: usize) -> Option<usize> {
    let inside = inside.get(..bytes_max).unwrap_or(inside);
    // Most that is not closed has nothing that could close it.
    memchr::memchr(b')', inside)?;
    let mut open = 0_usize;
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, byte) in inside.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'(' => open += 1,
            b')' if open == 0 => return Some(at),
            b')' => open -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(page: &str, syntax: Syntax) -> Vec<(Keyword, String, String)> {
        let mut scanner = Scanner::new(page.as_bytes(), 0, syntax, 100);
        let mut tags = Vec::new();
        while let Some(tag) = scanner.next() {
            let content = String::from_utf8_lossy(tag.content).into_owned();
            tags.push((tag.keyword, content, page[tag.start..tag.end].to_owned()));
        }
        tags
    }

    #[test]
    fn tags_are_found_in_all_their_forms() {
        for (page, keyword, content) in [
            ("<!--#4DTEXT x-->", Keyword::Text, "x"),
            ("<!--#4dText  x.y -->", Keyword::Text, "x.y"),
            ("<!--4DVAR x-->", Keyword::Text, "x"),
            ("<!--#4DVAR x-->", Keyword::Text, "x"),
            ("<!--4DHTMLVAR x-->", Keyword::Html, "x"),
            ("<!--#4DEVAL(x)-->", Keyword::Eval, "(x)"),
            ("<!--4DACTION/m/p-->", Keyword::Script, "/m/p"),
            ("<!--#4DCODE\r\na:=1\n-->", Keyword::Code, "a:=1"),
            ("<!--#4DENDIF-->", Keyword::EndIf, ""),
            ("$4DTEXT(x)", Keyword::Text, "x"),
            (
                "$4deval(f((1);\")\\\")\"))",
                Keyword::Eval,
                "f((1);\")\\\")\")",
            ),
        ] {
            let around = format!("<p>$4<!-- {page}>");
            let expected = (keyword, content.to_owned(), page.to_owned());
            assert_eq!(tags(&around, Syntax::All), [expected], "{page}");
        }
    }

    #[test]
    fn a_text_has_tags_if_a_scanner_finds_some() {
        for (text, in_comments, in_all) in [
            ("", false, false),
            ("<!-- x --> $4 $4DTEXT", false, false),
            ("<!--#4DTEXT x", false, false),
            ("<!--#4DTEXT x-->", true, true),
            ("<!----><!--4DENDIF-->", true, true),
            ("$4DTEXT(x)", false, true),
        ] {
            let text = text.as_bytes();
            assert_eq!(has_tags(text, Syntax::Comments), in_comments, "{text:?}");
            assert_eq!(has_tags(text, Syntax::All), in_all, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_quite_a_tag_stays_text() {
        for page in [
            "<!--#4DTEXTS x-->",
            "<!--#4DTEXT_ x-->",
            "<!-- #4DTEXT x -->",
            "<!--#5DTEXT x-->",
            "<!--#4D-->",
            "<!---->",
            "<!--",
            "<!--#4DTEXT x",
            "$4DTEXT",
            "$4DTEXT (x)",
            "$4DTEXT(x",
            "$4DIF(x)",
            "$4DTEXT(\")",
            "$$4",
        ] {
            assert_eq!(tags(page, Syntax::All), [], "{page}");
        }
        assert_eq!(tags("$4DTEXT(x)", Syntax::Comments), []);
    }

    #[test]
    fn a_tag_that_nothing_ends_is_told_once() {
        let mut scanner = Scanner::new(b"<!--#4DTEXT x <!--#4DIF y", 0, Syntax::All, 100);
        assert_eq!(scanner.next(), None);
        assert_eq!(scanner.unended, [0]);
    }

    #[test]
    fn tags_follow_one_another_in_both_forms() {
        let found = tags("$4DTEXT(a)<!--#4DTEXT $4DTEXT(b)-->$4DTEXT(c)", Syntax::All);
        let contents: Vec<_> = found
            .iter()
            .map(|(_, content, _)| content.as_str())
            .collect();
        assert_eq!(contents, ["a", "$4DTEXT(b)", "c"]);
    }
}
