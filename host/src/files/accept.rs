//! Which media types a client wants to see: Accept, RFC 9110, section 12.5.1.

use ::http::HeaderMap;
use ::http::header::ACCEPT;

/// Most members of the field that are looked at; browsers send seven or so.
const MEMBERS_MAX: usize = 32;

/// Whether a page is asked for as browsers do when somebody goes to an address: they name HTML, where scripts, images and
/// programs take anything or name something else.
pub(super) fn names_html(headers: &HeaderMap) -> bool {
    members(headers).any(|(range, weight)| range.eq_ignore_ascii_case("text/html") && weight > 0.0)
}

/// Whether JSON is liked better than HTML.
pub(super) fn prefers_json(headers: &HeaderMap) -> bool {
    weight(headers, "application", "json") > weight(headers, "text", "html")
}

/// What the most specific member says of a type; that of a client that says nothing is 1.
fn weight(headers: &HeaderMap, kind: &str, subtype: &str) -> f32 {
    if !headers.contains_key(ACCEPT) {
        return 1.0;
    }
    let mut best = (0, 0.0);
    for (range, weight) in members(headers) {
        let (range_kind, range_subtype) = range.split_once('/').unwrap_or((range, ""));
        let is_kind = range_kind.eq_ignore_ascii_case(kind);
        let specific = match (range_kind, range_subtype) {
            _ if is_kind && range_subtype.eq_ignore_ascii_case(subtype) => 3,
            (_, "*") if is_kind => 2,
            ("*", "*") => 1,
            _ => continue,
        };
        if specific > best.0 {
            best = (specific, weight);
        }
    }
    best.1
}

/// The media ranges and their weights. What is malformed counts as not said.
fn members(headers: &HeaderMap) -> impl Iterator<Item = (&str, f32)> {
    let fields = headers.get_all(ACCEPT).into_iter();
    let members = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','));
    members.take(MEMBERS_MAX).filter_map(|member| {
        let mut parts = member.split(';').map(str::trim);
        let range = parts.next().filter(|range| range.contains('/'))?;
        let weight = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
        });
        let weight = weight.map_or(Ok(1.0), str::parse::<f32>).ok()?;
        (0.0..=1.0).contains(&weight).then_some((range, weight))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSER: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    fn asked(accept: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        headers
    }

    #[test]
    fn who_goes_to_an_address_names_html() {
        for (accept, expected) in [
            (BROWSER, true),
            ("text/html", true),
            ("Text/HTML; level=1; q=0.1", true),
            ("application/json, text/html;q=0.9", true),
            ("*/*", false),
            ("text/*", false),
            ("text/html;q=0", false),
            ("text/html;q=2", false),
            ("text/html;q=x", false),
            ("application/json", false),
            ("image/avif,image/webp,*/*;q=0.8", false),
            ("text/css,*/*;q=0.1", false),
            ("text/htmlx", false),
            ("", false),
        ] {
            assert_eq!(names_html(&asked(accept)), expected, "{accept}");
        }
        assert!(!names_html(&HeaderMap::new()));
        assert!(!names_html(&asked(&("a/b,".repeat(3_000) + "text/html"))));
    }

    #[test]
    fn json_is_for_those_who_like_it_better() {
        for (accept, expected) in [
            (BROWSER, false),
            ("*/*", false),
            ("application/json", true),
            ("application/json, text/html", false),
            ("application/json, text/html;q=0.9", true),
            ("application/json;q=0.5, text/html;q=0.9", false),
            ("application/json, */*", false),
            ("application/json, */*;q=0.1", true),
            ("application/*, text/*;q=0.2", true),
            ("text/html;q=0, */*", true),
            ("application/json;q=0, */*", false),
            ("", false),
        ] {
            assert_eq!(prefers_json(&asked(accept)), expected, "{accept}");
        }
        assert!(!prefers_json(&HeaderMap::new()));
    }
}
