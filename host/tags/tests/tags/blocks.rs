//! Blocks: conditions and loops, inside one another and broken.

use tessera_tags::{CallFailure, Value};

use crate::harness::{Site, check};

fn texts(texts: &[&str]) -> Value {
    Value::list(texts.iter().map(|text| Value::from(*text)))
}

fn site() -> Site {
    let rows = [("Mary", 10), ("Ann", 20)];
    let row = |(name, score): (&str, i32)| {
        Value::object([("name", Value::from(name)), ("score", Value::from(score))])
    };
    Site::with([
        ("yes", Value::from(true)),
        ("no", Value::from(false)),
        ("user", Value::from("Manager")),
        ("names", texts(&["Mary", "Ann", "John"])),
        ("empty", texts(&[])),
        ("rows", Value::list(rows.map(row))),
        (
            "gamers",
            Value::object(rows.map(|(name, score)| (name, Value::from(score)))),
        ),
        ("mixed", Value::list([Value::from("a"), Value::from(1)])),
        ("grid", Value::list([texts(&["a", "b"]), texts(&["c"])])),
        ("nothing", Value::Null),
    ])
    .method("getnames", |_, _| Ok(texts(&["x", "y"])))
    .method("times", |site, arguments| match arguments {
        [Value::Number(round)] => {
            site.variables
                .insert("myvar".to_owned(), Value::from(*round));
            Ok(Value::from(*round < 4.0))
        }
        other => panic!("{other:?}"),
    })
    .method("never", |_, _| Ok(Value::from(false)))
    .method("odd", |_, _| Ok(Value::from(1)))
    .method("denied", |_, _| Err(CallFailure::Denied))
}

#[test]
fn the_first_true_branch_is_shown() {
    check(
        &mut site(),
        &[
            ("<!--#4DIF (yes)-->a<!--#4DELSE-->b<!--#4DENDIF-->.", "a."),
            ("<!--#4DIF no-->a<!--#4DELSE-->b<!--#4DENDIF-->.", "b."),
            ("<!--#4DIF no-->a<!--#4DENDIF-->.", "."),
            (
                "<!--#4DIF no-->a<!--#4DELSEIF user=\"manager\"-->b<!--#4DELSEIF yes-->c<!--#4DELSE-->d<!--#4DENDIF-->.",
                "b.",
            ),
            (
                "<!--#4DIF no-->a<!--#4DELSEIF no-->b<!--#4DELSE-->d<!--#4DENDIF-->.",
                "d.",
            ),
            (
                "<!--#4DIF yes-->[<!--#4DIF no-->a<!--#4DELSE-->b<!--#4DENDIF-->]<!--#4DELSE-->c<!--#4DENDIF-->.",
                "[b].",
            ),
            ("<!--#4DIF (user#\"\")-->named<!--#4DENDIF-->", "named"),
        ],
    );
}

#[test]
fn a_condition_that_is_none_stands_for_its_block() {
    let error = "A Boolean expression was expected";
    let mut site = site();
    for condition in ["user", "nobody", "1+", "[T]f=1", "1"] {
        let page = format!("a<!--#4DIF {condition}-->b<!--#4DELSE-->c<!--#4DENDIF-->d");
        let expected = format!("a<!--#4DIF {condition}-->: {error}d");
        assert_eq!(site.render(&page), expected);
        let page = format!(
            "a<!--#4DIF no-->b<!--#4DELSEIF {condition}-->c<!--#4DELSE-->e<!--#4DENDIF-->d"
        );
        let expected = format!("a<!--#4DELSEIF {condition}-->: {error}d");
        assert_eq!(site.render(&page), expected);
    }
}

