//! The smallest useful component: it tells what it was asked.

use tessera_guest::prelude::*;

/// Answers every URL that is neither a file nor a method.
#[on_web_connection]
fn hello(call: &WebCall) -> impl Reply {
    text(format!(
        "Hello from a WebAssembly component.\nOn Web Connection was called with the url {}\nand runs in a sandbox.\n",
        call.url
    ))
}

/// Shows the form that was posted to `/4DACTION/processForm`.
#[web_method(name = "processForm")]
fn process_form() -> Result<String, Error> {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>The form</title>\n<h1>The form</h1>\n<dl>\n",
    );
    for Variable { name, value } in request::variables()? {
        for part in ["<dt>", &escape(&name), "<dd>", &escape(&value), "\n"] {
            page.push_str(part);
        }
    }
    page.push_str("</dl>\n</html>\n");
    Ok(page)
}

/// Greets by name: `/4DACTION/greet/Ann`.
#[web_method]
fn greet(name: &str) -> impl Reply {
    let name = if name.is_empty() { "World" } else { name };
    text(format!("Hello, {name}!\n"))
}

/// Not for visitors: a URL that calls it is answered with 403.
#[web_method(available = false)]
fn hidden() -> impl Reply {
    text("You should not see this.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_guest::test;

    #[test]
    fn shows_the_url_it_saw() {
        let response = test::get("/a/b?c=d").connect(hello);
        assert!(response.text().contains("the url /a/b?c=d\n"));
        assert_eq!(
            response.header("content-type"),
            Some("text/plain; charset=UTF-8")
        );
    }

    #[test]
    fn shows_the_fields_of_a_form_escaped() {
        let form = [("vName", "Ann"), ("vExact", "<Word>")];
        let response = test::post("/4DACTION/processForm").form(form).send();
        assert!(
            response
                .text()
                .contains("<dt>vName<dd>Ann\n<dt>vExact<dd>&lt;Word&gt;\n")
        );
    }

    #[test]
    fn greets_whom_the_url_names() {
        assert_eq!(
            test::get("/4DACTION/greet/Ann").send().text(),
            "Hello, Ann!\n"
        );
        assert_eq!(
            test::get("/4DACTION/GREET").send().text(),
            "Hello, World!\n"
        );
    }

    #[test]
    fn keeps_the_hidden_method_hidden() {
        assert_eq!(test::get("/4DACTION/hidden").send().status, 403);
    }
}
