//! The web server objects as one component sees them, through `tessera:web/web-server`.

use std::sync::Arc;

use serde_json::{Map, Number, Value};
use tessera_engine::{
    ControlFailure, Pending, Property, PropertyValue, ServerDirectory, ServerStatistics, StartError,
};

use super::steering::Share;
use super::{
    Control, ControlError, ErrorCode, Kind, Registry, Steering, UnknownServer, server_document,
};
use crate::files::Pages;

/// In `[permissions] control`: the component's own server.
const OWN: &str = "self";
/// The host's server, whatever the site's folder is called.
const HOST: &str = "host";
/// All servers but the component's own.
const OTHERS: &str = "*";
/// The largest whole number that a 64-bit float has without gaps below it.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// What one component may ask of web servers: it reads all, and steers those that its settings name.
pub struct ComponentDirectory {
    registry: Arc<Registry>,
    steering: Arc<Steering>,
    component: String,
    control: Vec<String>,
    share: Arc<Share>,
}

impl ComponentDirectory {
    /// The view of `component`, with its `[permissions] control`: names of servers, `self`, `host`, `*`.
    pub fn new(
        registry: Arc<Registry>,
        steering: Arc<Steering>,
        component: &str,
        control: Vec<String>,
    ) -> Self {
        Self {
            registry,
            share: steering.share(component),
            steering,
            component: component.to_owned(),
            control,
        }
    }

    /// Whether there is that server, and the component may start and stop it.
    fn check(&self, name: &str) -> Result<(), ControlFailure> {
        let server = self.registry.find(name).ok_or(ControlFailure::NotFound)?;
        let is_host = server.kind() == Kind::Host;
        let is_own = !is_host && name == self.component;
        let granted = self.control.iter().any(|entry| match entry.as_str() {
            OWN => is_own,
            HOST => is_host,
            OTHERS => !is_own,
            entry => entry == name,
        });
        if granted {
            return Ok(());
        }
        tracing::debug!(
            component = self.component,
            server = name,
            "may not be steered: it is not in the component's [permissions] control"
        );
        Err(ControlFailure::Denied)
    }
}

impl ServerDirectory for ComponentDirectory {
    fn host(&self) -> String {
        self.registry.host().name().to_owned()
    }

    fn names(&self) -> Vec<String> {
        self.registry
            .all()
            .iter()
            .map(|server| server.name().to_owned())
            .collect()
    }

    fn properties(&self, name: &str) -> Option<Vec<Property>> {
        let server = self.registry.find(name)?;
        let properties = server_document(&self.registry, &server);
        Some(
            properties
                .into_iter()
                .map(|(name, value)| Property {
                    name,
                    value: property_value(value),
                })
                .collect(),
        )
    }

    fn statistics(&self, name: &str) -> Option<ServerStatistics> {
        let server = self.registry.find(name)?;
        let counts = server.traffic().counts();
        let processes = server.processes();
        let serving = server.serving();
        let pages = serving.as_ref().and_then(|serving| serving.pages.as_ref());
        Some(ServerStatistics {
            requests: counts.requests,
            bytes_sent: counts.bytes_sent,
            current_processes: processes.current(),
            highest_processes: processes.highest(),
            cache_hits: counts.cache_hits,
            cache_misses: counts.cache_misses,
            cache_bytes: pages.map_or(0, Pages::bytes_in_cache),
            uptime_seconds: counts.uptime_seconds,
        })
    }

    fn start(&self, name: &str, settings: Vec<Property>) -> Pending<Result<(), ControlFailure>> {
        let settings = match self.check(name).and_then(|()| settings_of(settings)) {
            Ok(settings) => settings,
            Err(failure) => return Box::pin(async { Err(failure) }),
        };
        let (steering, share, name) = (self.steering.clone(), self.share.clone(), name.to_owned());
        Box::pin(async move {
            let start = move |control: Arc<dyn Control>| control.start_server(name, settings);
            match steering.perform(&share, start).await {
                Some(Ok(Ok(()))) => Ok(()),
                Some(Ok(Err(errors))) => Err(failed(errors)),
                Some(Err(UnknownServer(_))) => Err(ControlFailure::NotFound),
                None => Err(process_is_ending()),
            }
        })
    }

    fn stop(&self, name: &str, wait: bool) -> Pending<Result<(), ControlFailure>> {
        if let Err(failure) = self.check(name) {
            return Box::pin(async { Err(failure) });
        }
        let (steering, share, name) = (self.steering.clone(), self.share.clone(), name.to_owned());
        Box::pin(async move {
            let stop = move |control: Arc<dyn Control>| control.stop_server(name, wait);
            match steering.perform(&share, stop).await {
                // One that did not run is left as it is, as the documents have it.
                Some(Ok(_)) => Ok(()),
                Some(Err(UnknownServer(_))) => Err(ControlFailure::NotFound),
                None => Err(process_is_ending()),
            }
        })
    }
}

fn process_is_ending() -> ControlFailure {
    failed(vec![ControlError::new(
        ErrorCode::Internal,
        "the process is ending, or the operation failed unexpectedly: see the log of the host",
    )])
}

