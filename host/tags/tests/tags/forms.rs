//! Tags that stand for themselves: 4DTEXT, 4DHTML, 4DEVAL, 4DSCRIPT, 4DCODE and their old names.

use std::sync::Arc;

use tessera_tags::{CallFailure, Code, Limits, Renderer, Step, Syntax, Template, Value};

use crate::harness::{Site, check};

fn site() -> Site {
    let order = Value::object([("price", Value::from(19.99)), ("paid", Value::from(true))]);
    Site::with([
        ("name", Value::from("<B>")),
        ("vtSiteName", Value::from("Acme & Sons")),
        ("order", order),
        ("count", Value::from(42)),
        ("nothing", Value::Null),
        ("items", Value::list([Value::from("a"), Value::from("b")])),
    ])
    .method("mymethod", |_, _| Ok(Value::from("<i>from the method</i>")))
    .method("today", |_, arguments| match arguments {
        [Value::Text(parameter)] => Ok(Value::from(format!("today {parameter} <&>"))),
        other => panic!("{other:?}"),
    })
    .method("html", |_, _| {
        Ok(Value::from("\u{1}<b><!--#4DTEXT name--></b>"))
    })
    .method("secret", |_, _| Err(CallFailure::Denied))
    .method("broken", |_, _| Err(CallFailure::Failed))
}

#[test]
fn values_are_inserted_escaped_or_as_they_are() {
    check(
        &mut site(),
        &[
            (
                "<P>Welcome to <!--#4DTEXT vtSiteName-->!</P>",
                "<P>Welcome to Acme &amp; Sons!</P>",
            ),
            ("<!--#4DTEXT name-->", "&lt;B&gt;"),
            ("<!--#4DHTML name-->", "<B>"),
            ("<!--#4DEVAL name-->", "<B>"),
            ("<!--#4dtext NAME-->", "&lt;B&gt;"),
            ("<!--#4DTEXT order.price-->", "19.99"),
            ("<!--#4DTEXT order.paid-->", "True"),
            ("<!--#4DTEXT order.missing.deeper-->.", "."),
            ("<!--#4DTEXT nothing-->.", "."),
            ("<!--#4DTEXT count-->", "42"),
            ("<!--#4DTEXT items{2}-->", "b"),
            ("<!--#4DTEXT items[0]-->", "a"),
            (
                "<!--#4DTEXT mymethod-->",
                "&lt;i&gt;from the method&lt;/i&gt;",
            ),
            ("<!--#4DHTML mymethod()-->", "<i>from the method</i>"),
        ],
    );
}

#[test]
fn the_dollar_form_and_old_names_do_the_same() {
    check(
        &mut site(),
        &[
            ("<line x=\"$4DTEXT(count)\"/>", "<line x=\"42\"/>"),
            ("$4DHTML(name)$4deval(count)", "<B>42"),
            ("$4DTEXT(\")\"+String((count)))", ")42"),
            ("<!--4DVAR name-->", "&lt;B&gt;"),
            ("<!--#4DVAR name-->", "&lt;B&gt;"),
            ("<!--4DHTMLVAR name-->", "<B>"),
            ("<!--4DTEXT name-->", "&lt;B&gt;"),
            ("<!--4DIF (count=42)-->y<!--4DENDIF-->", "y"),
            ("<!--4DACTION/today/x-->", "today /x &lt;&amp;&gt;"),
        ],
    );
}

#[test]
fn an_evaluated_statement_may_set_variables() {
    check(
        &mut site(),
        &[
            ("<!--#4DEVAL a:=42--><!--#4DEVAL a+1-->", "43"),
            ("<!--#4DEVAL $i:=1--><!--#4DEVAL $i+=2-->$4DTEXT($i)", "3"),
            ("<!--#4DEVAL count:=1--><!--#4DTEXT Count-->", "1"),
            (
                "<!--#4DEVAL order.price:=1-->",
                "<!--#4DEVAL order.price:=1-->: ## error # 12",
            ),
        ],
    );
}

#[test]
fn a_variable_that_the_web_process_takes_is_its_own() {
    let mut site = site().method("double", |site, _| {
        let Some(Value::Number(number)) = site.variables.get("a").cloned() else {
            return Err(CallFailure::Failed);
        };
        site.variables
            .insert("a".to_owned(), Value::from(2.0 * number));
        Ok(Value::Null)
    });
    site.takes_variables = true;
    assert_eq!(
        site.render("<!--#4DEVAL a:=21--><!--#4DEVAL double--><!--#4DTEXT a-->"),
        "42"
    );
}

#[test]
fn methods_set_variables_that_stand_further_below() {
    let mut site = site().method("prepare", |site, _| {
        site.variables
            .insert("name".to_owned(), Value::from("later"));
        Ok(Value::from(""))
    });
    let page = "<!--#4DTEXT name--> <!--#4DSCRIPT/prepare--><!--#4DTEXT name-->";
    assert_eq!(site.render(page), "&lt;B&gt; later");
}

#[test]
fn a_script_gets_its_parameter_and_returns_text_or_html() {
    let mut site = site();
    check(
        &mut site,
        &[
            (
                "<!--#4DSCRIPT/today/MY/PARAM-->",
                "today /MY/PARAM &lt;&amp;&gt;",
            ),
            ("<!--#4DSCRIPT/TODAY-->", "today  &lt;&amp;&gt;"),
            ("<!--#4DSCRIPT/html/x-->", "<b>&lt;B&gt;</b>"),
            (
                "<!--#4DSCRIPT/none-->",
                "<!--#4DSCRIPT/none--> : ## error # 4",
            ),
            ("<!--#4DSCRIPT-->", "<!--#4DSCRIPT--> : ## error # 1"),
        ],
    );
    assert!(
        site.calls[0].starts_with("today Script"),
        "{:?}",
        site.calls
    );
}

