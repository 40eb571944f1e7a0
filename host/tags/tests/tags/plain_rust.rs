//! A generated page beside the same page made by plain Rust code.

use std::fmt::Write;

use tessera_tags::Value;

use crate::harness::Site;

struct Row {
    name: String,
    price: f64,
    count: u32,
    is_new: bool,
}

fn rows() -> Vec<Row> {
    let row = |number: u32| Row {
        name: format!("Item <{number}> & more"),
        price: f64::from(number) * 1.25,
        count: number % 7,
        is_new: number.is_multiple_of(3),
    };
    (0..500).map(row).collect()
}

fn value(row: &Row) -> Value {
    Value::object([
        ("name", Value::from(row.name.as_str())),
        ("price", Value::from(row.price)),
        ("count", Value::from(row.count)),
        ("isNew", Value::from(row.is_new)),
    ])
}

#[test]
fn a_page_is_what_plain_code_would_make_of_it() {
    let page = "<table>\
        <!--#4DEACH $row in rows-->\
        <tr><td><!--#4DTEXT $row.name--></td><td>$4DTEXT($row.price)</td>\
        <!--#4DIF ($row.count=0)--><td>none</td>\
        <!--#4DELSEIF $row.isNew--><td>new: <!--#4DTEXT $row.count*$row.price--></td>\
        <!--#4DELSE--><td><!--#4DTEXT $row.count--></td><!--#4DENDIF--></tr>\n\
        <!--#4DENDEACH--></table><!--#4DTEXT rows.length-->";
    let rows = rows();
    let mut expected = String::from("<table>");
    for row in &rows {
        let name = row
            .name
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        write!(expected, "<tr><td>{name}</td><td>{}</td>", row.price).unwrap();
        match row {
            row if row.count == 0 => expected.push_str("<td>none</td>"),
            row if row.is_new => write!(
                expected,
                "<td>new: {}</td>",
                f64::from(row.count) * row.price
            )
            .unwrap(),
            row => write!(expected, "<td>{}</td>", row.count).unwrap(),
        }
        expected.push_str("</tr>\n");
    }
    expected.push_str("</table>500");
    let mut site = Site::with([("rows", Value::list(rows.iter().map(value)))]);
    assert_eq!(site.render(page), expected);
}
