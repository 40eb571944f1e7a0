//! Sends pages with tags, and has the methods that they call.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use tessera_guest::prelude::{Json, *};
use tessera_guest::variables;

/// How often the instance was called by On Web Authentication and by tags.
static ADMITTED: AtomicU32 = AtomicU32::new(0);
static CALLED: AtomicU32 = AtomicU32::new(0);

/// Refuses who says so.
#[on_web_authentication]
fn admit(call: &WebCall) -> Result<bool, Error> {
    ADMITTED.fetch_add(1, Ordering::Relaxed);
    if call.url.contains("refuse") {
        response::send_html("<p>Who are you, <!--#4DTEXT user--><!--#4DTEXT price-->?")?;
        return Ok(false);
    }
    variables::set("admitted", true).map_err(told)?;
    Ok(true)
}

#[compiler_web]
fn compile() {
    let lines = json!([{"name": "tea", "price": 2.5}, {"name": "<b>cake</b>", "price": 4}]);
    for (name, value) in [
        ("vTitle", Value::from("Tom & \"Jerry\" <3")),
        ("vMarkup", "<i>italic</i>".into()),
        ("vCount", 3.into()),
        ("vTrue", true.into()),
        ("vFalse", false.into()),
        ("vLines", lines.into()),
        ("vNames", json!(["Ann", "Bob", "Cid"]).into()),
        (
            "vOrder",
            json!({"number": 7, "lines": [{"price": 1.5}]}).into(),
        ),
        ("vHostile", "<!--#4DTEXT vCount-->$4DTEXT(vCount)".into()),
    ] {
        if let Err(error) = variables::set(name, value) {
            eprintln!("{name}: {error}");
        }
    }
}

fn told(error: variables::VariableError) -> Error {
    Error::new(error.to_string())
}

/// The value of a parameter of the request.
fn parameter(name: &str) -> Result<String, Error> {
    let all = request::variables()?;
    let found = all.into_iter().find(|variable| variable.name == name);
    Ok(found.map(|variable| variable.value).unwrap_or_default())
}

/// `/text?page=...&type=...`, `/blob?...`, `/file?path=...`: sent as it is asked for.
#[on_web_connection]
fn connection(call: WebCall) -> Result<(), Error> {
    let content_type = parameter("type")?;
    let page = parameter("page")?;
    match call.path() {
        "/text" if content_type.is_empty() => response::send_html(&page)?,
        "/text" => response::send_text(&page, &content_type)?,
        "/blob" => response::send_blob(page.as_bytes(), &content_type)?,
        "/file" => response::send_file(&parameter("path")?)?,
        _ => return Ok(response::set_status(404)?),
    }
    // Too late for what was sent.
    variables::set("vTitle", "changed").map_err(told)?;
    Ok(())
}

/// `/4DACTION/set/name?kind=...&value=...`: the error, or what the variable then holds.
#[web_method]
fn set(name: &str) -> Result<Json<serde_json::Value>, Error> {
    let value = parameter("value")?;
    let value = match parameter("kind")?.as_str() {
        "null" => Value::Null,
        "boolean" => Value::Boolean(value == "true"),
        "number" => Value::Number(value.parse().unwrap_or(f64::NAN)),
        "json" => Value::Json(value),
        "long" => Value::Text("x".repeat(value.parse().unwrap_or_default())),
        _ => Value::Text(value),
    };
    Ok(Json(match variables::set(name, value) {
        Ok(()) => match variables::get(&name.to_uppercase()) {
            Value::Json(text) => json!({ "json": text }),
            Value::Text(text) if text.len() > 100 => json!(text.len()),
            value => value.into(),
        },
        Err(error) => json!({ "error": error.to_string() }),
    }))
}

/// `/4DACTION/many/1001`: sets so many variables, and says at which it was refused.
#[web_method]
fn many(count: u32) -> Json<u32> {
    let refused = |number: &u32| variables::set(&format!("many{number}"), 1).is_err();
    Json((0..count).find(refused).unwrap_or(count))
}