#[test]
fn blocks_that_are_not_closed_are_replaced() {
    check(
        &mut site(),
        &[
            (
                "a<!--#4DIF yes-->b<!--#4DTEXT user-->",
                "a<!--#4DIF yes-->: 4DENDIF expected",
            ),
            (
                "a<!--#4DLOOP names-->b",
                "a<!--#4DLOOP names-->: 4DENDLOOP expected",
            ),
            (
                "a<!--#4DEACH $x in names-->b",
                "a<!--#4DEACH $x in names-->: 4DENDEACH expected",
            ),
            (
                "a<!--#4DEACH $x in names--><!--#4DIF yes-->b<!--#4DENDEACH-->c",
                "a<!--#4DIF yes-->: 4DENDIF expected<!--#4DIF yes-->: 4DENDIF expected<!--#4DIF yes-->: 4DENDIF expectedc",
            ),
            (
                "a<!--#4DIF yes--><!--#4DLOOP names-->b<!--#4DELSE-->c<!--#4DENDIF-->d",
                "a<!--#4DLOOP names-->: 4DENDLOOP expectedd",
            ),
            (
                "a<!--#4DIF yes--><!--#4DIF yes-->b",
                "a<!--#4DIF yes-->: 4DENDIF expected",
            ),
        ],
    );
}

#[test]
fn tags_without_their_block_say_so() {
    check(
        &mut site(),
        &[
            (
                "a<!--#4DELSE-->b",
                "a<!--#4DELSE-->: 4DIF expected before itb",
            ),
            (
                "a<!--#4DELSEIF yes-->b",
                "a<!--#4DELSEIF yes-->: 4DIF expected before itb",
            ),
            (
                "a<!--#4DENDIF-->b",
                "a<!--#4DENDIF-->: 4DIF expected before itb",
            ),
            (
                "a<!--#4DENDLOOP-->b",
                "a<!--#4DENDLOOP-->: 4DLOOP expected before itb",
            ),
            (
                "a<!--#4DENDEACH-->b",
                "a<!--#4DENDEACH-->: 4DEACH expected before itb",
            ),
            (
                "<!--#4DIF no-->a<!--#4DELSE-->b<!--#4DELSE-->c<!--#4DENDIF-->",
                "b<!--#4DELSE-->: 4DIF expected before itc",
            ),
        ],
    );
}

#[test]
fn a_loop_goes_through_an_array() {
    check(
        &mut site(),
        &[
            (
                "<!--#4DLOOP names--><!--#4DTEXT names{names}-->,<!--#4DENDLOOP-->.",
                "Mary,Ann,John,.",
            ),
            ("<!--#4DLOOP empty-->x<!--#4DENDLOOP-->.", "."),
            ("<!--#4DLOOP nothing-->x<!--#4DENDLOOP-->.", "."),
            (
                "<!--#4DLOOP names--><!--#4DLOOP names--><!--#4DTEXT names{names}--><!--#4DENDLOOP--><!--#4DTEXT names{names}-->;<!--#4DENDLOOP-->",
                "MaryAnnJohnMary;MaryAnnJohnAnn;MaryAnnJohnJohn;",
            ),
        ],
    );
}

#[test]
fn a_loop_goes_on_while_its_condition_is_true() {
    check(
        &mut site(),
        &[
            (
                "<!--#4DEVAL $i:=0--><!--#4DLOOP ($i<4)--><!--#4DEVAL $i--><!--#4DEVAL $i:=$i+1--><!--#4DENDLOOP-->.",
                "0123.",
            ),
            (
                "<!--#4DEVAL $on:=True--><!--#4DLOOP $on-->x<!--#4DEVAL $on:=False--><!--#4DENDLOOP-->.",
                "x.",
            ),
            ("<!--#4DLOOP no-->x<!--#4DENDLOOP-->.", "."),
        ],
    );
}

#[test]
fn a_loop_calls_a_method_until_it_returns_false() {
    let mut site = site();
    let page = "<!--#4DLOOP times--><!--#4DTEXT myvar--> <!--#4DENDLOOP-->.";
    assert_eq!(site.render(page), "1 2 3 .");
    let calls: Vec<_> = site.calls.iter().map(String::as_str).collect();
    assert_eq!(
        calls,
        [
            "times LoopStart [Number(0.0)]",
            "times LoopRound [Number(1.0)]",
            "times LoopRound [Number(2.0)]",
            "times LoopRound [Number(3.0)]",
            "times LoopRound [Number(4.0)]",
        ]
    );
    assert_eq!(site.render("<!--#4DLOOP never-->x<!--#4DENDLOOP-->."), ".");
}

