//! Shows visitors what the server sees of their requests; `/private` is for one user only.

mod page;

use std::sync::atomic::{AtomicU32, Ordering};

use tessera_guest::prelude::*;

use page::Page;

/// Requests that this instance has let in. An instance serves one after another, so that its statics live on.
static ACCEPTED: AtomicU32 = AtomicU32::new(0);

/// Lets everybody in but to `/private`, which is for `ann` with the password `secret`.
#[on_web_authentication]
fn admit(call: &WebCall) -> bool {
    // An example's password, which its page tells everybody: real ones are kept as hashes, and outside the code.
    !is_private(call) || (call.user == "ann" && call.password == "secret")
}

/// Is called before every request that was let in.
#[compiler_web]
fn count() {
    ACCEPTED.fetch_add(1, Ordering::Relaxed);
}

/// Answers every URL with what it knows of the request.
#[on_web_connection]
fn inspect(call: &WebCall) -> Result<impl Reply, Error> {
    let page = Page {
        call,
        user: is_private(call).then_some(&call.user),
        accepted: ACCEPTED.load(Ordering::Relaxed),
        variables: request::variables()?,
        headers: request::headers(),
    };
    Ok(html(page.render()).with_header("Cache-Control", "no-store"))
}

/// Both hooks ask here, so that no spelling of the path is guarded by one and shown by the other.
fn is_private(call: &WebCall) -> bool {
    call.path() == "/private" || call.path().starts_with("/private/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_guest::test;

    #[test]
    fn shows_a_request_escaped() {
        let response = test::post("/a/b?c=<d>")
            .header("host", "example.com:8081")
            .header("user-agent", "<script>")
            .form([("vName", "Ann & Bob")])
            .client_address("::ffff:192.0.2.7")
            .send();
        let page = response.text();
        for part in [
            "POST /a/b?c=&lt;d&gt;",
            "<td>::ffff:192.0.2.7\n",
            "<tr><th scope=\"row\">vName<td>Ann &amp; Bob\n",
            "<tr><th scope=\"row\">user-agent<td>&lt;script&gt;\n",
            "curl -u ann:secret http://example.com:8081/private",
        ] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        assert!(!page.contains("<script>\n<"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }

    #[test]
    fn guards_the_private_area() {
        for (url, user, password, status) in [
            ("/private", "", "", 401),
            ("/private", "ann", "wrong", 401),
            ("/private/deep?x=y", "bob", "secret", 401),
            ("/private", "ann", "secret", 200),
            ("/private/deep?x=y", "ann", "secret", 200),
            ("/privateer", "", "", 200),
        ] {
            let response = test::get(url).user(user, password).send();
            assert_eq!(response.status, status, "{url} as {user}");
            let is_shown =
                status == 200 && response.text().contains("let in as <strong>ann</strong>");
            assert_eq!(is_shown, status == 200 && user == "ann", "{url} as {user}");
        }
    }

    #[test]
    fn counts_what_it_let_in() {
        let before = ACCEPTED.load(Ordering::Relaxed);
        test::get("/").send();
        assert!(ACCEPTED.load(Ordering::Relaxed) > before);
    }

    #[test]
    fn a_body_that_cannot_be_read_is_a_bad_request() {
        let response = test::post("/")
            .form([("vName", "Ann")])
            .broken_body(BodyError::Incomplete)
            .send();
        assert_eq!(response.status, 400);
    }
}
