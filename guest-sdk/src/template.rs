//! Pages with tags, and the values that they show.

use std::borrow::Cow;

use crate::error::Error;
use crate::reply::Reply;
use crate::types::Value;
use crate::{response, variables};

/// Makes a reply of a page of the HTML root whose tags show values: the file at `path`, relative to the root, as
/// [`file`](crate::file) sends it, with process variables.
///
/// A page `results.html` with `<h1><!--#4DTEXT vTitle--></h1>` in it is shown by
///
/// ```
/// use serde::Serialize;
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// #[derive(Serialize)]
/// struct Rider { name: String }
///
/// fn results() -> impl Reply {
///     let riders = [Rider { name: "Ann".into() }];
///     template("results.html")
///         .with("vTitle", "Results")
///         .with_json("vRiders", &riders)
/// }
///
/// let response = test::get("/").connect(results);
/// assert_eq!(response.file.as_deref(), Some("results.html"));
/// assert_eq!(response.variable("vTitle"), Value::from("Results"));
/// assert_eq!(response.variable("vRiders"), Value::Json(r#"[{"name":"Ann"}]"#.into()));
/// ```
pub fn template<'a>(path: impl Into<Cow<'a, str>>) -> Template<'a> {
    Template {
        path: path.into(),
        refused: None,
    }
}

/// A page with the values that its tags show; made by [`template`].
#[derive(Debug)]
#[must_use = "a template is sent by being returned"]
pub struct Template<'a> {
    path: Cow<'a, str>,
    refused: Option<Error>,
}

impl Template<'_> {
    /// Sets a process variable: a text, a number, a boolean, or any [`Value`].
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let set = variables::set(name, value);
        self.keep(name, set.map_err(Error::from));
        self
    }

    /// Sets a process variable to a list or an object, of anything that serde can write.
    #[cfg(feature = "json")]
    pub fn with_json(mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) -> Self {
        self.keep(name, variables::set_json(name, value));
        self
    }

    fn keep(&mut self, name: &str, set: Result<(), Error>) {
        if let (Err(error), None) = (set, &self.refused) {
            self.refused = Some(Error::new(format!("variable {name:?}: {error}")));
        }
    }
}

impl Reply for Template<'_> {
    fn send(self) -> Result<(), Error> {
        match self.refused {
            Some(error) => Err(error),
            None => Ok(response::send_file(&self.path)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test;
    use crate::variables::VariableError;

    #[test]
    fn the_first_variable_that_cannot_be_set_is_told() {
        let response = test::get("/").connect(|| {
            template("a.html")
                .with("fine", 1)
                .with("1st", true)
                .with("a b", "x")
        });
        assert_eq!(response.status, 500);
        let told = VariableError::InvalidName.to_string();
        assert_eq!(response.error, Some(format!("variable \"1st\": {told}")));
    }
}
