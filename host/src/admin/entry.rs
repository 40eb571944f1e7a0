//! Who asks: somebody with the access key, or an operator who has logged in to the page.

use std::time::Instant;

use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, ORIGIN};
use hyper::http::request::Parts;

use super::keeper::{Admitted, Keeper};
use super::page::{Known, Visitor, Visits};
use super::problem::Problem;

/// What the page sends beside its cookie: a web page of anybody else can neither read nor send it.
pub(super) const PROOF: &str = "x-tessera-proof";
const FETCH_SITE: &str = "sec-fetch-site";
/// Cookies of the right name that are tried: other servers of this host name may have set some.
const COOKIES_MAX: usize = 4;

/// Who was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// Somebody with the key.
    Key,
    /// The page.
    Page(Visitor),
}

/// What decides whether a request is let in.
pub(super) struct Entry<'a> {
    pub(super) keeper: &'a Keeper,
    pub(super) visits: &'a Visits,
    /// The cookie of the page.
    pub(super) cookie: &'a str,
}

impl Entry<'_> {
    /// Lets a request in, or says why not. A key counts where there is one.
    pub(super) async fn admit(&self, head: &Parts) -> Result<Asker, Problem> {
        let headers = &head.headers;
        if headers.contains_key(AUTHORIZATION) {
            check_key(self.keeper, headers).await?;
            return Ok(Asker::Key);
        }
        match self.visitor(headers) {
            Known::Visitor(visitor) if is_of_own_page(headers) => Ok(Asker::Page(visitor)),
            Known::Visitor(_) | Known::Unproven => Err(Problem::forged()),
            Known::Nobody => Err(Problem::no_access()),
        }
    }

    /// Looks at a key, which is slowed down if it is wrong.
    pub(super) async fn key(&self, key: Option<&str>) -> Result<(), Problem> {
        check(self.keeper, key).await
    }

    /// Whose session the cookies of a request are of, and whether it is proven.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Known {
        let now = Instant::now();
        let proof = headers.get(PROOF).and_then(|proof| proof.to_str().ok());
        let found = cookies(headers, self.cookie)
            .take(COOKIES_MAX)
            .map(|cookie| self.visits.find(cookie, proof, now));
        found.fold(Known::Nobody, |best, known| match (best, known) {
            (Known::Visitor(_), _) | (_, Known::Nobody) => best,
            _ => known,
        })
    }
}

/// Looks at the key that a request shows, which is slowed down if it is wrong.
pub(super) async fn check_key(keeper: &Keeper, headers: &HeaderMap) -> Result<(), Problem> {
    check(keeper, bearer(headers)).await
}

async fn check(keeper: &Keeper, key: Option<&str>) -> Result<(), Problem> {
    match keeper.admit(key).await {
        Admitted::Yes => Ok(()),
        Admitted::No => Err(Problem::no_access()),
        Admitted::Later(delay) => Err(Problem::too_many_failures(delay.as_secs().max(1))),
    }
}

/// Whether a request is not one that a page of somebody else has had a browser send. Who is no browser says nothing.
pub(super) fn is_of_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|it| it.to_str().unwrap_or_default());
    let is_own_site = text(FETCH_SITE).is_none_or(|site| matches!(site, "same-origin" | "none"));
    let own = text(HOST.as_str()).unwrap_or_default();
    let is_own_origin = text(ORIGIN.as_str()).is_none_or(|origin| {
        let host = origin.strip_prefix("http://");
        host.is_some_and(|host| !host.is_empty() && host.eq_ignore_ascii_case(own))
    });
    is_own_site && is_own_origin
}

/// The values of all cookies of a name.
fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = headers.get_all(COOKIE).iter();
    let fields = fields.filter_map(|field| field.to_str().ok());
    let pairs = fields.flat_map(|field| field.split(';'));
    pairs.filter_map(move |pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

/// The key of `Authorization: Bearer KEY`; two such headers are as good as none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let fields = fields.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        });
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn a_key_is_taken_from_one_bearer_header() {
        for (values, expected) in [
            (&["Bearer abc"][..], Some("abc")),
            (&["bearer  abc "], Some("abc")),
            (&["Bearer"], None),
            (&["Bearer "], Some("")),
            (&["Basic abc"], None),
            (&[], None),
            (&["Bearer abc", "Bearer abc"], None),
        ] {
            let fields: Vec<_> = values.iter().map(|it| ("authorization", *it)).collect();
            assert_eq!(bearer(&headers(&fields)), expected, "{values:?}");
        }
    }

    #[test]
    fn cookies_are_found_among_others() {
        let headers = headers(&[
            ("cookie", "a=1; page=x; pages=2"),
            ("cookie", "page=y=z;page"),
        ]);
        let found: Vec<_> = cookies(&headers, "page").collect();
        assert_eq!(found, ["x", "y=z"]);
    }

    #[test]
    fn other_pages_are_told_by_what_browsers_say() {
        let host = ("host", "127.0.0.1:7080");
        for (fields, expected) in [
            (&[host][..], true),
            (&[host, ("origin", "http://127.0.0.1:7080")], true),
            (&[host, ("sec-fetch-site", "same-origin")], true),
            (&[host, ("sec-fetch-site", "none")], true),
            (&[host, ("sec-fetch-site", "same-site")], false),
            (&[host, ("sec-fetch-site", "cross-site")], false),
            // A component at another port of this machine.
            (&[host, ("origin", "http://127.0.0.1:8080")], false),
            (&[host, ("origin", "https://127.0.0.1:7080")], false),
            (&[host, ("origin", "null")], false),
            (&[("origin", "http://")], false),
        ] {
            assert_eq!(is_of_own_page(&headers(fields)), expected, "{fields:?}");
        }
    }
}
