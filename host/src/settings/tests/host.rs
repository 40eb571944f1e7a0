//! The host's settings: defaults, every range edge, overrides, files.

use super::*;
use crate::http::Proxies;

#[test]
fn without_a_file_every_default_holds() {
    let settings = host_settings("", &[]).unwrap();
    assert_eq!(settings.site, Path::new(SITE));
    assert_eq!(
        settings.web.listen,
        Listen {
            http: Some(80),
            https: None,
            addresses: Addresses::Any
        }
    );
    assert_eq!(
        settings.web.files.as_ref().unwrap().root,
        Path::new("/site/WebFolder")
    );
    assert_eq!(
        settings.web.files.as_ref().unwrap().home_page.as_deref(),
        Some("index.html")
    );
    assert_eq!(
        settings.web.requests,
        Requests {
            body_bytes_max: Some(2_000_000),
            processes_max: 100,
            trace: false,
            sync_urls: false,
            handlers: Handlers::default(),
            rate: None,
        }
    );
    let connections = Connections {
        max: 10_000,
        max_per_address: 1_000,
        header_timeout: Duration::from_secs(10),
        body_timeout: Duration::from_secs(20),
        send_timeout: Duration::from_secs(30),
        rate_min: 240,
        handshake_timeout: Duration::from_secs(10),
        drain_timeout: Duration::from_secs(10),
    };
    assert_eq!(settings.connections, connections);
    assert_eq!(settings.proxies, Proxies::default());
    let admin = Admin {
        address: "127.0.0.1:7080".parse().unwrap(),
        access_key: None,
    };
    assert_eq!(settings.admin, Some(admin));
    assert_eq!(settings.health, None);
    assert_eq!(settings.traces, None);
    assert_eq!(
        settings.log,
        Log {
            filter: "info".to_owned(),
            format: LogFormat::Text,
            diagnostic: None
        }
    );
    assert_eq!(
        settings.engine,
        Engine {
            instances_max: 1000,
            memory_pressure: 90,
            core_dumps: 0,
            code_cache: true
        }
    );
}

#[test]
fn every_property_has_its_documented_default() {
    let settings = host_settings("", &[]).unwrap();
    let properties = json!({
        "CORSEnabled": false,
        "CORSSettings": [],
        "HSTSEnabled": false,
        "HSTSMaxAge": 63_072_000,
        "HTTPCompressionLevel": 1,
        "HTTPCompressionThreshold": 1024,
        "HTTPEnabled": true,
        "HTTPPort": 80,
        "HTTPSEnabled": false,
        "HTTPSPort": 443,
        "HTTPTrace": false,
        "IPAddressToListen": "0.0.0.0",
        "certificateFolder": "/site",
        "characterSet": "UTF-8",
        "cipherSuite": "",
        "debugLog": 0,
        "defaultHomepage": "index.html",
        "handlers": [],
        "keepSession": false,
        "logRecording": 0,
        "maxConcurrentProcesses": 100,
        "maxRequestSize": 2_000_000,
        "minTLSVersion": 3,
        "rootFolder": "/site/WebFolder",
        "rules": [],
        "scalableSession": true,
        "sessionCookieDomain": "",
        "sessionCookiePath": "",
        "sessionCookieSameSite": "Strict",
        "sessionIPAddressValidation": true,
    });
    assert_eq!(Json::Object(settings.properties()), properties);
}

#[test]
fn allowed_values_are_taken_up_to_the_edge() {
    let cases = [
        ("tls.handshake_timeout", "'100 ms'", json!(0.1)),
        ("tls.handshake_timeout", "600", json!(600.0)),
        ("server.max_connections", "1", json!(1)),
        ("server.max_connections", "1000000", json!(1_000_000)),
        ("server.header_timeout", "0.1", json!(0.1)),
        ("server.header_timeout", "'10 min'", json!(600.0)),
        ("server.body_timeout", "0.1", json!(0.1)),
        ("server.body_timeout", "'1 h'", json!(3600.0)),
        ("server.send_timeout", "0.1", json!(0.1)),
        ("server.send_timeout", "'1 h'", json!(3600.0)),
        ("server.min_rate", "0", json!(0)),
        ("server.min_rate", "1000000", json!(1_000_000)),
        ("server.drain_timeout", "0", json!(0.0)),
        ("server.drain_timeout", "3600", json!(3600.0)),
        ("admin.enabled", "true", json!(true)),
        ("admin.address", "'[::1]:0'", json!("[::1]:0")),
        ("admin.address", "'127.8.9.1:7081'", json!("127.8.9.1:7081")),
        ("admin.access_key", "'12345678'", json!(null)),
        (
            "admin.health_address",
            "'0.0.0.0:9080'",
            json!("0.0.0.0:9080"),
        ),
        ("admin.health_address", "'[::]:0'", json!("[::]:0")),
        ("admin.health_address", "''", json!("")),
        ("admin.health_metrics", "true", json!(true)),
        ("log.level", "'trace'", json!("trace")),
        ("log.level", "'off'", json!("off")),
        (
            "log.level",
            "'info,hyper=warn,a::b_c=off'",
            json!("info,hyper=warn,a::b_c=off"),
        ),
        ("log.format", "'json'", json!("json")),
        ("log.diagnostic", "'info'", json!("info")),
        ("engine.max_instances", "1", json!(1)),
        ("engine.max_instances", "100000", json!(100_000)),
        ("engine.memory_pressure", "1", json!(1)),
        ("engine.memory_pressure", "100", json!(100)),
        ("engine.code_cache", "false", json!(false)),
        ("engine.core_dumps", "100", json!(100)),
        ("outbound.ca_file", "'ca.pem'", json!("ca.pem")),
        ("outbound.ca_file", "''", json!("")),
    ];
    for (key, value, expected) in cases {
        assert_eq!(read_one(key, value), Ok(expected), "{key} = {value}");
    }
    let size = |text| {
        host_settings(text, &[])
            .unwrap()
            .web
            .requests
            .body_bytes_max
    };
    assert_eq!(size("maxRequestSize = 2147483646"), Some(2_147_483_646));
    assert_eq!(size("maxRequestSize = 2147483647"), None);
}

