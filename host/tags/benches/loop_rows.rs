//! A page with 1000 loop rows, beside minijinja: with a template compiled once, and compiled from its source each time.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark that cannot start is to stop"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use minijinja::{Environment, context};
use tessera_tags::{Context, Limits, Renderer, Step, Syntax, Template, Value};

const ROWS: u32 = 1000;

const TAGS: &str = "<html><body><h1><!--#4DTEXT title--></h1><table>\n<!--#4DEACH $row in rows-->\
<tr><td><!--#4DTEXT $row.id--></td><td><!--#4DTEXT $row.name--></td><td><!--#4DTEXT $row.price--></td>\
<!--#4DIF $row.isNew--><td>new</td><!--#4DELSE--><td></td><!--#4DENDIF--></tr>\n<!--#4DENDEACH--></table></body></html>\n";

const JINJA: &str = "<html><body><h1>{{ title }}</h1><table>\n{% for row in rows %}\
<tr><td>{{ row.id }}</td><td>{{ row.name }}</td><td>{{ row.price }}</td>\
{% if row.isNew %}<td>new</td>{% else %}<td></td>{% endif %}</tr>\n{% endfor %}</table></body></html>\n";

struct Page {
    title: Value,
    rows: Value,
}

impl Context for Page {
    fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "title" => Some(self.title.clone()),
            "rows" => Some(self.rows.clone()),
            _ => None,
        }
    }
}

fn name(number: u32) -> String {
    format!("Item {number} <&> more")
}

fn price(number: u32) -> f64 {
    f64::from(number) + 0.25
}

fn page() -> Page {
    let row = |number: u32| {
        Value::object([
            ("id", Value::from(number)),
            ("name", Value::from(name(number))),
            ("price", Value::from(price(number))),
            ("isNew", Value::from(number.is_multiple_of(3))),
        ])
    };
    Page {
        title: Value::from("Items"),
        rows: Value::list((0..ROWS).map(row)),
    }
}

fn jinja_values() -> minijinja::Value {
    let row = |number: u32| {
        context! { id => number, name => name(number), price => price(number), isNew => number.is_multiple_of(3) }
    };
    let rows: Vec<_> = (0..ROWS).map(row).collect();
    context! { title => "Items", rows => rows }
}

fn render(template: &Arc<Template>, page: &mut Page) -> Vec<u8> {
    let mut output = Vec::new();
    let mut renderer = Renderer::new(Arc::clone(template), "index.shtml", Limits::default());
    loop {
        match renderer.run(page, &mut output) {
            Step::Done => return output,
            Step::Pause => {}
            step => panic!("{step:?}"),
        }
    }
}

fn compile() -> Arc<Template> {
    let source = TAGS.as_bytes().to_vec();
    Arc::new(Template::compile(source, Syntax::All, &Limits::default()).expect("a short page"))
}

fn loop_rows(criterion: &mut Criterion) {
    let template = compile();
    let mut page = page();
    let values = jinja_values();
    let mut environment = Environment::new();
    environment
        .add_template("page.html", JINJA)
        .expect("a template");
    let jinja = environment.get_template("page.html").expect("a template");
    let ours = String::from_utf8(render(&template, &mut page)).expect("text");
    let theirs = jinja.render(&values).expect("a page");
    assert_eq!(
        ours.trim_end(),
        theirs.trim_end(),
        "both make the same page"
    );

    let mut group = criterion.benchmark_group("1000 rows");
    group.bench_function("tags, compiled", |bencher| {
        bencher.iter(|| black_box(render(&template, &mut page)))
    });
    group.bench_function("tags, from source", |bencher| {
        bencher.iter(|| black_box(render(&compile(), &mut page)))
    });
    group.bench_function("minijinja, compiled", |bencher| {
        bencher.iter(|| black_box(jinja.render(&values).expect("a page")));
    });
    group.bench_function("minijinja, from source", |bencher| {
        bencher.iter(|| {
            let mut environment = Environment::new();
            environment
                .add_template("page.html", JINJA)
                .expect("a template");
            let jinja = environment.get_template("page.html").expect("a template");
            black_box(jinja.render(&values).expect("a page"))
        });
    });
    group.finish();
}

criterion_group!(benches, loop_rows);
criterion_main!(benches);