fn failed(errors: Vec<ControlError>) -> ControlFailure {
    let errors = errors.into_iter().map(|error| StartError {
        code: error.code.number(),
        message: error.message,
        signature: error.code.signature(),
    });
    ControlFailure::Start(errors.collect())
}

fn property_value(value: Value) -> PropertyValue {
    match value {
        Value::Null => PropertyValue::Null,
        Value::Bool(value) => PropertyValue::Boolean(value),
        Value::Number(number) => PropertyValue::Number(number.as_f64().unwrap_or_default()),
        Value::String(text) => PropertyValue::Text(text),
        list_or_object => PropertyValue::Json(list_or_object.to_string()),
    }
}

/// Settings as JSON, the form in which they come from everywhere else. All faults are told at once.
fn settings_of(settings: Vec<Property>) -> Result<Map<String, Value>, ControlFailure> {
    let mut all = Map::new();
    let mut faults = Vec::new();
    for Property { name, value } in settings {
        let value = match json(value) {
            Ok(_) if all.contains_key(&name) => Err("is given twice".to_owned()),
            value => value,
        };
        match value {
            Ok(value) => {
                all.insert(name, value);
            }
            Err(fault) => {
                let message = format!("{name}: {fault}");
                faults.push(ControlError::new(ErrorCode::BadValue, message));
            }
        }
    }
    if faults.is_empty() {
        Ok(all)
    } else {
        Err(failed(faults))
    }
}

