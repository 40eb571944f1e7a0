//! The files of the page, which are in the binary: no other file is ever read or asked for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use hyper::{Response, StatusCode};
use sha2::{Digest, Sha256};

/// What a file is sent as.
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

macro_rules! asset {
    ($name:literal, $kind:expr) => {
        (
            $name,
            $kind,
            include_bytes!(concat!("../../../assets/webadmin/", $name)),
        )
    };
}

/// Everything that the two documents ask for, below `/webadmin/`.
static FILES: &[(&str, &str, &[u8])] = &[
    asset!("style.css", STYLE),
    asset!("detail.css", STYLE),
    asset!("main.js", SCRIPT),
    asset!("api.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("figures.js", SCRIPT),
    asset!("charts.js", SCRIPT),
    asset!("list.js", SCRIPT),
    asset!("detail.js", SCRIPT),
    asset!("settings.js", SCRIPT),
    asset!("deploy.js", SCRIPT),
    asset!("icon.svg", IMAGE),
];

/// The page itself, for who has logged in.
pub(super) const PAGE: &str = include_str!("../../../assets/webadmin/index.html");
/// Where the access key is asked for. Works without scripts.
const LOGIN: &str = include_str!("../../../assets/webadmin/login.html");
/// Where the login says what was wrong.
const MESSAGE: &str = "<!-- message -->";

/// The files with their validators.
#[derive(Debug)]
pub(super) struct Assets(Vec<Asset>);

#[derive(Debug)]
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static [u8],
    tag: HeaderValue,
}

impl Assets {
    pub(super) fn new() -> Self {
        let assets = FILES.iter().map(|(name, kind, content)| {
            let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(content)));
            Asset {
                name,
                kind,
                content,
                // Letters and digits are always fit for one.
                tag: HeaderValue::try_from(tag)
                    .unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
            }
        });
        Self(assets.collect())
    }

    /// A file by its name; 304 if whoever asks has it.
    pub(super) fn find(&self, name: &str, headers: &HeaderMap) -> Option<Response<Full<Bytes>>> {
        let asset = self.0.iter().find(|asset| asset.name == name)?;
        let is_known = headers.get(IF_NONE_MATCH) == Some(&asset.tag);
        let mut response = match is_known {
            true => Response::new(Full::default()),
            false => Response::new(Bytes::from_static(asset.content).into()),
        };
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
        fields.insert(ETAG, asset.tag.clone());
        // Another version of the host may answer next time.
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Some(response)
    }
}

/// The page where one logs in, with what was wrong the last time, which is a text of our own.
pub(super) fn login(wrong: Option<&str>) -> String {
    let message = wrong.map_or_else(String::new, |wrong| {
        let wrong = wrong.replace('&', "&amp;").replace('<', "&lt;");
        format!("<p class=\"message\" role=\"alert\" id=\"wrong\">{wrong}</p>")
    });
    LOGIN.replace(MESSAGE, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_ask_for_nothing_that_is_not_here() {
        for document in [PAGE, LOGIN] {
            let links = document.split(['"', '\'']).filter(|it| it.ends_with(".js"));
            let others = document.split('"').filter(|it| {
                it.ends_with(".css") || it.ends_with(".svg") || it.starts_with("http")
            });
            for link in links.chain(others) {
                let name = link.strip_prefix("/webadmin/");
                let is_here = name.is_some_and(|name| FILES.iter().any(|it| it.0 == name));
                assert!(is_here, "{link}");
            }
        }
    }

    #[test]
    fn modules_import_what_is_here() {
        for (name, _, content) in FILES {
            let text = std::str::from_utf8(content).unwrap();
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let from = line.split('"').nth(1).unwrap();
                let wanted = from.strip_prefix("./");
                let is_here = wanted.is_some_and(|wanted| FILES.iter().any(|it| it.0 == wanted));
                assert!(is_here, "{name}: {line}");
            }
        }
    }

    #[test]
    fn nothing_stands_in_the_documents_that_the_policy_forbids() {
        for document in [PAGE, LOGIN] {
            for inline in [" style=", "<style", " onclick", " onload", "javascript:"] {
                assert!(!document.contains(inline), "{inline}");
            }
            for script in document.split("<script").skip(1) {
                assert!(script.trim_start().starts_with("type=\"module\" src="));
            }
        }
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let assets = Assets::new();
        let mut headers = HeaderMap::new();
        let response = assets.find("main.js", &headers).unwrap();
        assert_eq!(response.status(), 200);
        headers.insert(IF_NONE_MATCH, response.headers()[ETAG].clone());
        assert_eq!(assets.find("main.js", &headers).unwrap().status(), 304);
        assert_eq!(assets.find("style.css", &headers).unwrap().status(), 200);
        assert!(assets.find("nothing.js", &headers).is_none());
    }

    #[test]
    fn a_login_says_what_was_wrong() {
        assert!(!login(None).contains("role=\"alert\""));
        assert!(login(Some("a < b")).contains("a &lt; b</p>"));
    }
}