#[test]
fn a_loop_that_cannot_be_says_why() {
    check(
        &mut site(),
        &[
            (
                "<!--#4DLOOP user-->x<!--#4DENDLOOP-->.",
                "<!--#4DLOOP user-->: Unexpected expression type.",
            ),
            (
                "<!--#4DLOOP 1+1-->x<!--#4DENDLOOP-->.",
                "<!--#4DLOOP 1+1-->: Unexpected expression type.",
            ),
            (
                "<!--#4DLOOP [People]-->x<!--#4DENDLOOP-->.",
                "<!--#4DLOOP [People]-->: Incorrect table name.",
            ),
            (
                "<!--#4DLOOP nobody-->x<!--#4DENDLOOP-->.",
                "<!--#4DLOOP nobody-->: The method does not exist.",
            ),
            (
                "<!--#4DLOOP denied-->x<!--#4DENDLOOP-->.",
                "<!--#4DLOOP denied-->: Access error.",
            ),
            (
                "<!--#4DLOOP odd-->x<!--#4DENDLOOP-->.",
                "<!--#4DLOOP odd-->: Unexpected expression type.",
            ),
            (
                "<!--#4DLOOP (-->x<!--#4DENDLOOP-->.",
                "<!--#4DLOOP (-->: An expression was expected.",
            ),
            (
                "<!--#4DLOOP-->x<!--#4DENDLOOP-->.",
                "<!--#4DLOOP-->: An expression was expected.",
            ),
        ],
    );
}

#[test]
fn each_item_and_each_property_has_its_round() {
    check(
        &mut site(),
        &[
            (
                "<!--#4DEACH $name in names--><!--#4DTEXT $name-->,<!--#4DENDEACH-->.",
                "Mary,Ann,John,.",
            ),
            (
                "<!--#4DEACH $name in getNames--><!--#4DTEXT $name--><!--#4DENDEACH-->",
                "xy",
            ),
            (
                "<!--#4DEACH row IN rows--><!--#4DTEXT row.name-->=<!--#4DTEXT row.score-->;<!--#4DENDEACH-->",
                "Mary=10;Ann=20;",
            ),
            (
                "<!--#4DEACH $key in gamers--><!--#4DTEXT $key-->=<!--#4DTEXT gamers[$key]-->;<!--#4DENDEACH-->",
                "Mary=10;Ann=20;",
            ),
            (
                "<!--#4DEACH $r in grid-->[<!--#4DEACH $c in $r--><!--#4DTEXT $c--><!--#4DENDEACH-->]<!--#4DENDEACH-->",
                "[ab][c]",
            ),
            ("<!--#4DEACH $x in empty-->x<!--#4DENDEACH-->.", "."),
            ("<!--#4DEACH $x in nothing-->x<!--#4DENDEACH-->.", "."),
        ],
    );
}

#[test]
fn an_each_that_cannot_be_says_why() {
    check(
        &mut site(),
        &[
            (
                "<!--#4DEACH $x in mixed--><!--#4DTEXT $x-->;<!--#4DENDEACH-->.",
                "a;<!--#4DEACH $x in mixed-->: Items of different types.",
            ),
            (
                "<!--#4DEACH $x in user-->x<!--#4DENDEACH-->.",
                "<!--#4DEACH $x in user-->: Unexpected expression type.",
            ),
            (
                "<!--#4DEACH $x names-->x<!--#4DENDEACH-->.",
                "<!--#4DEACH $x names-->: Syntax error.",
            ),
            (
                "<!--#4DEACH-->x<!--#4DENDEACH-->.",
                "<!--#4DEACH-->: An expression was expected.",
            ),
            (
                "<!--#4DEACH 1 in names-->x<!--#4DENDEACH-->.",
                "<!--#4DEACH 1 in names-->: Syntax error.",
            ),
            (
                "<!--#4DEACH é-->x<!--#4DENDEACH-->.",
                "<!--#4DEACH é-->: Syntax error.",
            ),
        ],
    );
}

#[test]
fn an_error_in_a_round_leaves_the_loop_going() {
    check(
        &mut site(),
        &[(
            "<!--#4DEACH $x in names--><!--#4DIF $x-->a<!--#4DENDIF-->,<!--#4DENDEACH-->.",
            "<!--#4DIF $x-->: A Boolean expression was expected,<!--#4DIF $x-->: A Boolean expression was expected,<!--#4DIF $x-->: A Boolean expression was expected,.",
        )],
    );
}