fn json(value: PropertyValue) -> Result<Value, String> {
    match value {
        PropertyValue::Null => Ok(Value::Null),
        PropertyValue::Boolean(value) => Ok(value.into()),
        // Components have one type of number, and settings tell 8080 from 8080.5.
        PropertyValue::Number(number) if number.fract() == 0.0 && number.abs() <= WHOLE_MAX => {
            Ok((number as i64).into())
        }
        PropertyValue::Number(number) => Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("{number} is no number that a setting can have")),
        PropertyValue::Text(text) => Ok(text.into()),
        PropertyValue::Json(text) => {
            serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use serde_json::json;
    use tokio::runtime::Handle;

    use super::*;
    use crate::server::WebServer;

    /// Notes what it was asked to do.
    #[derive(Default)]
    struct Noted {
        calls: Mutex<Vec<String>>,
    }

    impl Control for Noted {
        fn start_server(
            self: Arc<Self>,
            name: String,
            settings: Map<String, Value>,
        ) -> Pending<Result<Result<(), Vec<ControlError>>, UnknownServer>> {
            Box::pin(async move {
                let settings = Value::Object(settings);
                self.calls.lock().push(format!("start {name} {settings}"));
                if name == "site" {
                    let error = ControlError::new(ErrorCode::AlreadyRunning, "it runs");
                    return Ok(Err(vec![error]));
                }
                Ok(Ok(()))
            })
        }

        fn stop_server(
            self: Arc<Self>,
            name: String,
            wait: bool,
        ) -> Pending<Result<bool, UnknownServer>> {
            Box::pin(async move {
                self.calls.lock().push(format!("stop {name} {wait}"));
                Ok(false)
            })
        }
    }

    /// The view of `shop` in a site with two other components.
    fn shop(control: &[&str]) -> (Arc<Noted>, ComponentDirectory) {
        let registry = Arc::new(Registry::new(WebServer::new("site", Kind::Host)));
        for name in ["shop", "blog", "host"] {
            registry.component(name);
        }
        let noted = Arc::new(Noted::default());
        let steering = Arc::new(Steering::default());
        steering.connect(&noted, Handle::current());
        let control = control.iter().map(|&entry| entry.to_owned()).collect();
        let directory = ComponentDirectory::new(registry, steering, "shop", control);
        (noted, directory)
    }

    fn setting(name: &str, value: PropertyValue) -> Property {
        let name = name.to_owned();
        Property { name, value }
    }

    #[tokio::test]
    async fn a_component_steers_what_its_permissions_name() {
        let cases: [(&[&str], &[&str]); 8] = [
            (&[], &[]),
            (&["self"], &["shop"]),
            (&["shop"], &["shop"]),
            (&["host"], &["site"]),
            (&["site"], &["site"]),
            (&["blog", "gone"], &["blog"]),
            (&["*"], &["site", "blog", "host"]),
            (&["*", "self"], &["site", "shop", "blog", "host"]),
        ];
        for (control, allowed) in cases {
            let (noted, directory) = shop(control);
            for name in ["site", "shop", "blog", "host"] {
                let stopped = directory.stop(name, true).await;
                let started = directory.start(name, Vec::new()).await;
                if allowed.contains(&name) {
                    assert_eq!(stopped, Ok(()), "{control:?} {name}");
                } else {
                    assert_eq!(stopped, Err(ControlFailure::Denied), "{control:?} {name}");
                    assert_eq!(started, Err(ControlFailure::Denied), "{control:?} {name}");
                }
            }
            assert_eq!(noted.calls.lock().len(), 2 * allowed.len(), "{control:?}");
        }
    }

    #[tokio::test]
    async fn a_name_that_no_server_has_is_not_found_whatever_is_allowed() {
        for control in [&[] as &[&str], &["*", "gone"]] {
            let (noted, directory) = shop(control);
            for name in ["gone", "self", "*", ""] {
                let stopped = directory.stop(name, false).await;
                assert_eq!(stopped, Err(ControlFailure::NotFound), "{name}");
                let started = directory.start(name, Vec::new()).await;
                assert_eq!(started, Err(ControlFailure::NotFound), "{name}");
                assert_eq!(directory.properties(name), None, "{name}");
            }
            assert!(noted.calls.lock().is_empty());
        }
    }

    #[tokio::test]
    async fn settings_arrive_as_json() {
        let (noted, directory) = shop(&["*"]);
        let settings = vec![
            setting("HTTPPort", PropertyValue::Number(8081.0)),
            setting("ratio", PropertyValue::Number(0.5)),
            setting("HTTPEnabled", PropertyValue::Boolean(true)),
            setting("rootFolder", PropertyValue::Text("Other".into())),
            setting("defaultHomepage", PropertyValue::Null),
            setting("pool", PropertyValue::Json(r#"{"max":3}"#.into())),
        ];
        assert_eq!(directory.start("blog", settings).await, Ok(()));
        let settings = json!({
            "HTTPPort": 8081,
            "ratio": 0.5,
            "HTTPEnabled": true,
            "rootFolder": "Other",
            "defaultHomepage": null,
            "pool": {"max": 3},
        });
        assert_eq!(*noted.calls.lock(), [format!("start blog {settings}")]);
    }

    #[tokio::test]
    async fn values_that_no_setting_can_have_are_told_all_at_once() {
        let (noted, directory) = shop(&["*"]);
        let settings = vec![
            setting("a", PropertyValue::Number(f64::NAN)),
            setting("b", PropertyValue::Number(f64::INFINITY)),
            setting("c", PropertyValue::Json("{".into())),
            setting("d", PropertyValue::Json("[".repeat(60_000))),
            setting("e", PropertyValue::Null),
            setting("e", PropertyValue::Null),
        ];
        let Err(ControlFailure::Start(errors)) = directory.start("blog", settings).await else {
            panic!("it was started");
        };
        assert_eq!(errors.len(), 5, "{errors:?}");
        for (error, name) in errors.iter().zip(["a: ", "b: ", "c: ", "d: ", "e: "]) {
            assert_eq!(error.code, StartError::BAD_VALUE, "{error:?}");
            assert_eq!(error.signature, StartError::SETTINGS, "{error:?}");
            assert!(error.message.starts_with(name), "{error:?}");
        }
        assert!(noted.calls.lock().is_empty());
    }

    #[tokio::test]
    async fn errors_keep_their_code() {
        let (noted, directory) = shop(&["*"]);
        let started = directory.start("site", Vec::new()).await;
        let error = StartError {
            code: 1001,
            message: "it runs".into(),
            signature: "server",
        };
        assert_eq!(started, Err(ControlFailure::Start(vec![error])));
        drop(noted);
        let Err(ControlFailure::Start(errors)) = directory.stop("blog", true).await else {
            panic!("it was stopped");
        };
        assert_eq!((errors[0].code, errors[0].signature), (1099, "server"));
    }

    #[test]
    fn the_engine_knows_the_code_of_bad_values() {
        assert_eq!(StartError::BAD_VALUE, ErrorCode::BadValue.number());
        assert_eq!(StartError::SETTINGS, ErrorCode::BadValue.signature());
    }

    #[test]
    fn every_code_is_told_to_authors() {
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for path in ["wit/web-server.wit", "guest-sdk/src/web_server.rs"] {
            let text = std::fs::read_to_string(repository.join(path)).unwrap();
            let missing: Vec<_> = ErrorCode::ALL
                .iter()
                .filter(|code| !text.contains(&code.number().to_string()))
                .collect();
            assert!(missing.is_empty(), "{path}: {missing:?}");
        }
    }

    #[tokio::test]
    async fn properties_are_those_that_admin_shows() {
        let (_, directory) = shop(&[]);
        let server = directory.registry.find("blog").unwrap();
        let lists = json!({"addresses": ["::1"], "CORSSettings": [{"host": "a.example"}], "port": null, "max": 7});
        let Value::Object(lists) = lists else {
            panic!("it is an object");
        };
        server.status().lock().stored = lists;
        let shown: Map<String, Value> = directory
            .properties("blog")
            .unwrap()
            .into_iter()
            .map(|Property { name, value }| {
                let is_json = matches!(value, PropertyValue::Json(_));
                let value = json(value).unwrap();
                assert_eq!(is_json, value.is_array() || value.is_object(), "{name}");
                (name, value)
            })
            .collect();
        assert_eq!(shown, server.properties());
        assert_eq!(shown["CORSSettings"][0]["host"], "a.example");
    }
}
