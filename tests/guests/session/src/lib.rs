//! Does everything that can be done with a session, one thing for each method.

use serde_json::{Value as Tree, json};
use tessera_guest::prelude::{Json, *};
use tessera_guest::session::{Expected, SessionError, Stored};

/// Everything else: what the session is.
#[on_web_connection]
fn connection(_call: WebCall) -> Json<Tree> {
    told()
}

/// `/4DACTION/info`
#[web_method]
fn info() -> Json<Tree> {
    told()
}

fn told() -> Json<Tree> {
    Json(json!({
        "id": session::id(),
        "user": session::user_name(),
        "guest": session::is_guest(),
        "privileges": session::privileges(),
        "idle": session::idle_timeout_minutes(),
        "expires": session::expiration_date(),
    }))
}

/// `/4DACTION/nothing`: asks for nothing of the session.
#[web_method]
fn nothing() -> impl Reply {
    text("nothing")
}

/// `/4DACTION/count/key`: adds 1, without losing what others add. As a handler, to `sum`.
#[web_method]
fn count(param: Option<&str>) -> Result<Json<Tree>, Error> {
    let sum = session::update(param.unwrap_or("sum"), |sum: &mut u64| {
        *sum += 1;
        *sum
    })?;
    Ok(Json(json!(sum)))
}

/// `/4DACTION/get/key`
#[web_method]
fn get(param: &str) -> Json<Tree> {
    answer(session::load(param).map(|stored| stored.map(shown)))
}

/// `/4DACTION/must/key`: as `get`, and fails with what it failed with.
#[web_method]
fn must(param: &str) -> Result<Json<Tree>, Error> {
    Ok(Json(json!(session::load(param)?.map(shown))))
}

/// `/4DACTION/has/privilege`
#[web_method]
fn has(param: &str) -> Json<Tree> {
    Json(json!(session::has_privilege(param)))
}

/// `/4DACTION/set/key/value/expected`: expected is `any`, `absent` or a version.
#[web_method]
fn set(param: &str) -> Json<Tree> {
    let [key, value, expected] = parts(param);
    answer(session::store(key, value.as_bytes(), expectation(expected)))
}

/// `/4DACTION/fill/key/1000`: a value of so many bytes.
#[web_method]
fn fill(param: &str) -> Json<Tree> {
    let [key, count, _] = parts(param);
    let value = vec![b'x'; count.parse().unwrap_or_default()];
    answer(session::store(key, &value, Expected::Any))
}

/// `/4DACTION/remove/key/expected`
#[web_method]
fn remove(param: &str) -> Json<Tree> {
    let [key, expected, _] = parts(param);
    answer(session::remove(key, expectation(expected)))
}

/// `/4DACTION/keys`
#[web_method]
fn keys() -> Json<Tree> {
    answer(session::keys())
}

/// `/4DACTION/login/user/privilege,privilege`: what the session is then. As a handler, that of ann, a reader.
#[web_method]
fn login(param: Option<&str>) -> Json<Tree> {
    let [user, privileges, _] = parts(param.unwrap_or("ann/reader"));
    let privileges: Vec<_> = privileges.split(',').collect();
    let user = (!user.is_empty()).then_some(user);
    match session::set_privileges(&privileges, user) {
        Ok(()) => told(),
        Err(error) => answer::<()>(Err(error)),
    }
}

/// `/4DACTION/logout`
#[web_method]
fn logout() -> Json<Tree> {
    match session::clear_privileges() {
        Ok(()) => told(),
        Err(error) => answer::<()>(Err(error)),
    }
}

/// `/4DACTION/idle/90`
#[web_method]
fn idle(minutes: u32) -> Json<Tree> {
    match session::set_idle_timeout_minutes(minutes) {
        Ok(()) => told(),
        Err(error) => answer::<()>(Err(error)),
    }
}

/// `/4DACTION/otp/30`: a token for so many seconds, or for as long as the session.
#[web_method]
fn otp(param: &str) -> Json<Tree> {
    answer(session::create_otp(param.parse().ok()))
}

/// `/4DACTION/restore/token`
#[web_method]
fn restore(param: &str) -> Json<Tree> {
    answer(session::restore(param))
}

/// `/4DACTION/close`: ends the session, and tries to go on with it.
#[web_method]
fn close() -> Json<Tree> {
    let closed = session::close();
    let written = session::store("late", b"", Expected::Any);
    answer(closed.map(|()| written.is_err()))
}

/// `/4DACTION/cookie/value`: sets a cookie of its own beside that of the session, whatever the value is.
#[web_method]
fn cookie(param: &str) -> Json<Tree> {
    let stored = session::store("cookie", b"", Expected::Any);
    let set = response::set_header("Set-Cookie", &format!("own={param}"));
    Json(json!([stored.is_ok(), set.is_ok()]))
}

/// `/4DACTION/trap`: writes, and breaks.
#[web_method]
fn trap() -> Json<Tree> {
    let _ = session::store("trap", b"", Expected::Any);
    panic!("as asked");
}

fn parts(param: &str) -> [&str; 3] {
    let mut parts = param.splitn(3, '/');
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

fn expectation(text: &str) -> Expected {
    match text {
        "absent" => Expected::Absent,
        version => version.parse().map_or(Expected::Any, Expected::Version),
    }
}

fn shown(stored: Stored) -> Tree {
    json!([String::from_utf8_lossy(&stored.value), stored.version])
}

fn answer<T: serde::Serialize>(result: Result<T, SessionError>) -> Json<Tree> {
    Json(match result {
        Ok(value) => json!(value),
        Err(SessionError::Conflict(now)) => json!({ "conflict": now.map(shown) }),
        Err(error) => json!({ "error": error.to_string() }),
    })
}
