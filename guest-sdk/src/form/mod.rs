//! Forms, read into types.

mod fields;

use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::extract::FromRequest;
use crate::request;
use crate::types::{BodyError, Variable};

/// The fields of a posted form, or the parameters of the query if there is no form, as a type of yours.
///
/// The type derives `serde::Deserialize`; its fields are named as the inputs of the form, or renamed by
/// `#[serde(rename = "...")]`. Inputs that it does not name are passed over.
///
/// | field | of |
/// |---|---|
/// | `String` | the text as it was entered |
/// | `i8` to `u64`, `f32`, `f64` | the number it spells, white space around it aside |
/// | `bool` | a check box: false if it is missing, empty, `0`, `false`, `off` or `no`, else true |
/// | `Option<T>` | none if it is missing or empty |
/// | `Vec<T>` | all inputs of that name, in order; empty if there are none |
/// | an enum of names | the name, as in `#[serde(rename_all = "lowercase")]` |
///
/// `#[serde(default)]` works too, for inputs that are missing. What does not fit is refused with 400 and a text that names the
/// field, before the function is called; one that takes `Result<Form<T>, Error>` sees the error itself.
/// Form bodies are read as the host reads them, urlencoded, multipart or plain; files are not among the fields
/// (see [`request::parts`]).
///
/// ```
/// use serde::Deserialize;
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// #[derive(Deserialize)]
/// struct Order {
///     article: String,
///     pieces: u32,
///     gift: bool,
///     note: Option<String>,
///     extra: Vec<String>,
/// }
///
/// fn order(form: Form<Order>) -> impl Reply {
///     text(format!("{} {} {} {:?} {:?}", form.pieces, form.article, form.gift, form.note, form.extra))
/// }
///
/// let response = test::post("/order")
///     .form([("article", "ink"), ("pieces", "3"), ("extra", "box"), ("extra", "ribbon"), ("note", "")])
///     .connect(order);
/// assert_eq!(response.text(), r#"3 ink false None ["box", "ribbon"]"#);
///
/// let refused = test::get("/order?article=pen&pieces=some").connect(order);
/// assert_eq!(refused.status, 400);
/// assert_eq!(refused.text(), "field `pieces`: `some` is not a whole number from 0 to 4294967295");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> Form<T> {
    /// Reads variables that were got by [`request::variables`], or made up.
    pub fn of(variables: &[Variable]) -> Result<Self, Error> {
        fields::read(variables).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest for Form<T> {
    fn from_request() -> Result<Self, Error> {
        let mut variables = request::variables()?;
        if variables.iter().any(|variable| variable.value.is_empty()) {
            add_long_texts(&mut variables)?;
        }
        Self::of(&variables)
    }
}

impl<T> Deref for Form<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Form<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Reads the texts of a multipart form that are too long for the host to hand over among the variables: there they
/// are empty.
fn add_long_texts(variables: &mut [Variable]) -> Result<(), BodyError> {
    let content_type = request::header("content-type").unwrap_or_default();
    if !content_type
        .get(..10)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"))
    {
        return Ok(());
    }
    let mut rest = variables.iter_mut();
    for part in request::parts()? {
        let part = part?;
        if part.is_file() || part.size == 0 {
            continue;
        }
        // Both lists have the order of the body.
        let Some(variable) = rest.find(|variable| variable.name == part.name) else {
            break;
        };
        if variable.value.is_empty() {
            variable.value = part.text()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::reply::text;
    use crate::request::Part;
    use crate::test;

    #[test]
    fn reads_fields_of_multipart_forms_beside_files() {
        #[derive(Deserialize)]
        struct Upload {
            title: String,
            empty: String,
            text: String,
        }
        let part = |name: &str| Part {
            name: name.into(),
            ..Part::default()
        };
        let file = Part {
            file_name: Some("a.png".into()),
            ..part("title")
        };
        let response = test::post("/")
            .part(file, "not a field")
            .part(part("empty"), "")
            .part(part("text"), "x".repeat(70_000))
            .part(part("title"), "Sun")
            .connect(|form: Form<Upload>| {
                let Form(Upload {
                    title,
                    empty,
                    text: long,
                }) = form;
                text(format!("{title}/{empty}/{}", long.len()))
            });
        assert_eq!(response.text(), "Sun//70000");
    }

    #[test]
    fn a_function_may_see_the_error_itself() {
        #[derive(Deserialize)]
        struct Page {
            number: u8,
        }
        let number = |form: Result<Form<Page>, Error>| match form {
            Ok(page) => text(page.number.to_string()),
            Err(error) => text(format!("sorry: {error}")),
        };
        assert_eq!(test::get("/?number=7").connect(number).text(), "7");
        let response = test::get("/?number=999").connect(number);
        assert_eq!(response.status, 200);
        assert_eq!(
            response.text(),
            "sorry: field `number`: `999` is not a whole number from 0 to 255"
        );
    }
}
