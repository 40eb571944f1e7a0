//! Targets: their forms, and the ways out of a folder.

use super::{Case, case, play_all, target};

pub(super) fn all() -> Vec<Case> {
    let mut all = forms();
    all.extend(traversals());
    all
}

fn forms() -> Vec<Case> {
    let is = |says, text: &str, expect| case(says, target(text), expect);
    vec![
        is("a path", "/a.txt?", "200 open"),
        is("a path and a query", "/a.txt?a=b&c", "200 open"),
        is("a query with marks", "/a.txt?a?b/c`d'e{}|^", "200 open"),
        is("two slashes", "//a.txt", "404 open"),
        is("an address", "http://a/a.txt", "200 open"),
        is("an address in upper case", "HTTP://A/a.txt", "200 open"),
        is(
            "an address with the scheme's port",
            "http://a:80/a.txt",
            "200 open",
        ),
        is("an address of https", "https://a:443/a.txt", "200 open"),
        is("an address without a path", "http://a", "200 open"),
        is(
            "an address with a query and no path",
            "http://a?b",
            "200 open",
        ),
        is("an address of another host", "http://b/a.txt", "400 closed"),
        is(
            "an address of another port",
            "http://a:81/a.txt",
            "400 closed",
        ),
        is(
            "an address with a user",
            "http://user@a/a.txt",
            "400 closed",
        ),
        is("an address without a host", "http:///a.txt", "400 closed"),
        is("an address with one slash", "http:/a/a.txt", "400 closed"),
        is(
            "an address of another scheme",
            "ftp://a/a.txt",
            "400 closed",
        ),
        is("a file's address", "file:///etc/passwd", "400 closed"),
        is("a host and a port", "a:80", "400 closed"),
        is("a path without a slash", "a.txt", "400 closed"),
        is("a query alone", "?a", "400 closed"),
        is("a fragment", "/a.txt#b", "400 closed"),
        is("the asterisk", "*", "400 closed"),
        is("markup", "/<a>", "400 closed"),
        is("quotes", "/a.txt?\"", "400 closed"),
        is("a backslash first", "\\a.txt", "400 closed"),
        is("a component", "/echo/x", "200 open"),
        is("a component's mount", "/shop/x", "200 open"),
        is("nothing that is there", "/none", "404 open"),
    ]
}

fn traversals() -> Vec<Case> {
    let none = |says, text: &str| case(says, target(text), "404 open");
    let bad = |says, text: &str| case(says, target(text), "400 closed");
    vec![
        none("out of the folder", "/../secret.txt"),
        none("out of the folder, encoded", "/%2e%2e/secret.txt"),
        none("out of the folder, half encoded", "/.%2E/secret.txt"),
        none(
            "out of the folder, with its slash encoded",
            "/..%2fsecret.txt",
        ),
        none("out of the folder, with a backslash", "/..\\secret.txt"),
        none(
            "out of the folder, with an encoded backslash",
            "/..%5csecret.txt",
        ),
        none(
            "out of the folder and more",
            "/../../../../../../etc/passwd",
        ),
        none("out of a folder that is there", "/sub/../../secret.txt"),
        none(
            "out of a folder that is not there",
            "/none/../../secret.txt",
        ),
        none("encoded twice", "/%252e%252e/secret.txt"),
        none("four dots and two slashes", "/....//secret.txt"),
        none("a semicolon after the dots", "/..;/secret.txt"),
        none("a hidden file", "/.secret"),
        none("a hidden file, encoded", "/%2esecret"),
        none("a slash after a file", "/a.txt/"),
        none("full-width dots", "/%ef%bc%8e%ef%bc%8e/secret.txt"),
        none(
            "a name that no file system takes",
            &format!("/{}", "a".repeat(300)),
        ),
        none("the system's own", "/proc/self/environ"),
        bad("NUL, encoded", "/a.txt%00"),
        bad("NUL before another name", "/a%00.txt"),
        none("overlong UTF-8 of a dot", "/%c0%ae%c0%ae/secret.txt"),
        none("overlong UTF-8 of a slash", "/..%c0%afsecret.txt"),
        none("overlong UTF-8 in three bytes", "/..%e0%80%afsecret.txt"),
        none("half a surrogate", "/%ed%a0%80"),
        none("Latin-1, encoded", "/%fc.txt"),
        bad("percent and nothing", "/a.txt%"),
        bad("percent and one digit", "/a.txt%4"),
        bad("percent and no digits", "/%zz"),
        bad("percent and u", "/%u002e%u002e/secret.txt"),
        case("a space, encoded", target("/sp%20ace.txt"), "200 open"),
        case("a letter, encoded", target("/%61.txt"), "200 open"),
        case("an umlaut, encoded", target("/%C3%BC.txt"), "200 open"),
        none("a dot", "/./a.txt"),
        none("dots within the folder", "/sub/../a.txt"),
    ]
}

#[tokio::test]
async fn no_spelling_leads_out_of_the_folder() {
    play_all(all()).await;
}
