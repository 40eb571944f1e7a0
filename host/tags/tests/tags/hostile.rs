//! Pages made of anything: no panic, bounded work, and what has no tags stays as it is.

use std::sync::Arc;

use tessera_tags::{Limits, Renderer, Sink, Step, Syntax, Template, Value};

use crate::harness::Site;

/// Numbers that are the same in each run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

/// What pages are put together from.
const PIECES: &[&str] = &[
    "<!--#4DTEXT name-->",
    "<!--#4DHTML html-->",
    "<!--#4DTEXT method(1)-->",
    "<!--#4DEVAL $x:=2-->",
    "<!--#4DIF (1=1)-->",
    "<!--#4DENDIF-->",
    "<!--#4DEACH $x in rows-->",
    "<!--#4DENDEACH-->",
    "<!--#4DLOOP rows-->",
    "<!--#4DENDLOOP-->",
    "<!--#4DINCLUDE sub.html-->",
    "$4DTEXT(name)",
    "<!--#4DTEXT ",
    "<!--#4DHTML ",
    "<!--#4DEVAL ",
    "<!--#4DIF ",
    "<!--#4DELSEIF ",
    "<!--#4DELSE",
    "<!--#4DENDIF",
    "<!--#4DLOOP ",
    "<!--#4DENDLOOP",
    "<!--#4DEACH ",
    "<!--#4DENDEACH",
    "<!--#4DINCLUDE ",
    "<!--#4DBASE ",
    "<!--#4DSCRIPT/",
    "<!--#4DCODE\n",
    "-->",
    "-->",
    "-->",
    "-->",
    "-->",
    "-->",
    "$4DTEXT(",
    "$4DHTML(",
    ")",
    "(",
    "\"",
    "\\",
    "rows",
    "name",
    "method",
    "html",
    "$x",
    "$x in rows",
    "$x:=",
    ".name",
    "[0]",
    "{rows}",
    "1",
    "2.5",
    "True",
    "null",
    "+",
    "-",
    "*",
    "/",
    "=",
    "#",
    "&",
    "||",
    "&&",
    "?",
    ":",
    ";",
    " ",
    "\n",
    "é",
    "text",
    "sub.html",
    "folder/",
    "../",
    "<body>",
    "</body>",
    "@",
    "4D",
    "<!--",
    "String(",
];

fn site() -> Site {
    let row = |number: i32| Value::object([("name", Value::from(number))]);
    Site::with([
        ("rows", Value::list((0..3).map(row))),
        ("name", Value::from("<name>")),
        (
            "html",
            Value::from(
                "<!--#4DEACH $x in rows--><!--#4DHTML html--><!--#4DTEXT name--><!--#4DENDEACH-->",
            ),
        ),
    ])
    .method("method", |_, arguments| {
        Ok(arguments.first().cloned().unwrap_or_default())
    })
    .file(
        "sub.html",
        "<body><!--#4DLOOP rows--><!--#4DTEXT rows{rows}.name--><!--#4DENDLOOP--></body>",
    )
    .limits(|limits| {
        limits.work_max = 5000;
        limits.slice = 700;
        limits.output_bytes_max = 100_000;
        limits.nesting_max = 4;
    })
}

#[test]
fn pages_of_random_tags_come_to_an_end() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut site = site();
    let mut inserted = 0;
    for _ in 0..8000 {
        // Short ones, too: those without a fault.
        let count_max = if numbers.below(2) == 0 { 4 } else { 40 };
        let count = numbers.below(count_max);
        let page: String = (0..count)
            .map(|_| PIECES[numbers.below(PIECES.len())])
            .collect();
        let (output, faults) = site.bytes("index.shtml", page.as_bytes());
        assert!(output.len() < 200_000, "{page}");
        inserted += usize::from(faults.is_empty() && output != page.as_bytes());
    }
    // Otherwise the pieces make nothing but faults, and nothing is tried.
    assert!(inserted > 100, "{inserted}");
}

