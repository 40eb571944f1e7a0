//! Pages inside pages.

use tessera_tags::Value;

use crate::harness::{Site, check};

fn site() -> Site {
    Site::with([
        ("who", Value::from("you")),
        ("names", Value::list([Value::from("a"), Value::from("b")])),
    ])
    .file("sub.html", "sub")
    .file(
        "whole.html",
        "<html><body class=\"x\">only <!--#4DTEXT who--></BODY ></html><!--#4DTEXT nobody-->",
    )
    .file("head.html", "<header><!--#4DTEXT who--></header>")
    .file("folder/sub.html", "[folder <!--#4DINCLUDE ../sub.html-->]")
    .file(
        "folder/based.html",
        "<!--#4DBASE ../other/--><!--#4DINCLUDE x.html-->",
    )
    .file("folder/x.html", "folder-x")
    .file("other/x.html", "other-x")
    .file("x.html", "x")
    .file("self.html", "me <!--#4DINCLUDE self.html-->")
    .file("row.html", "<!--#4DTEXT $name-->;$4DTEXT(who)")
    .file("sets.html", "<!--#4DEVAL $set:=\"set\"-->")
}

#[test]
fn a_page_is_included_by_its_path() {
    check(
        &mut site(),
        &[
            ("<!--#4DINCLUDE sub.html-->!", "sub!"),
            ("<!--#4DINCLUDE folder/sub.html-->", "[folder sub]"),
            ("<!--#4DINCLUDE /sub.html-->", "sub"),
            ("<!--#4DINCLUDE whole.html-->", "only you"),
            ("<!--#4DINCLUDE head.html-->", "<header>you</header>"),
            (
                "<!--#4DEACH $name in names--><!--#4DINCLUDE row.html--> <!--#4DENDEACH-->",
                "a;you b;you ",
            ),
            ("<!--#4DINCLUDE sets.html--><!--#4DTEXT $set-->", "set"),
        ],
    );
}

#[test]
fn a_page_that_cannot_be_included_says_so() {
    let error = " :The document cannot be opened";
    let mut site = site();
    for path in ["none.html", "../sub.html", "folder/", "", "c:\\sub.html"] {
        let tag = format!("<!--#4DINCLUDE {path}-->").replace(" -->", "-->");
        assert_eq!(site.render(&format!("a{tag}b")), format!("a{tag}{error}b"));
    }
    let page = "<!--#4DINCLUDE self.html-->";
    assert_eq!(
        site.render(page),
        format!("me <!--#4DINCLUDE self.html-->{error}")
    );
    let rendered = site.rendered("self.html", b"<!--#4DINCLUDE self.html-->");
    assert_eq!(rendered.text, format!("<!--#4DINCLUDE self.html-->{error}"));
    assert_eq!(rendered.faults.len(), 1);
}

#[test]
fn a_base_holds_until_the_next_and_does_not_leak_out() {
    let base_error = ": A folder below the web folder was expected, with / at its end";
    check(
        &mut site(),
        &[
            ("<!--#4DBASE folder/--><!--#4DINCLUDE x.html-->", "folder-x"),
            (
                "<!--#4DBASE folder/--><!--#4DBASE other/--><!--#4DINCLUDE x.html-->",
                "other-x",
            ),
            (
                "<!--#4DBASE folder/--><!--#4DBASE WEBFOLDER--><!--#4DINCLUDE x.html-->",
                "x",
            ),
            (
                "<!--#4DBASE folder/--><!--#4DINCLUDE based.html-->,<!--#4DINCLUDE x.html-->",
                "other-x,folder-x",
            ),
            (
                "<!--#4DBASE folder--><!--#4DINCLUDE x.html-->",
                &format!("<!--#4DBASE folder-->{base_error}x"),
            ),
            (
                "<!--#4DBASE ../--><!--#4DINCLUDE x.html-->",
                &format!("<!--#4DBASE ../-->{base_error}x"),
            ),
        ],
    );
}
