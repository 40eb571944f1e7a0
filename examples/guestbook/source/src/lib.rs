//! The guestbook: whoever comes reads it and signs it.

mod book;

use std::time::Duration;

use serde::Deserialize;
use tessera_guest::prelude::*;

use book::Entry;

/// The cookie that keeps a visitor's name for the next entry.
const VISITOR: &str = "visitor";
const NAME_MAX: usize = 60;
const TEXT_MAX: usize = 1000;

/// What the form on the page sends.
#[derive(Deserialize)]
struct Signature {
    name: String,
    text: String,
    remember: bool,
}

impl Signature {
    /// What is wrong with it, for the visitor.
    fn fault(&self) -> Option<String> {
        let length = |text: &str| text.trim().chars().count();
        match (length(&self.name), length(&self.text)) {
            (0, _) => Some("Please write your name.".to_owned()),
            (_, 0) => Some("Please write something.".to_owned()),
            (name, _) if name > NAME_MAX => {
                Some(format!("A name has at most {NAME_MAX} characters."))
            }
            (_, text) if text > TEXT_MAX => Some(format!(
                "An entry has at most {TEXT_MAX} characters; this one has {text}."
            )),
            _ => None,
        }
    }
}

#[on_web_connection]
fn guestbook(call: &WebCall) -> impl Reply {
    routes!(call,
        GET "/" => read,
        POST "/sign" => sign,
    )
}

/// Shows the book with an empty form.
fn read() -> Result<impl Reply, Error> {
    page("", &cookie::get(VISITOR).unwrap_or_default(), "")
}

/// Writes an entry and shows the book anew, or shows what is wrong beside what was entered.
fn sign(form: Form<Signature>) -> Result<impl Reply, Error> {
    if let Some(fault) = form.fault() {
        let again = page(&fault, &form.name, &form.text)?;
        return Ok(again.with_status(422).boxed());
    }
    book::write(&Entry::new(&form.name, &form.text))?;
    let kept = match form.remember {
        true => Cookie::new(VISITOR, form.name.trim().to_owned())
            .max_age(Duration::from_secs(365 * 24 * 60 * 60)),
        false => Cookie::removal(VISITOR),
    };
    // See other: reloading the page does not sign the book a second time.
    Ok(redirect("./").see_other().with_cookie(kept).boxed())
}

/// The page with the entries and the form; its tags are in `WebFolder/book.html`.
fn page(fault: &str, name: &str, text: &str) -> Result<impl Reply + use<>, Error> {
    Ok(template("book.html")
        .with("vFault", fault)
        .with("vName", name)
        .with("vText", text)
        .with("vKnown", cookie::get(VISITOR).is_some())
        .with_json("vEntries", &book::latest()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_guest::test;

    #[test]
    fn an_entry_is_written_and_shown() {
        let form = [
            ("name", "Ann"),
            ("text", "Nice <b>place</b>"),
            ("remember", "on"),
        ];
        let signed = test::post("/sign").form(form).connect(guestbook);
        assert_eq!(
            (signed.status, signed.header("location")),
            (303, Some("./"))
        );
        let kept = signed.header("set-cookie").unwrap_or_default();
        assert!(kept.starts_with("visitor=Ann; "), "{kept}");

        let page = test::get("/").cookie("visitor", "Ann").connect(guestbook);
        assert_eq!(page.file.as_deref(), Some("book.html"));
        assert_eq!(page.variable("vName"), Value::from("Ann"));
        let Value::Json(entries) = page.variable("vEntries") else {
            panic!("{page:?}");
        };
        assert!(entries.contains("Nice <b>place</b>"), "{entries}");
    }

    #[test]
    fn an_entry_that_is_wrong_comes_back_with_the_reason() {
        let long = "x".repeat(1001);
        for (name, text, told) in [
            (" ", "hello", "Please write your name."),
            ("Ann", "", "Please write something."),
            ("Ann", &long, "this one has 1001."),
        ] {
            let form = [("name", name), ("text", text)];
            let page = test::post("/sign").form(form).connect(guestbook);
            assert_eq!(page.status, 422);
            let fault = page.variable("vFault");
            assert!(
                fault.as_text().is_some_and(|it| it.ends_with(told)),
                "{fault:?}"
            );
            assert_eq!(page.variable("vText"), Value::from(text));
        }
        assert_eq!(
            test::post("/sign")
                .form([("name", "Ann")])
                .connect(guestbook)
                .status,
            400
        );
    }
}