#[test]
fn settings_of_traces_are_taken_up_to_the_edge() {
    let cases = [
        ("traces.endpoint", "''", json!("")),
        (
            "traces.endpoint",
            "'http://[::1]:4318'",
            json!("http://[::1]:4318/v1/traces"),
        ),
        (
            "traces.endpoint",
            "'https://a.example/b?c'",
            json!("https://a.example/b?c"),
        ),
        ("traces.sample", "0", json!(0.0)),
        ("traces.sample", "0.25", json!(0.25)),
        ("traces.sample", "1", json!(1.0)),
        ("traces.trust_parents", "true", json!(true)),
        ("traces.headers_file", "'a.txt'", json!("a.txt")),
        ("traces.timeout", "'100 ms'", json!(0.1)),
        ("traces.timeout", "60", json!(60.0)),
        ("traces.queue", "1", json!(1)),
        ("traces.queue", "100000", json!(100_000)),
        ("traces.service_name", "'my site'", json!("my site")),
    ];
    for (key, value, expected) in cases {
        assert_eq!(read_one(key, value), Ok(expected), "{key} = {value}");
    }
}

const REFUSED: &[(&str, &str, &str)] = &[
    ("tls.handshake_timeout", "'99 ms'", "from 100 ms to 10 min"),
    ("tls.handshake_timeout", "601", "from 100 ms to 10 min"),
    ("tls.handshake_timeout", "[]", "a duration from 100 ms"),
    ("server.max_connections", "0", "from 1 to 1000000"),
    ("server.max_connections", "1000001", "from 1 to 1000000"),
    ("server.header_timeout", "0.09", "from 100 ms to 10 min"),
    ("server.header_timeout", "601", "from 100 ms to 10 min"),
    ("server.header_timeout", "nan", "from 100 ms to 10 min"),
    ("server.body_timeout", "0.09", "from 100 ms to 1 h"),
    ("server.body_timeout", "3601", "from 100 ms to 1 h"),
    ("server.send_timeout", "0.09", "from 100 ms to 1 h"),
    ("server.send_timeout", "3601", "from 100 ms to 1 h"),
    ("server.min_rate", "-1", "from 0 to 1000000"),
    ("server.min_rate", "1000001", "from 0 to 1000000"),
    ("server.drain_timeout", "-1", "from 0 s to 1 h"),
    ("server.drain_timeout", "'3601 s'", "from 0 s to 1 h"),
    ("server.drain_timeout", "true", "a duration from 0 s to 1 h"),
    ("admin.enabled", "'yes'", "true or false, not a text"),
    ("admin.address", "'0.0.0.0:7080'", "a loopback address"),
    ("admin.address", "'localhost:7080'", "a loopback address"),
    ("admin.address", "'127.0.0.1'", "a loopback address"),
    ("admin.access_key", "'1234567'", "8 to 256"),
    ("admin.access_key", "'1234 5678'", "without spaces"),
    (
        "admin.health_address",
        "'9080'",
        "an IP address with a port",
    ),
    (
        "admin.health_address",
        "'host:80'",
        "an IP address with a port",
    ),
    ("admin.health_metrics", "1", "true or false, not a number"),
    ("log.level", "'inof'", "one of off, error"),
    ("log.level", "''", "one of off, error"),
    ("log.level", "'info,hyper'", "one of off, error"),
    ("log.level", "'=info'", "one of off, error"),
    ("log.format", "'xml'", "\"text\" or \"json\""),
    ("log.diagnostic", "'all'", "\"off\" or \"error\""),
    ("engine.max_instances", "0", "from 1 to 100000"),
    ("engine.max_instances", "100001", "from 1 to 100000"),
    ("engine.memory_pressure", "0", "from 1 to 100"),
    ("engine.memory_pressure", "101", "from 1 to 100"),
    ("engine.core_dumps", "101", "from 0 to 100"),
    ("engine.code_cache", "[]", "true or false, not a list"),
    ("outbound.ca_file", "'../ca.pem'", "without \"..\""),
    (
        "traces.endpoint",
        "'127.0.0.1:4318'",
        "an http or https URL",
    ),
    ("traces.endpoint", "'ftp://a'", "an http or https URL"),
    ("traces.endpoint", "'http://'", "an http or https URL"),
    ("traces.endpoint", "'http://a:b@c'", "an http or https URL"),
    ("traces.sample", "2", "from 0 (none) to 1 (all)"),
    ("traces.sample", "-0.1", "from 0 (none) to 1 (all)"),
    ("traces.sample", "nan", "from 0 (none) to 1 (all)"),
    ("traces.sample", "'1'", "a number from 0"),
    ("traces.trust_parents", "1", "true or false"),
    ("traces.headers_file", "'../a'", "without \"..\""),
    ("traces.timeout", "0.09", "from 100 ms to 1 min"),
    ("traces.timeout", "61", "from 100 ms to 1 min"),
    ("traces.queue", "0", "from 1 to 100000"),
    ("traces.queue", "100001", "from 1 to 100000"),
    ("traces.service_name", "''", "1 to 100 bytes"),
];