/// `/4DACTION/get/name`: what the variable holds when nothing has set it in this web process.
#[web_method]
fn get(name: &str) -> Json<serde_json::Value> {
    Json(variables::get(name).into())
}

/// `/4DACTION/counts`: how often the instance was called.
#[web_method]
fn counts() -> Json<[u32; 2]> {
    Json([
        ADMITTED.load(Ordering::Relaxed),
        CALLED.load(Ordering::Relaxed),
    ])
}

/// `/4DACTION/twice`: the last one wins.
#[web_method]
fn twice() -> Result<(), Error> {
    response::send_html("first <!--#4DSCRIPT/count/x-->")?;
    response::send_file("plain.txt")?;
    response::send_html("second <!--#4DTEXT vCount-->")?;
    Ok(())
}

/// `/4DACTION/late`: the tags see the variables as they were when the page was sent.
#[web_method]
fn late() -> Result<(), Error> {
    variables::set("vNow", "before").map_err(told)?;
    response::send_html("<!--#4DTEXT vNow--> <!--#4DEVAL change-->|<!--#4DTEXT vNow-->")?;
    variables::set("vNow", "after").map_err(told)?;
    Ok(())
}

/// Called by a tag: changes a variable that the tags below see.
#[web_method]
fn change() -> Result<Value, Error> {
    variables::set("vNow", "changed").map_err(told)?;
    Ok(Value::Null)
}

/// `/4DACTION/download/path`: a file with a status and fields of the method's own.
#[web_method]
fn download(path: &str) -> Result<(), Error> {
    if let Err(error) = response::send_file(path) {
        response::send_text(&error.to_string(), "text/plain")?;
        response::set_status(404)?;
        return Ok(());
    }
    response::set_header("Content-Disposition", "attachment")?;
    response::set_header("Cache-Control", "private")?;
    Ok(())
}

/// Counts its calls.
#[web_method]
fn count(param: &str) -> Value {
    CALLED.fetch_add(1, Ordering::Relaxed);
    Value::Text(["counted ", param].concat())
}

#[web_method]
fn price() -> f64 {
    2.5
}

#[web_method]
fn add(a: f64, b: f64) -> f64 {
    a + b
}

/// Text that is sent rather than returned.
#[web_method]
fn greeting() -> &'static str {
    "<hello>"
}

#[web_method]
fn markup() -> Value {
    Value::Text("\u{1}<b>bold</b><!--#4DTEXT vCount-->".into())
}

/// Three rounds.
#[web_method]
fn rows(round: u32) -> Result<Value, Error> {
    variables::set("vRow", ["row", &round.to_string()].concat()).map_err(told)?;
    Ok(Value::Boolean(round <= 3))
}

#[web_method]
fn forever(_round: u32) -> bool {
    true
}

#[web_method]
fn order() -> Value {
    Value::Json(r#"{"number":42,"lines":[{"name":"a"},{"name":"b"}]}"#.into())
}

#[web_method]
fn fails() -> Result<Value, Error> {
    Err(Error::new("out of paper"))
}

#[web_method]
fn broken() -> Value {
    Value::Json("[1,".into())
}

#[web_method]
fn traps() -> Value {
    panic!("trapped on purpose")
}

#[web_method]
fn spins() -> Value {
    loop {
        std::hint::black_box(0);
    }
}

/// Sets what a response has beside its body.
#[web_method]
fn cookie() -> Result<Value, Error> {
    response::add_header("Set-Cookie", "seen=yes")?;
    Ok(Value::Null)
}

/// A redirection wins over the page whose tag calls for it.
#[web_method]
fn leave() -> impl Reply {
    redirect("/elsewhere")
}

/// `/4DACTION/login`: a page that is sent with tags by who is not available to them.
#[web_method(available = false)]
fn secret() -> Value {
    Value::Text("the secret".into())
}
