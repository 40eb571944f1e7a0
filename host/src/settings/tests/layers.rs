//! What stands above the file: session options, settings of a start, and what a component may give.

use super::*;

#[test]
fn a_later_layer_is_above_an_earlier_one() {
    let layers = |names: &[Origin]| {
        let mut overrides = parsed(&["HTTPPort=2", "maxRequestSize=500001"]);
        for (index, origin) in names.iter().enumerate() {
            overrides.extend(given(*origin, &json!({"HTTPPort": index + 3})));
        }
        host_with("HTTPPort = 1", &overrides).unwrap()
    };
    assert_eq!(layers(&[]).web.listen.http, Some(2));
    assert_eq!(layers(&[Origin::Session]).web.listen.http, Some(3));
    let both = layers(&[Origin::Session, Origin::Start]);
    assert_eq!(both.web.listen.http, Some(4));
    assert_eq!(both.web.requests.body_bytes_max, Some(500_001));
    // What is hidden is told all the same.
    let overrides = given(Origin::Start, &json!({"HTTPPort": 80}));
    assert!(host_with("HTTPPort = -1", &overrides).is_err());
}

#[test]
fn tables_are_nested_or_dotted() {
    let same = [
        json!({"pool": {"max": 3, "min": 1}, "environment": {"A.B": "x"}, "HTTPPort": 8080}),
        json!({"pool.max": 3, "pool.min": 1, "environment.A.B": "x", "HTTPPort": 8080.0}),
    ];
    for settings in same {
        let settings = component_with("", &given(Origin::Start, &settings)).unwrap();
        assert_eq!((settings.pool.min, settings.pool.max), (1, 3));
        assert_eq!(
            settings.environment.iter().collect::<Vec<_>>(),
            [("A.B", "x")]
        );
        assert_eq!(settings.web.listen.http, Some(8080));
        assert_eq!(settings.mount, None);
    }
    // A mount that is named beside a port is kept, wherever it is named.
    let overrides = given(
        Origin::Start,
        &json!({"HTTPPort": 8080, "mount": {"path": "/x"}}),
    );
    let settings = component_with("", &overrides).unwrap();
    assert_eq!(settings.mount.unwrap().path, "/x");
}

#[test]
fn null_is_no_value() {
    let settings = json!({
        "HTTPPort": null,
        "pool": {"max": null, "min": 1},
        "pool.policy": null,
        "CORSSettings": [{"host": "*", "methods": null}, {"host": null}],
    });
    let overrides = given(Origin::Session, &settings);
    let keys: Vec<_> = overrides.iter().map(Override::key).collect();
    assert_eq!(keys, ["CORSSettings", "pool.min"]);
    let nulls = Override::nulls(settings.as_object().unwrap());
    assert_eq!(nulls, ["HTTPPort", "pool.max", "pool.policy"]);
    let properties = component_with("", &overrides).unwrap().properties();
    let expected = json!([{"host": "*", "methods": ""}]);
    assert_eq!(properties["CORSSettings"], expected);
    let in_list = given(Origin::Start, &json!({"IPAddressToListen": [null]}));
    assert!(host_with("", &in_list).is_err());
}

#[test]
fn what_the_command_line_parses_travels_as_json() {
    let cases = [
        ("HTTPPort=8080", json!(8080)),
        ("HTTPPort=high", json!("high")),
        ("HTTPPort=99999999999999999999", json!(1e20)),
        ("defaultHomepage=2024", json!("2024")),
        ("defaultHomepage=", json!("")),
        ("HTTPTrace=true", json!(true)),
        ("pool.queue_timeout=1.5", json!(1.5)),
        ("pool.queue_timeout=nan", json!("NaN")),
        ("pool.queue_timeout=1979-05-27", json!("1979-05-27")),
        ("characterSet=106", json!(106)),
        ("characterSet=UTF-8", json!("UTF-8")),
        ("IPAddressToListen=['::1']", json!(["::1"])),
        ("CORSSettings=[{host='*'}]", json!([{"host": "*"}])),
    ];
    for (text, expected) in cases {
        let (key, value) = Override::parse(text).unwrap().to_json();
        assert_eq!(value, expected, "{text}");
        let again = given(Origin::Start, &json!({ &key: value }));
        assert_eq!(again[0].to_json(), (key, expected), "{text}");
    }
}

