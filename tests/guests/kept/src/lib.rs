//! Keeps its variables from one request of a legacy session to the next, and says goodbye to each session in its log.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value as Tree, json};
use tessera_guest::prelude::{Json, *};
use tessera_guest::session::Expected;

static COUNT: AtomicU64 = AtomicU64::new(0);
static COMPILED: AtomicU64 = AtomicU64::new(0);
static HANGS: AtomicBool = AtomicBool::new(false);
static NOTES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Refuses what says so itself.
#[on_web_authentication]
fn authentication(call: WebCall) -> bool {
    !call.path().contains("refuse")
}

/// COMPILER_WEB: counts how often it runs.
#[compiler_web]
fn compiler() {
    COMPILED.fetch_add(1, Ordering::Relaxed);
}

/// On Web Close Process: what the session had is still there.
#[on_web_close_process]
fn goodbye() {
    println!(
        "goodbye {} after {}",
        session::id(),
        COUNT.load(Ordering::Relaxed)
    );
    while HANGS.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
}

/// Everything else: the same as `count`.
#[on_web_connection]
fn connection(_call: WebCall) -> Json<Tree> {
    count()
}

/// `/4DACTION/count`: one more than the last time in this instance.
#[web_method]
fn count() -> Json<Tree> {
    Json(json!({
        "count": COUNT.fetch_add(1, Ordering::Relaxed) + 1,
        "compiled": COMPILED.load(Ordering::Relaxed),
        "id": session::id(),
        "processes": [session::process_count(&session::id()), session::process_count("unknown")],
        "idle": session::idle_timeout_minutes(),
        "expires": session::expiration_date(),
    }))
}

/// `/4DACTION/note/200/word`: waits so many milliseconds, and gives all words so far.
#[web_method]
fn note(param: &str) -> Json<Tree> {
    let (wait, word) = param.split_once('/').unwrap_or(("0", param));
    let wait = wait.parse().unwrap_or_default();
    if wait > 0 {
        #[expect(
            clippy::disallowed_methods,
            reason = "blocks the guest, which is the point"
        )]
        std::thread::sleep(Duration::from_millis(wait));
    }
    let mut notes = NOTES.lock().unwrap();
    notes.push(word.to_owned());
    Json(json!(*notes))
}

/// `/4DACTION/variable/value`: what the process variable was before.
#[web_method]
fn variable(param: &str) -> Json<Tree> {
    let before = variables::get("vKept").as_text().map(str::to_owned);
    let set = variables::set("vKept", param);
    Json(json!([before, set.is_ok()]))
}

/// `/4DACTION/close`
#[web_method]
fn close() -> Json<Tree> {
    Json(json!(session::close().is_ok()))
}

/// `/4DACTION/storage`: what those of scalable sessions is told.
#[web_method]
fn storage() -> Json<Tree> {
    let told = |result: Result<(), session::SessionError>| {
        result.map_or_else(|error| error.to_string(), |()| String::new())
    };
    Json(json!([
        told(session::store("a", b"", Expected::Any).map(drop)),
        told(session::set_privileges(&["reader"], None)),
        told(session::create_otp(None).map(drop)),
        session::is_guest(),
    ]))
}

/// `/4DACTION/home/page.html`
#[web_method]
fn home(param: &str) -> Json<Tree> {
    Json(json!(response::set_home_page(param).is_ok()))
}

/// `/4DACTION/hang`: the hook at the end of this session will not return.
#[web_method]
fn hang() -> Json<Tree> {
    HANGS.store(true, Ordering::Relaxed);
    count()
}

/// `/4DACTION/fail`: an error, after one more was counted.
#[web_method]
fn fail() -> Result<Json<Tree>, Error> {
    let _ = count();
    Err(Error::new("as asked"))
}

/// `/4DACTION/trap`
#[web_method]
fn trap() -> Json<Tree> {
    panic!("as asked");
}