#[test]
fn refused_values_say_what_is_allowed() {
    for (key, value, allowed) in REFUSED {
        let error = read_one(key, value).unwrap_err();
        assert_eq!(error.faults().len(), 1, "{key} = {value}: {error}");
        let reason = error.faults()[0].reason();
        assert!(
            reason.starts_with("must ") && reason.contains(allowed),
            "{value}: {error}"
        );
    }
}

#[test]
fn overrides_are_above_the_file_and_the_last_wins() {
    let text = "HTTPPort = 8080\ndefaultHomepage = 'a.html'\n[admin]\nenabled = true\n";
    let overrides = [
        "HTTPPort=1",
        "HTTPPort = 9090",
        "admin.enabled=false",
        "defaultHomepage=2024",
        "rootFolder=\"public\"",
        "IPAddressToListen=['::1', '127.0.0.1']",
        "server.drain_timeout=1.5 s",
        "log.level=info,hyper=warn",
    ];
    let settings = host_settings(text, &overrides).unwrap();
    assert_eq!(settings.web.listen.http, Some(9090));
    assert_eq!(settings.web.listen.addresses.to_bind().len(), 2);
    assert_eq!(settings.admin, None);
    assert_eq!(
        settings.web.files.as_ref().unwrap().home_page.as_deref(),
        Some("2024")
    );
    assert_eq!(
        settings.web.files.as_ref().unwrap().root,
        Path::new("/site/public")
    );
    assert_eq!(
        settings.connections.drain_timeout,
        Duration::from_millis(1500)
    );
    assert_eq!(settings.log.filter, "info,hyper=warn");
    let none = host_settings(text, &["defaultHomepage="]).unwrap();
    assert_eq!(none.web.files.as_ref().unwrap().home_page, None);
}

#[test]
fn a_port_that_is_switched_off_is_still_shown() {
    let settings = host_settings("HTTPEnabled = false\nHTTPPort = 8080", &[]).unwrap();
    assert_eq!(settings.web.listen.http, None);
    assert_eq!(settings.properties()["HTTPPort"], 8080);
    assert_eq!(settings.properties()["HTTPEnabled"], false);
}

#[test]
fn a_site_is_read_from_its_file() {
    let site = tempfile::tempdir().unwrap();
    assert_eq!(
        HostSettings::load(site.path(), &[])
            .unwrap()
            .web
            .listen
            .http,
        Some(80)
    );

    let file = site.path().join("tessera.toml");
    std::fs::write(&file, "\u{feff}HTTPPort = 8080 # ours\r\n").unwrap();
    assert_eq!(
        HostSettings::load(site.path(), &[])
            .unwrap()
            .web
            .listen
            .http,
        Some(8080)
    );

    std::fs::write(&file, b"HTTPPort = 8080\n# caf\xe9\n").unwrap();
    let error = HostSettings::load(site.path(), &[])
        .unwrap_err()
        .to_string();
    assert_eq!(error, format!("{}:2: is not UTF-8 text", file.display()));

    std::fs::write(&file, vec![b'#'; (1 << 20) + 1]).unwrap();
    let error = HostSettings::load(site.path(), &[])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!(
            "{}: cannot be read: it is larger than 1 MiB",
            file.display()
        )
    );

    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let error = HostSettings::load(site.path(), &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("tessera.toml: cannot be read: "), "{error}");
}

#[test]
fn changes_are_listed_with_what_they_take() {
    let before = host_settings("", &[]).unwrap();
    let text = "HTTPPort = 81\ndefaultHomepage = ''\n[admin]\naccess_key = '12345678'\n";
    let after = host_settings(text, &[]).unwrap();
    assert_eq!(before.changes(&before), []);
    let expected = [
        Change {
            key: "HTTPPort",
            effect: Effect::ServerRestart,
        },
        Change {
            key: "defaultHomepage",
            effect: Effect::Reload,
        },
        Change {
            key: "admin.access_key",
            effect: Effect::ProcessRestart,
        },
    ];
    assert_eq!(before.changes(&after), expected);
    assert!(!format!("{after:?}").contains("12345678"), "{after:?}");
}
