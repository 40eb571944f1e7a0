//! `tessera start`, `stop` and `set`: a web server of a running host is started, stopped, or given other settings.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use tessera_host::settings::Override;

use super::client::server_path;
use super::failure::Failure;
use super::output::printable;
use super::target::{Target, objects, text, texts};

/// The codes of errors that whoever asked can mend by asking differently, or in the settings file.
const SETTINGS_CODES: RangeInclusive<u64> = 1100..=1199;

/// Starts a web server of a running host.
#[derive(clap::Args)]
pub(super) struct StartArguments {
    /// The web server: a component's name, or the host's.
    name: String,
    /// Settings that last until it stops, such as HTTPPort=8080 or pool.max=20.
    #[arg(value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<Override>,
    #[command(flatten)]
    target: Target,
}

/// Stops a web server of a running host, after its requests in progress.
#[derive(clap::Args)]
pub(super) struct StopArguments {
    /// The web server: a component's name, or the host's.
    name: String,
    #[command(flatten)]
    target: Target,
}

/// Sets session options of a web server: they last until the host ends, also across stop and start.
#[derive(clap::Args)]
pub(super) struct SetArguments {
    /// The web server: a component's name, or the host's.
    name: String,
    /// The options, such as maxRequestSize=1000000 or pool.max=20.
    #[arg(value_name = "KEY=VALUE", value_parser = setting, required_unless_present = "reset")]
    settings: Vec<Override>,
    /// Takes an option back: what the files say holds again.
    #[arg(long, value_name = "KEY")]
    reset: Vec<String>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn start(arguments: &StartArguments) -> Result<(), Failure> {
    let (name, target) = (&arguments.name, &arguments.target);
    let client = target.client()?;
    let settings = Value::Object(object(&arguments.settings));
    let result = client.post(&format!("{}/start", server_path(name)), Some(&settings))?;
    if let Some(failure) = start_failure(name, &result) {
        // For people the failure says it all.
        target.print(&result, |_| String::new())?;
        return Err(failure);
    }
    let server = client.get(&server_path(name))?;
    target.print(&result, |_| started(name, &server))
}

pub(super) fn stop(arguments: &StopArguments) -> Result<(), Failure> {
    let (name, target) = (&arguments.name, &arguments.target);
    let result = target
        .client()?
        .post(&format!("{}/stop", server_path(name)), None)?;
    target.print(&result, |result| stopped(name, result))
}

pub(super) fn set(arguments: &SetArguments) -> Result<(), Failure> {
    let (name, target) = (&arguments.name, &arguments.target);
    let patch = patch(&arguments.settings, &arguments.reset)?;
    match target.client()?.patch(&server_path(name), &patch)? {
        Ok(server) => target.print(&server, |server| changed(name, server)),
        Err(problem) => Err(refused(&problem)),
    }
}

/// As `--set` reads it, without naming `--set` when it is wrong.
fn setting(text: &str) -> Result<Override, String> {
    Override::parse(text).map_err(|fault| fault.reason().to_owned())
}

/// The settings by their dotted keys; of several with one key the last counts, as with `--set`.
fn object(settings: &[Override]) -> Map<String, Value> {
    settings.iter().map(Override::to_json).collect()
}

/// A merge patch: null takes an option back.
fn patch(settings: &[Override], reset: &[String]) -> Result<Value, Failure> {
    let mut patch = object(settings);
    for key in reset {
        if settings.iter().any(|setting| setting.key() == key) {
            return Err(Failure::usage(format!(
                "{key} is both set and reset: do one of the two"
            )));
        }
        patch.insert(key.clone(), Value::Null);
    }
    Ok(Value::Object(patch))
}

/// What went wrong with a start: one line for each error, or for each line of one.
fn start_failure(name: &str, result: &Value) -> Option<Failure> {
    if result["success"] == true {
        return None;
    }
    let errors: Vec<_> = objects(&result["errors"]).collect();
    let code = |error: &Map<String, Value>| error.get("errCode").and_then(Value::as_u64);
    let lines: Vec<String> = errors
        .iter()
        .flat_map(|error| {
            let code = code(error).unwrap_or_default();
            let lines = text(error, "message").lines();
            lines.map(move |line| format!("{code}: {line}"))
        })
        .collect();
    if lines.is_empty() {
        return Some(Failure::other(format!("{name} did not start")));
    }
    let is_of_settings = errors
        .iter()
        .all(|error| code(error).is_some_and(|code| SETTINGS_CODES.contains(&code)));
    let message = lines.join("\n");
    Some(if is_of_settings {
        Failure::usage(message)
    } else {
        Failure::other(message)
    })
}

fn started(name: &str, server: &Value) -> String {
    let urls = server.as_object().map(|server| texts(server, "urls"));
    let name = printable(name);
    match urls.unwrap_or_default().join(" ") {
        urls if urls.is_empty() => format!("{name} is running\n"),
        urls => format!("{name} is running: {urls}\n"),
    }
}

fn stopped(name: &str, result: &Value) -> String {
    let name = printable(name);
    if result["wasRunning"] == true {
        format!("{name} has stopped\n")
    } else {
        format!("{name} was not running\n")
    }
}

fn changed(name: &str, server: &Value) -> String {
    let Some(changed) = server["changed"].as_object() else {
        return String::new();
    };
    let live = texts(changed, "live");
    let live = live.into_iter().map(|key| format!("{key}: in use now\n"));
    let name = printable(name);
    let pending = texts(changed, "pending");
    let pending = pending
        .into_iter()
        .map(|key| format!("{key}: holds from the next start of {name}\n"));
    let text: String = live.chain(pending).collect();
    if text.is_empty() {
        return "nothing has changed\n".to_owned();
    }
    text
}

/// The settings that were refused, one per line.
fn refused(problem: &Value) -> Failure {
    let errors = objects(&problem["errors"]).map(|error| {
        let (place, key) = (text(error, "place"), text(error, "key"));
        let (value, reason) = (text(error, "value"), text(error, "reason"));
        let written = if value.is_empty() {
            key.to_owned()
        } else {
            format!("{key} = {value}")
        };
        let parts = [place, &written, reason];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(": ")
    });
    let lines: Vec<_> = errors.collect();
    if lines.is_empty() {
        return Failure::usage(problem["detail"].as_str().unwrap_or("refused"));
    }
    Failure::usage(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_setting_is_a_key_and_a_value() {
        assert_eq!(setting("pool.max=20").unwrap().key(), "pool.max");
        let reason = setting("HTTPPort").unwrap_err();
        assert!(reason.starts_with("must be KEY=VALUE"), "{reason}");
    }

    #[test]
    fn a_reset_is_a_null() {
        let reset = ["HTTPPort", "pool.max"].map(str::to_owned);
        let expected = json!({"HTTPPort": null, "pool.max": null});
        assert_eq!(patch(&[], &reset), Ok(expected));
        let both = patch(&[setting("pool.max=20").unwrap()], &reset).unwrap_err();
        assert!(both.message().contains("pool.max"), "{both:?}");
    }

    #[test]
    fn a_start_that_failed_is_told_by_codes() {
        assert_eq!(start_failure("a", &json!({"success": true})), None);
        let bad_value = json!({"errCode": 1103, "message": "HTTPPort = 99999: must be\nless"});
        let read_only = json!({"errCode": 1101, "message": "name: is read-only"});
        let taken = json!({"errCode": 1201, "message": "port 80 is in use"});
        let failed = |errors: Value| {
            start_failure("a", &json!({"success": false, "errors": errors})).unwrap()
        };
        assert_eq!(
            failed(json!([bad_value, read_only])),
            Failure::usage("1103: HTTPPort = 99999: must be\n1103: less\n1101: name: is read-only")
        );
        assert_eq!(
            failed(json!([read_only, taken])),
            Failure::other("1101: name: is read-only\n1201: port 80 is in use")
        );
        assert_eq!(failed(json!([])), Failure::other("a did not start"));
    }

    #[test]
    fn what_has_happened_is_told_in_plain_words() {
        let running = json!({"urls": ["http://127.0.0.1/", "https://127.0.0.1/"]});
        assert_eq!(
            started("a\u{1b}", &running),
            "a\\u{1b} is running: http://127.0.0.1/ https://127.0.0.1/\n"
        );
        assert_eq!(started("a", &json!({"urls": []})), "a is running\n");
        let result = |was_running: bool| json!({"success": true, "wasRunning": was_running});
        assert_eq!(stopped("a", &result(true)), "a has stopped\n");
        assert_eq!(stopped("a", &result(false)), "a was not running\n");
        let server = json!({"changed": {"live": ["maxRequestSize"], "pending": ["HTTPPort"]}});
        assert_eq!(
            changed("a", &server),
            "maxRequestSize: in use now\nHTTPPort: holds from the next start of a\n"
        );
        let server = json!({"changed": {"live": [], "pending": []}});
        assert_eq!(changed("a", &server), "nothing has changed\n");
    }

    #[test]
    fn settings_that_were_refused_are_told_one_per_line() {
        let problem = json!({"detail": "2 settings are wrong", "errors": [
            {"key": "HTTPPort", "value": "99999", "reason": "must be less"},
            {"key": "name", "value": null, "reason": "is read-only"},
            {"key": "maxRequestSize", "value": "1", "reason": "must be more", "place": "settings.toml:3"},
        ]});
        assert_eq!(
            refused(&problem),
            Failure::usage(
                "HTTPPort = 99999: must be less\nname: is read-only\nsettings.toml:3: maxRequestSize = 1: must be more"
            )
        );
        assert_eq!(refused(&json!({"detail": "no"})), Failure::usage("no"));
    }
}
