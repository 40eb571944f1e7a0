//! The jockeys: `search.htm` asks for them, `results.htm` shows those that were found, and `getPhoto` sends their pictures.

mod jockeys;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::Deserialize;
use tessera_guest::prelude::*;

use jockeys::JOCKEYS;

/// The inputs of `search.htm`.
#[derive(Deserialize)]
struct Search {
    #[serde(rename = "vName")]
    name: String,
    /// A check box: the browser sends `vExact=Word` if it is ticked, and nothing if it is not.
    #[serde(rename = "vExact")]
    is_exact: bool,
}

/// Finds jockeys and shows them in `results.htm`, whose tags name the variables that are set here.
#[web_method(name = "processForm")]
fn process_form(search: Form<Search>) -> impl Reply {
    let found = jockeys::find(search.name.trim(), search.is_exact);
    template("results.htm")
        .with("vName", search.name.trim())
        .with("vExact", search.is_exact)
        .with("vCount", found.len() as f64)
        .with_json("vLIST", &found)
}

/// Sends a picture: `<img src="4DACTION/getPhoto/smith">`.
#[web_method(name = "getPhoto")]
fn get_photo(key: &str) -> Result<impl Reply, Error> {
    // One of the list and nothing else: a name from a URL never becomes a path.
    let jockey = JOCKEYS.iter().find(|jockey| jockey.key == key);
    let jockey = jockey.or_refuse(404, "")?;
    match fs::read(images().join(format!("{}.png", jockey.key))) {
        Ok(picture) => Ok(blob(picture, "image/png").with_header("Cache-Control", "max-age=3600")),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::refused(404, "")),
        Err(error) => Err(error.into()),
    }
}

/// `/images` is what `settings.toml` grants; tests take the pictures where they are.
fn images() -> PathBuf {
    match cfg!(test) {
        true => concat!(env!("CARGO_MANIFEST_DIR"), "/../components/jockeys/Images").into(),
        false => "/images".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_guest::test;

    fn search(form: &[(&'static str, &'static str)]) -> (Value, Value) {
        let request = test::post("/4daction/processForm").form(form.iter().copied());
        let response = request.send();
        assert_eq!(response.file.as_deref(), Some("results.htm"));
        (response.variable("vCount"), response.variable("vLIST"))
    }

    #[test]
    fn finds_parts_of_names_and_whole_words() {
        assert_eq!(search(&[("vName", "smi")]).0, Value::from(2));
        let (count, list) = search(&[("vName", "SMITH"), ("vExact", "Word")]);
        assert_eq!(count, Value::from(1));
        assert!(matches!(list, Value::Json(list) if list.contains("\"smith\"")));
        assert_eq!(search(&[("vName", "nobody")]).0, Value::from(0));
    }

    #[test]
    fn every_jockey_has_a_picture() {
        for jockey in &JOCKEYS {
            let response = test::get(format!("/4DACTION/getPhoto/{}", jockey.key)).send();
            assert_eq!(response.header("content-type"), Some("image/png"));
            assert!(response.body.starts_with(b"\x89PNG"), "{}", jockey.key);
        }
        for unknown in ["", "nobody", "..%2Fsettings", "smith.png"] {
            let response = test::get(format!("/4DACTION/getPhoto/{unknown}")).send();
            assert_eq!(response.status, 404, "{unknown}");
        }
    }
}
