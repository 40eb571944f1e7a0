//! What a client is asked for: the values of `WWW-Authenticate`.

use ::http::header::WWW_AUTHENTICATE;
use ::http::{HeaderMap, HeaderValue};

use super::digest::Algorithm;

/// RFC 7617: names and passwords are UTF-8.
fn basic(realm: &str) -> String {
    format!("Basic realm=\"{realm}\", charset=\"UTF-8\"")
}

/// RFC 7616. A nonce that was good once asks for no new password.
fn digest(realm: &str, algorithm: Algorithm, nonce: &str, is_stale: bool) -> String {
    let stale = if is_stale { ", stale=true" } else { "" };
    format!(
        "Digest realm=\"{realm}\", qop=\"auth\", algorithm={}, nonce=\"{nonce}\", charset=UTF-8{stale}",
        algorithm.name()
    )
}

/// Adds the challenge of BASIC, unless there is one already.
pub(super) fn add_basic(headers: &mut HeaderMap, realm: &str) {
    if !headers.contains_key(WWW_AUTHENTICATE) {
        add(headers, basic(realm));
    }
}

/// Adds the challenges of DIGEST, unless there is one already: clients take the first that they can.
pub(super) fn add_digest(headers: &mut HeaderMap, realm: &str, nonce: &str, is_stale: bool) {
    if headers.contains_key(WWW_AUTHENTICATE) {
        return;
    }
    for algorithm in Algorithm::OFFERED {
        add(headers, digest(realm, algorithm, nonce, is_stale));
    }
}

fn add(headers: &mut HeaderMap, challenge: String) {
    // Realms that are no header values are refused where settings are read.
    if let Ok(value) = HeaderValue::try_from(challenge) {
        headers.append(WWW_AUTHENTICATE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(headers: &HeaderMap) -> Vec<&str> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn challenges_are_those_of_the_documents() {
        let mut headers = HeaderMap::new();
        add_basic(&mut headers, "The shop");
        add_basic(&mut headers, "again");
        let expected = ["Basic realm=\"The shop\", charset=\"UTF-8\""];
        assert_eq!(values(&headers), expected);

        let mut headers = HeaderMap::new();
        add_digest(&mut headers, "shop", "abc", false);
        let expected = [
            "Digest realm=\"shop\", qop=\"auth\", algorithm=SHA-256, nonce=\"abc\", charset=UTF-8",
            "Digest realm=\"shop\", qop=\"auth\", algorithm=MD5, nonce=\"abc\", charset=UTF-8",
        ];
        assert_eq!(values(&headers), expected);
        let mut headers = HeaderMap::new();
        add_digest(&mut headers, "shop", "abc", true);
        assert!(values(&headers)[0].ends_with(", stale=true"));
    }
}
