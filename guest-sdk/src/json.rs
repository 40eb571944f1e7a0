//! JSON, as what a handler takes and as what it answers.

use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::extract::FromRequest;
use crate::reply::Reply;
use crate::{request, response};

/// JSON: as a parameter the body of the request, as a reply a body made of any serializable value.
///
/// As a parameter it is refused with 415 unless the request's Content-Type is `application/json` or ends in `+json`, and with
/// 400 and the place if the body does not fit the type.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// #[derive(Deserialize)]
/// struct Sum { numbers: Vec<f64> }
///
/// #[derive(Deserialize, Serialize)]
/// struct Total { total: f64 }
///
/// fn add_up(sum: Json<Sum>) -> impl Reply {
///     json(Total { total: sum.numbers.iter().sum() })
/// }
///
/// let response = test::post("/").json(&serde_json::json!({"numbers": [1, 2.5]})).connect(add_up);
/// assert_eq!(response.json::<Total>().total, 3.5);
///
/// let refused = test::post("/").body("{}", "application/json").connect(add_up);
/// assert_eq!(refused.status, 400);
/// assert_eq!(
///     refused.text(),
///     "the body is not the JSON that is expected: missing field `numbers` at line 1 column 2"
/// );
/// assert_eq!(test::post("/").body("{}", "text/plain").connect(add_up).status, 415);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// Makes a reply of JSON.
pub fn json<T: Serialize>(value: T) -> Json<T> {
    Json(value)
}

impl<T: Serialize> Reply for Json<T> {
    fn send(self) -> Result<(), Error> {
        let text = serde_json::to_string(&self.0)?;
        Ok(response::send_text(&text, "application/json")?)
    }
}

impl<T: DeserializeOwned> FromRequest for Json<T> {
    fn from_request() -> Result<Self, Error> {
        let content_type = request::header("content-type").unwrap_or_default();
        if !is_json(&content_type) {
            return Err(Error::refused(
                415,
                "send JSON, with Content-Type: application/json",
            ));
        }
        serde_json::from_slice(&request::body()?)
            .map(Self)
            .map_err(|error| {
                Error::refused(
                    400,
                    format!("the body is not the JSON that is expected: {error}"),
                )
            })
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_types_of_json() {
        for json in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/ld+json",
        ] {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "text/json+x", "text/plain; a=application/json"] {
            assert!(!is_json(other), "{other}");
        }
    }
}