#[test]
fn mutated_pages_come_to_an_end() {
    let page = b"<!--#4DEVAL $i:=0--><!--#4DLOOP ($i<3)--><!--#4DIF ($i=1)-->one<!--#4DELSEIF rows[$i].name>1-->$4DTEXT(rows[$i].name)\
        <!--#4DELSE--><!--#4DINCLUDE sub.html--><!--#4DENDIF--><!--#4DEVAL $i+=1--><!--#4DENDLOOP--><!--#4DEACH $x in rows-->\
        <!--#4DTEXT String($x.name)+\" \\\"x\\\" \"+name--><!--#4DENDEACH--><!--#4DSCRIPT/method/a/b--><!--#4DHTML html-->";
    let mut numbers = Numbers(42);
    let mut site = site();
    for _ in 0..8000 {
        let mut mutated = page.to_vec();
        for _ in 0..=numbers.below(6) {
            let at = numbers.below(mutated.len());
            match numbers.below(4) {
                0 => mutated[at] = u8::try_from(numbers.below(256)).unwrap(),
                1 => {
                    mutated.remove(at);
                }
                2 => mutated.insert(at, page[numbers.below(page.len())]),
                _ => {
                    let end = (at + numbers.below(30)).min(mutated.len());
                    mutated.drain(at..end);
                }
            }
            if mutated.is_empty() {
                mutated.push(b'x');
            }
        }
        let (output, _) = site.bytes("index.shtml", &mutated);
        assert!(
            output.len() < 200_000,
            "{}",
            String::from_utf8_lossy(&mutated)
        );
    }
}

#[test]
fn a_page_without_tags_is_sent_as_it_is() {
    let mut numbers = Numbers(7);
    let mut site = site();
    for _ in 0..2000 {
        let length = numbers.below(300);
        let page: Vec<u8> = (0..length)
            .map(|_| b"<>!-#4dDtext$()\" \n\xc3\xa9\xff"[numbers.below(19)])
            .collect();
        let template = Template::compile(page.clone(), Syntax::All, &Limits::default()).unwrap();
        if template.is_plain() {
            assert_eq!(site.bytes("p", &page).0, page);
        }
    }
    assert_eq!(site.bytes("p", b"").0, b"");
}

#[test]
fn long_pages_of_beginnings_are_compiled_in_linear_work() {
    // Each of these once made a search through the rest of the page from every place.
    for piece in [
        "<!--#4DTEXT ",
        "$4DTEXT(",
        "$4",
        "<!--",
        "<!--#4DIF x-->",
        "<!--#4DELSE-->",
        "<body",
    ] {
        let page = piece.repeat(20_000).into_bytes();
        let template = Template::compile(page.clone(), Syntax::All, &Limits::default()).unwrap();
        assert!(template.source().len() == page.len());
        Template::compile_included(page, &Limits::default()).unwrap();
    }
}

/// A sink that wants to be emptied after each piece.
#[derive(Default)]
struct Narrow {
    now: Vec<u8>,
    all: Vec<u8>,
}

impl Sink for Narrow {
    fn bytes(&mut self, bytes: &[u8]) {
        self.now.extend_from_slice(bytes);
    }

    fn is_full(&self) -> bool {
        !self.now.is_empty()
    }
}

#[test]
fn a_sink_that_is_full_is_emptied_and_nothing_is_lost() {
    let page = "a<!--#4DEACH $x in rows--><!--#4DTEXT $x.name--><!--#4DHTML name-->,<!--#4DENDEACH--><!--#4DTEXT nobody-->.";
    let expected = site().render(page);
    let template =
        Template::compile(page.as_bytes().to_vec(), Syntax::All, &Limits::default()).unwrap();
    let mut renderer = Renderer::new(Arc::new(template), "p", Limits::default());
    let mut sink = Narrow::default();
    let mut full = 0;
    loop {
        match renderer.run(&mut site(), &mut sink) {
            Step::Full => full += 1,
            Step::Call(_) => {}
            Step::Done => break,
            step => panic!("{step:?}"),
        }
        let now = std::mem::take(&mut sink.now);
        sink.all.extend(now);
    }
    sink.all.extend(sink.now);
    assert_eq!(String::from_utf8(sink.all).unwrap(), expected);
    assert!(full > 8, "{full}");
}
