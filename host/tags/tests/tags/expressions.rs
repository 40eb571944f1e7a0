//! The language of expressions.

use tessera_tags::Value;

use crate::harness::Site;

fn site() -> Site {
    let line = Value::object([
        ("price", Value::from(2.5)),
        ("tags", Value::list([Value::from("x")])),
    ]);
    let order = Value::object([("lines", Value::list([line])), ("note", Value::Null)]);
    Site::with([
        ("order", order),
        ("my var", Value::from("blank")),
        ("ä", Value::from("umlaut")),
        ("name", Value::from("Smith")),
        ("at", Value::from("@")),
    ])
    .method("add", |_, arguments| match arguments {
        [Value::Number(left), Value::Number(right)] => Ok(Value::from(left + right)),
        other => Ok(Value::from(format!("{other:?}"))),
    })
    .method("getorder", |site, _| Ok(site.variables["order"].clone()))
}

#[test]
fn operators_are_carried_out_from_left_to_right() {
    let mut site = site();
    for (expression, expected) in [
        ("3+4*5", "35"),
        ("3+(4*5)", "23"),
        ("2*3-1/5", "1"),
        ("7\\2", "3"),
        ("7%4", "3"),
        ("2^10", "1024"),
        ("-2+-3", "-5"),
        ("--2", "2"),
        ("-(1+2)", "-3"),
        ("1.5e1", "15"),
        ("\"a\"+\"b\"*2", "abab"),
        ("\"a\\\"\\\\b\"", "a&quot;\\b"),
        ("1<2", "True"),
        ("(1>=2)|(2#3)", "True"),
        ("(1=1)&(2<=1)", "False"),
        ("True", "True"),
        ("null=order.note", "True"),
        ("order#null", "True"),
        ("\"abc\"=\"ABC\"", "True"),
        ("\"a\"<\"B\"", "True"),
        ("name=\"sm@\"", "True"),
        ("name#\"@x@\"", "True"),
        ("name=at", "False"),
        ("order.note || \"n/a\"", "n/a"),
        ("order.lines[0].price && \"has\"", "has"),
        ("(null && nobody)=null", "True"),
        ("0 || 1", "0"),
        ("(1=1) ? \"yes\" : nobody", "yes"),
        ("(1=2) ? nobody : (2=2) ? \"b\" : \"c\"", "b"),
    ] {
        let page = format!("<!--#4DTEXT {expression}-->");
        assert_eq!(site.render(&page), expected, "{expression}");
    }
}

#[test]
fn names_lead_to_variables_properties_methods_and_commands() {
    let mut site = site();
    for (expression, expected) in [
        ("order.lines[0].price", "2.5"),
        ("order.lines{1}.price", "2.5"),
        ("order[\"lines\"][0][\"price\"]", "2.5"),
        ("order.lines.length", "1"),
        ("order.lines[0].tags.length", "1"),
        ("order.lines[7].price", ""),
        ("ORDER.lines.length", "1"),
        ("order.Lines.length", ""),
        ("my   var", "blank"),
        ("ä", "umlaut"),
        ("Ä", "umlaut"),
        ("add(1;2)", "3"),
        ("ADD (add(1;2);3)+4", "10"),
        ("add", "[]"),
        ("getOrder.lines[0].price", "2.5"),
        ("getOrder().lines.length", "1"),
        ("Not(1=2)", "True"),
        ("Length:C16(\"äöü\")", "3"),
        ("String(1.5)+\"x\"", "1.5x"),
        ("Num(\"12 apples\")+1", "13"),
        ("Uppercase(\"abc\")+Lowercase(\"DEF\")", "ABCdef"),
        ("Size of array(order.lines)", "1"),
        ("OB Get:C1224(order.lines[0];\"price\")", "2.5"),
        ("OB Is defined(order;\"nope\")", "False"),
        ("Round(2.345;2)", "2.35"),
        ("Undefined(order.nope)", "True"),
    ] {
        let page = format!("<!--#4DTEXT {expression}-->");
        assert_eq!(site.render(&page), expected, "{expression}");
    }
}

#[test]
fn what_does_not_fit_together_is_an_error() {
    let mut site = site();
    for (expression, code) in [
        ("1+\"a\"", 7),
        ("\"a\"-\"b\"", 7),
        ("1=\"1\"", 7),
        ("1&2", 7),
        ("null+1", 7),
        ("-name", 7),
        ("name.first", 7),
        ("name[0]", 7),
        ("order{1}", 7),
        ("1=\"1@\"", 7),
        ("Not(1)", 7),
        ("Length(1)", 7),
        ("Not()", 8),
        ("Round(1)", 8),
        ("0/0", 10),
        ("10^999", 10),
        ("1 2", 1),
        ("1 + )", 1),
        ("name.", 1),
        ("a;b", 1),
        ("x ? 1", 1),
        ("$f(1)", 12),
        ("order.lines.indexOf(1)", 12),
        ("p->", 12),
    ] {
        let tag = format!("<!--#4DTEXT {expression}-->");
        let expected = format!("{tag} : ## error # {code}");
        // `->` would end the tag too early only after `--`.
        assert_eq!(site.render(&tag), expected, "{expression}");
    }
}
