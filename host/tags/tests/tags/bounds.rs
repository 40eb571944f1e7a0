//! What a page may take at most: each limit ends it with a text that says which.

use tessera_tags::{Limits, PageTooLong, Syntax, Template, Value};

use crate::harness::Site;

fn assert_ends(site: Site, page: &str, start: &str, text: &str) {
    let mut site = site;
    let rendered = site.rendered("p", page.as_bytes());
    assert!(
        rendered.text.starts_with(start),
        "{page}: {}",
        rendered.text
    );
    assert!(rendered.text.ends_with(text), "{page}: {}", rendered.text);
    let last = rendered.faults.last().unwrap();
    assert!(text.ends_with(&last.code.to_string()), "{last}");
}

#[test]
fn rounds_are_bounded() {
    let site = || Site::default().limits(|limits| limits.rounds_max = 10);
    let page = "<!--#4DLOOP True=True-->.<!--#4DENDLOOP-->never";
    assert_ends(
        site(),
        page,
        "..........<",
        "<!--#4DLOOP True=True-->: More than 10 rounds of loops",
    );
    let nested = "<!--#4DLOOP (1=1)--><!--#4DLOOP (1=1)-->.<!--#4DENDLOOP--><!--#4DENDLOOP-->";
    assert_ends(
        site(),
        nested,
        ".........<",
        ": More than 10 rounds of loops",
    );
}

#[test]
fn work_is_bounded_and_done_in_slices() {
    let mut site = Site::default().limits(|limits| {
        limits.work_max = 1000;
        limits.slice = 100;
    });
    let page = "<!--#4DLOOP (1=1)--><!--#4DENDLOOP-->";
    assert_eq!(
        site.render(page),
        "<!--#4DLOOP (1=1)-->: More than 1000 instructions"
    );
    assert_eq!(site.pauses, 9);
}

#[test]
fn a_text_that_contains_itself_comes_to_an_end() {
    let site = || Site::with([("x", Value::from("(<!--#4DHTML x--><!--#4DHTML x-->)"))]);
    assert_ends(
        site(),
        "<!--#4DHTML x-->",
        "((((((((((",
        "<!--#4DHTML x-->: More than 10 pages inside one another",
    );
}

#[test]
fn pages_inside_pages_are_bounded() {
    let mut site = Site::default().limits(|limits| limits.includes_max = 3);
    site.files.insert("a.html", "a");
    let page = "<!--#4DLOOP (1=1)--><!--#4DINCLUDE a.html--><!--#4DENDLOOP-->";
    assert_ends(site, page, "aaa<", ": More than 3 included pages");
    let mut site = Site::default().limits(|limits| limits.nesting_max = 1);
    site.files.insert("a.html", "a<!--#4DINCLUDE b.html-->");
    site.files.insert("b.html", "b");
    assert_ends(
        site,
        "<!--#4DINCLUDE a.html-->",
        "a<",
        ": More than 1 pages inside one another",
    );
}

#[test]
fn calls_are_bounded() {
    let site = Site::default()
        .limits(|limits| limits.calls_max = 5)
        .method("m", |_, _| Ok(Value::from("m")));
    assert_ends(
        site,
        "<!--#4DLOOP (1=1)--><!--#4DTEXT m--><!--#4DENDLOOP-->",
        "mmmmm<",
        ": More than 5 calls of methods",
    );
}

#[test]
fn output_is_bounded() {
    let site =
        || Site::with([("x", Value::from("<<<<<<"))]).limits(|limits| limits.output_bytes_max = 20);
    let raw = "<!--#4DLOOP (1=1)-->12345<!--#4DENDLOOP-->";
    assert_ends(
        site(),
        raw,
        "12345123451234512345",
        ": More than 20 bytes of output",
    );
    assert_ends(
        site(),
        "<!--#4DTEXT x-->",
        "",
        ": More than 20 bytes of output",
    );
    let errors = "<!--#4DLOOP (1=1)--><!--#4DTEXT nobody--><!--#4DENDLOOP-->";
    assert_ends(
        site(),
        errors,
        "<!--#4DTEXT nobody-->",
        ": More than 20 bytes of output",
    );
}

#[test]
fn texts_that_expressions_make_are_bounded() {
    let site = || Site::default().limits(|limits| limits.texts_bytes_max = 100);
    let doubled =
        "<!--#4DEVAL $x:=\"ab\"--><!--#4DLOOP (1=1)--><!--#4DEVAL $x:=$x+$x--><!--#4DENDLOOP-->";
    assert_ends(site(), doubled, "", ": More than 100 bytes of texts");
    assert_ends(
        site(),
        "<!--#4DTEXT \"ab\"*1e18-->",
        "",
        ": More than 100 bytes of texts",
    );
}

#[test]
fn expressions_are_bounded() {
    let site = || {
        Site::default().limits(|limits| {
            limits.expression_depth_max = 5;
            limits.expression_bytes_max = 100;
        })
    };
    let deep = format!("a<!--#4DTEXT {}1{}-->b", "(".repeat(6), ")".repeat(6));
    assert_ends(
        site(),
        &deep,
        "a<",
        ": More than 5 parentheses inside one another",
    );
    let long = format!("a<!--#4DTEXT {}-->b", "1+".repeat(100));
    assert_ends(
        site(),
        &long,
        "a<",
        ": An expression of more than 100 bytes",
    );
    let minuses = format!("<!--#4DTEXT {}1-->", "- ".repeat(1000));
    assert_eq!(Site::default().render(&minuses), "1");
}

#[test]
fn blocks_are_bounded() {
    let site = || Site::default().limits(|limits| limits.blocks_max = 3);
    let deep = "<!--#4DIF 1=1-->".repeat(4) + "x" + &"<!--#4DENDIF-->".repeat(4);
    assert_ends(
        site(),
        &format!("a{deep}b"),
        "a<",
        ": More than 3 blocks inside one another",
    );
    let open = "<!--#4DIF 1=1-->".repeat(5000);
    assert_ends(
        Site::default(),
        &open,
        "<",
        ": More than 64 blocks inside one another",
    );
}

#[test]
fn variables_are_bounded() {
    let site = || Site::default().limits(|limits| limits.variables_max = 2);
    let page = "<!--#4DEVAL $a:=1--><!--#4DEVAL $b:=1--><!--#4DEVAL $c:=1-->";
    assert_ends(site(), page, "", ": More than 2 variables");
}

#[test]
fn a_page_that_is_too_long_is_refused() {
    let mut limits = Limits::default();
    limits.page_bytes_max = 10;
    let refused = Template::compile(vec![b' '; 11], Syntax::All, &limits).unwrap_err();
    assert_eq!(
        refused,
        PageTooLong {
            bytes: 11,
            bytes_max: 10
        }
    );
    assert!(Template::compile(vec![b' '; 10], Syntax::All, &limits).is_ok());
}