#[test]
fn tags_in_what_a_tag_inserted_are_carried_out() {
    let mut site = Site::with([
        ("letter", Value::from("Dear <!--#4DHTML title-->")),
        ("title", Value::from("<!--#4DTEXT name-->")),
        ("name", Value::from("<!--#4DHTML secret-->")),
        ("dollar", Value::from("$4DEVAL(1+1)")),
        ("secret", Value::from("never")),
    ]);
    check(
        &mut site,
        &[
            (
                "<!--#4DHTML letter-->!",
                "Dear &lt;!--#4DHTML secret--&gt;!",
            ),
            ("$4DHTML(letter)!", "Dear <!--#4DHTML title-->!"),
            ("<!--#4DHTML dollar-->", "$4DEVAL(1+1)"),
            ("<!--#4DTEXT name-->", "&lt;!--#4DHTML secret--&gt;"),
        ],
    );
}

#[test]
fn what_cannot_be_worked_out_leaves_its_error_text() {
    check(
        &mut site(),
        &[
            (
                "a<!--#4DTEXT myvar-->b",
                "a<!--#4DTEXT myvar--> : ## error # 3b",
            ),
            (
                "<!--#4DHTML myvar-->",
                "<!--#4DHTML myvar--> : ## error # 3",
            ),
            ("<!--#4DEVAL myvar-->", "<!--#4DEVAL myvar-->: ## error # 3"),
            ("$4DTEXT(myvar)", "$4DTEXT(myvar) : ## error # 3"),
            ("<!--#4DTEXT $x-->", "<!--#4DTEXT $x--> : ## error # 3"),
            ("<!--#4DTEXT-->", "<!--#4DTEXT--> : ## error # 2"),
            ("<!--#4DTEXT 1+-->", "<!--#4DTEXT 1+--> : ## error # 2"),
            ("<!--#4DTEXT (1-->", "<!--#4DTEXT (1--> : ## error # 1"),
            (
                "<!--#4DTEXT other(1)-->",
                "<!--#4DTEXT other(1)--> : ## error # 4",
            ),
            (
                "<!--#4DTEXT secret-->",
                "<!--#4DTEXT secret--> : ## error # 5",
            ),
            (
                "<!--#4DTEXT broken-->",
                "<!--#4DTEXT broken--> : ## error # 6",
            ),
            (
                "<!--#4DTEXT items-->",
                "<!--#4DTEXT items--> : ## error # 7",
            ),
            (
                "<!--#4DTEXT items{3}-->",
                "<!--#4DTEXT items{3}--> : ## error # 9",
            ),
            (
                "<!--#4DTEXT items{0}-->",
                "<!--#4DTEXT items{0}--> : ## error # 9",
            ),
            ("<!--#4DTEXT 1/0-->", "<!--#4DTEXT 1/0--> : ## error # 10"),
            (
                "<!--#4DTEXT [People]Name-->",
                "<!--#4DTEXT [People]Name--> : ## error # 11",
            ),
            (
                "<!--#4DTEXT ds.People.all()-->",
                "<!--#4DTEXT ds.People.all()--> : ## error # 12",
            ),
            (
                "<!--#4DTEXT !2020-01-01!-->",
                "<!--#4DTEXT !2020-01-01!--> : ## error # 12",
            ),
            (
                "<!--#4DCODE\na:=secretCode\n-->",
                "<!--#4DCODE ...--> : ## error # 12",
            ),
        ],
    );
}

#[test]
fn faults_say_where_they_are() {
    let page = b"<p>\n\n  <!--#4DTEXT nobody--> <!--#4DTEXT 1+-->\n<!--#4DIF x";
    let rendered = site().rendered("a/b.shtml", page);
    let told: Vec<_> = rendered.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "a/b.shtml:3:3: <!--#4DTEXT nobody-->: The variable is not defined",
            "a/b.shtml:3:25: <!--#4DTEXT 1+-->: An expression was expected",
        ]
    );
    let template = Template::compile(page.to_vec(), Syntax::All, &Limits::default()).unwrap();
    let faults = template.faults("p");
    let codes: Vec<_> = faults
        .iter()
        .map(|fault| (fault.line, fault.code))
        .collect();
    assert_eq!(codes, [(3, Code::Empty), (4, Code::Unended)]);
}

#[test]
fn bytes_that_are_no_text_stay_as_they_are() {
    let page = b"\xff\xfe<!--#4DTEXT name-->\xe9<!--#4DTEXT \xe9-->\xff";
    let (bytes, _) = site().bytes("p", page);
    assert_eq!(
        bytes,
        b"\xff\xfe&lt;B&gt;\xe9<!--#4DTEXT \xe9--> : ## error # 13\xff"
    );
}

#[test]
fn without_the_dollar_form_dollars_are_text() {
    let page = b"$4DTEXT(1)<!--#4DTEXT 1-->".to_vec();
    let template = Template::compile(page, Syntax::Comments, &Limits::default()).unwrap();
    let mut output = Vec::new();
    let mut renderer = Renderer::new(Arc::new(template), "p", Limits::default());
    assert!(matches!(renderer.run(&mut site(), &mut output), Step::Done));
    assert_eq!(output, b"$4DTEXT(1)1");
}
