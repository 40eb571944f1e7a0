//! Text made safe between HTML tags and in quoted attributes.

/// What stands for `byte` where it would mean something to a browser.
fn stands_for(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&quot;",
        b'\'' => "&#39;",
        _ => return None,
    })
}

/// Which bytes need something to stand for them.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    special[b'&' as usize] = true;
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'"' as usize] = true;
    special[b'\'' as usize] = true;
    special
};

/// Hands `text` on in pieces, escaped.
pub(crate) fn escape(text: &str, mut piece: impl FnMut(&str)) {
    let is_special = |byte: u8| SPECIAL.get(usize::from(byte)).copied().unwrap_or_default();
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_special) {
        // What is special is one byte long, so that both sides are text.
        let (plain, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        if !plain.is_empty() {
            piece(plain);
        }
        if let Some(instead) = after.bytes().next().and_then(stands_for) {
            piece(instead);
        }
        rest = after.get(1..).unwrap_or_default();
    }
    if !rest.is_empty() {
        piece(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_a_browser_is_escaped() {
        let mut escaped = String::new();
        escape("<a href=\"x\" id='y'>ä & b</a>", |piece| {
            escaped.push_str(piece)
        });
        assert_eq!(
            escaped,
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;ä &amp; b&lt;/a&gt;"
        );
        let mut same = String::new();
        escape("nothing special: é", |piece| same.push_str(piece));
        assert_eq!(same, "nothing special: é");
    }
}