#[test]
fn faults_say_where_and_of_what_kind() {
    let settings = json!({
        "HTTPPort": 70000,
        "admin": {"enabled": false},
        "isRunning": true,
        "nothing": {"x": "y"},
        "pool": {"max": 1},
        "pool.x": [],
        "web": true,
    });
    let expected = [
        (
            FaultKind::ProcessSetting,
            "start: admin.enabled = false: belongs to the process: write it in tessera.toml and \
             start the process again",
        ),
        (
            FaultKind::ReadOnly,
            "start: isRunning = true: is read-only: it is shown, and cannot be set",
        ),
        (
            FaultKind::UnknownSetting,
            "start: nothing.x = \"y\": unknown key; there are ",
        ),
        (
            FaultKind::UnknownSetting,
            "start: pool.max = 1: is of a component: it belongs in components/NAME/settings.toml",
        ),
        (FaultKind::UnknownSetting, "start: pool.x = []: unknown key"),
        (
            FaultKind::UnknownSetting,
            "start: web = true: is a table: write [web]",
        ),
        (
            FaultKind::BadValue,
            "start: HTTPPort = 70000: must be from 0 to 65535 (TCP port; 0 means 80)",
        ),
    ];
    let error = host_with("", &given(Origin::Start, &settings)).unwrap_err();
    assert_eq!(error.faults().len(), expected.len(), "{error}");
    for (fault, (kind, text)) in error.faults().iter().zip(expected) {
        assert_eq!(fault.kind(), kind, "{fault}");
        assert!(fault.to_string().starts_with(text), "{fault}");
    }

    let names = [
        (Origin::Session, "set"),
        (Origin::Guest, "start by a component"),
    ];
    for (origin, name) in names {
        let overrides = given(origin, &json!({"HTTPPort": "x"}));
        let error = host_with("HTTPPort = 70000\nx = 1", &overrides).unwrap_err();
        let kinds: Vec<_> = error.faults().iter().map(Fault::kind).collect();
        assert_eq!(
            kinds,
            [FaultKind::File, FaultKind::File, FaultKind::BadValue]
        );
        let text = error.faults()[2].to_string();
        let expected = format!("{name}: HTTPPort = \"x\": must be a whole number");
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[test]
fn values_that_do_not_go_together_are_told_of_the_later() {
    let cases = [
        (
            "maxSessions = 90",
            json!({"maxConcurrentProcesses": 50}),
            "maxConcurrentProcesses",
        ),
        (
            "maxConcurrentProcesses = 50",
            json!({"maxSessions": 60}),
            "maxSessions",
        ),
        (
            "scalableSession = false\nkeepSession = true",
            json!({"scalableSession": true}),
            "scalableSession",
        ),
        ("[pool]\nmin = 5", json!({"pool.max": 3}), "pool.max"),
    ];
    for (text, settings, key) in cases {
        component_settings(text).unwrap();
        let error = component_with(text, &given(Origin::Start, &settings)).unwrap_err();
        assert_eq!(error.faults().len(), 1, "{error}");
        assert_eq!(error.faults()[0].key(), Some(key), "{error}");
        assert_eq!(error.faults()[0].kind(), FaultKind::BadValue, "{error}");
    }
}

#[test]
fn a_component_may_not_set_what_holds_it_within_bounds() {
    let refused = [
        json!({"limits": {"memory": "4 GiB"}}),
        json!({"limits.deadline": 3600}),
        json!({"permissions": {"control": ["*"]}}),
        json!({"permissions": {"folders": [{"path": "/data", "guest": "/data"}]}}),
        json!({"environment": {"A": "x"}}),
        json!({"secrets": {"A": "/run/secrets/a"}}),
        json!({"config.A": "x"}),
        json!({"keyvalue": {"A": "file"}}),
        json!({"mount.path": "/"}),
        json!({"pool.max": 1000}),
    ];
    for settings in refused {
        component_with("", &given(Origin::Start, &settings)).unwrap();
        let error = component_with("", &given(Origin::Guest, &settings)).unwrap_err();
        assert_eq!(error.faults()[0].kind(), FaultKind::ReadOnly, "{error}");
        assert!(error.to_string().contains("is the operator's"), "{error}");
    }
    let taken =
        json!({"HTTPPort": 8080, "keep_alive": {"enabled": false}, "web.allow_4dsync": true});
    component_with("", &given(Origin::Guest, &taken)).unwrap();
    let error = host_with("", &given(Origin::Guest, &json!({"cache.size": 0}))).unwrap_err();
    assert_eq!(error.faults()[0].kind(), FaultKind::ReadOnly, "{error}");
}

#[test]
fn every_key_says_when_it_takes_effect() {
    for definition in SETTINGS.iter().filter(|it| !it.is_any_name()) {
        assert_eq!(effect_of(definition.key()), Some(definition.effect()));
    }
    assert_eq!(effect_of("environment.A.B"), Some(Effect::Reload));
    assert_eq!(effect_of("nothing"), None);
    assert_eq!(effect_of("isRunning"), None);
    let live = |key| effect_of(key).unwrap().is_live();
    assert!(live("HTTPTrace") && live("debugLog"));
    assert!(!live("HTTPPort") && !live("web.launch_at_startup"));
}

#[test]
fn what_belongs_to_the_process_is_not_taken_over() {
    let mut running = host_settings("HTTPPort = 80", &[]).unwrap();
    let text = "HTTPPort = 81\nHTTPTrace = true\nscalableSession = false\nkeepSession = true\n[server]\nmax_connections = 5\n\
                [web]\nlaunch_at_startup = false\n";
    let newer = host_settings(text, &[]).unwrap();
    running.adopt(&newer);
    assert_eq!(running.web.listen.http, Some(81));
    assert!(running.web.requests.trace);
    assert_eq!(running.connections.max, 10_000);
    let left: Vec<_> = running.changes(&newer).iter().map(|it| it.key).collect();
    assert_eq!(left, ["web.launch_at_startup", "server.max_connections"]);
}
