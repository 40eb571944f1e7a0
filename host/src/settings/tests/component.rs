//! A component's settings: defaults, range edges, ports and mounts.

use super::*;
use crate::settings::AllowedHosts;

#[test]
fn without_a_file_every_default_holds() {
    let settings = component_settings("").unwrap();
    assert_eq!(
        settings.web.listen,
        Listen {
            http: None,
            https: None,
            addresses: Addresses::Any
        }
    );
    let files = Files {
        root: PathBuf::from("/site/components/shop/WebFolder"),
        home_page: Some("index.html".to_owned()),
        missing: Missing::default(),
    };
    assert_eq!(settings.web.files, Some(files));
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
    let mount = Mount {
        path: "/shop".to_owned(),
        host: None,
        strip: true,
    };
    assert_eq!(settings.mount, Some(mount));
    let pool = Pool {
        policy: Policy::Auto,
        min: 0,
        max: 10,
        concurrency: 16,
        requests_max: Some(1000),
        growth_bytes_max: 32 << 20,
        queue_max: 100,
        queue_timeout: Duration::from_secs(1),
    };
    assert_eq!(settings.pool, pool);
    let limits = Limits {
        memory_bytes: 128 << 20,
        table_elements: 100_000,
        deadline: Duration::from_secs(30),
        stream_time: Duration::from_secs(3600),
        cpu_time: Duration::from_secs(10),
        response_bytes: 64 << 20,
        outbound_calls: 32,
        call_bytes: 64 << 20,
        handles: 1_000,
    };
    assert_eq!(settings.limits, limits);
    assert_eq!(settings.permissions.control, [""; 0]);
    assert_eq!(settings.permissions.components, [""; 0]);
    assert_eq!(settings.permissions.hosts, AllowedHosts::default());
    assert_eq!(settings.environment.iter().count(), 0);
    assert_eq!(settings.properties()["HTTPPort"], Json::Null);
}

#[test]
fn allowed_values_are_taken_up_to_the_edge() {
    let long = format!("'/{}'", "a".repeat(1023));
    let cases = [
        ("mount.path", "'/'", json!("/")),
        ("mount.path", "'/a/b-c.d/'", json!("/a/b-c.d")),
        ("mount.path", long.as_str(), json!(long.trim_matches('\''))),
        (
            "mount.host",
            "'Shop.Example.COM.'",
            json!("shop.example.com"),
        ),
        ("mount.host", "'localhost'", json!("localhost")),
        ("mount.host", "'10.0.0.1'", json!("10.0.0.1")),
        ("mount.host", "'2001:DB8::1'", json!("2001:db8::1")),
        ("mount.strip", "false", json!(false)),
        ("authentication.mode", "'custom'", json!("custom")),
        ("authentication.mode", "'basic'", json!("basic")),
        ("authentication.mode", "'digest'", json!("digest")),
        (
            "authentication.realm",
            "'The [shop], 1!'",
            json!("The [shop], 1!"),
        ),
        ("pool.policy", "'fresh'", json!("fresh")),
        ("pool.policy", "'reuse'", json!("reuse")),
        ("pool.policy", "'auto'", json!("auto")),
        ("pool.policy", "'concurrent'", json!("concurrent")),
        ("pool.concurrency", "1", json!(1)),
        ("pool.concurrency", "1000", json!(1000)),
        ("limits.outbound_calls", "0", json!(0)),
        ("limits.outbound_calls", "10000", json!(10_000)),
        ("permissions.hosts", "[]", json!([])),
        (
            "permissions.hosts",
            "['Api.Example.com:443', 'http://localhost:9000', '::1']",
            json!(["api.example.com", "http://localhost:9000", "::1"]),
        ),
        ("pool.min", "10", json!(10)),
        ("pool.max", "0", json!(0)),
        ("pool.max", "1000", json!(1000)),
        ("pool.max_requests", "0", json!(0)),
        ("pool.max_requests", "1000000000", json!(1_000_000_000)),
        ("pool.queue_timeout", "0", json!(0.0)),
        ("pool.queue_timeout", "'1 min'", json!(60.0)),
        ("permissions.control", "[]", json!([])),
        (
            "permissions.components",
            "['shop', 'self']",
            json!(["shop", "self"]),
        ),
        (
            "permissions.control",
            "['*', 'self', 'host', 'a', 'a']",
            json!(["*", "self", "host", "a"]),
        ),
    ];
    for (key, value, expected) in cases {
        assert_eq!(read_one(key, value), Ok(expected), "{key} = {value}");
    }
    let pool = component_settings("[pool]\nmax_requests = 0").unwrap().pool;
    assert_eq!(pool.requests_max, None);
}

#[test]
fn limits_are_taken_up_to_the_edge() {
    let cases = [
        ("limits.memory", "1048576", json!(1 << 20)),
        ("limits.memory", "'1 MiB'", json!(1 << 20)),
        ("limits.memory", "'4 GiB'", json!(4_u64 << 30)),
        ("limits.deadline", "'10 ms'", json!(0.01)),
        ("limits.deadline", "3600", json!(3600.0)),
        ("limits.stream_time", "'24 h'", json!(86_400.0)),
        ("limits.response_size", "1024", json!(1024)),
        ("limits.response_size", "'4 GiB'", json!(4_u64 << 30)),
        ("pool.max_growth", "'64 KiB'", json!(64 << 10)),
        ("pool.max_growth", "'4 GiB'", json!(4_u64 << 30)),
        ("pool.queue", "0", json!(0)),
        ("pool.queue", "10000", json!(10_000)),
        ("limits.cpu_time", "'10 ms'", json!(0.01)),
        ("limits.cpu_time", "'1 h'", json!(3600.0)),
        ("limits.table_elements", "10", json!(10)),
        ("limits.handles", "10", json!(10)),
        ("limits.handles", "100000", json!(100_000)),
        ("limits.call_size", "'64 KiB'", json!(64 << 10)),
    ];
    for (key, value, expected) in cases {
        assert_eq!(read_one(key, value), Ok(expected), "{key} = {value}");
    }
}

#[test]
fn refused_values_say_what_is_allowed() {
    let long = format!("'/{}'", "a".repeat(1024));
    let long_label = format!("'{}.com'", "a".repeat(64));
    let cases = [
        ("mount.path", "'shop'", "starts with a slash"),
        ("mount.path", "''", "starts with a slash"),
        ("mount.path", "'//'", "starts with a slash"),
        ("mount.path", "'/a//b'", "starts with a slash"),
        ("mount.path", "'/a/../b'", "starts with a slash"),
        ("mount.path", "'/a b'", "starts with a slash"),
        ("mount.path", "'/a?b'", "starts with a slash"),
        ("mount.path", "'/%41'", "starts with a slash"),
        ("mount.path", long.as_str(), "starts with a slash"),
        ("mount.host", "'shop.example.com:80'", "without a port"),
        ("mount.host", "''", "a DNS name"),
        ("mount.host", "'a..b'", "a DNS name"),
        ("mount.host", "'-a.com'", "a DNS name"),
        ("mount.host", "'1.2.3.999'", "a DNS name"),
        ("mount.host", "'[::1]'", "a DNS name"),
        ("mount.host", "'größe.de'", "a DNS name in ASCII"),
        ("mount.host", long_label.as_str(), "a DNS name"),
        ("authentication.mode", "'Basic'", "\"custom\" or \"basic\""),
        ("authentication.realm", "''", "1 to 100 characters of ASCII"),
        ("authentication.realm", "'a\"b'", "without quotes"),
        ("authentication.realm", "'größe'", "characters of ASCII"),
        (
            "authentication.users_file",
            "true",
            "needs the mode \"basic\"",
        ),
        (
            "pool.policy",
            "'Reuse'",
            "\"auto\" or \"reuse\" or \"fresh\" or \"concurrent\"",
        ),
        (
            "pool.policy",
            "true",
            "\"reuse\" or \"fresh\" or \"concurrent\" or \"session\", not a boolean",
        ),
        ("pool.min", "1001", "from 0 to 1000"),
        ("pool.min", "11", "not be above pool.max, which is 10"),
        ("pool.max", "-1", "from 0 to 1000"),
        ("pool.max", "1001", "from 0 to 1000"),
        ("pool.max_requests", "1000000001", "from 0 to 1000000000"),
        ("pool.queue_timeout", "60.001", "from 0 s to 1 min"),
        ("pool.concurrency", "0", "from 1 to 1000"),
        ("permissions.hosts", "'*'", "a list of hosts"),
        (
            "permissions.hosts",
            "['ftp://a']",
            "\"ftp://a\" is none of hosts",
        ),
        ("permissions.control", "'*'", "a list of names"),
        ("permissions.components", "'*'", "a list of names"),
        ("permissions.control", "[1]", "names of components"),
        ("permissions.control", "['']", "names of components"),
        ("permissions.control", "['a/b']", "names of components"),
        ("pool.max_growth", "65535", "from 64 KiB to 4 GiB"),
        ("pool.queue", "10001", "from 0 to 10000"),
    ];
    refuses(&cases);
}

#[test]
fn limits_have_ranges() {
    refuses(&[
        ("limits.outbound_calls", "10001", "from 0 to 10000"),
        ("limits.memory", "1048575", "from 1 MiB to 4 GiB"),
        ("limits.memory", "4294967297", "from 1 MiB to 4 GiB"),
        ("limits.memory", "'64 M'", "from 1 MiB to 4 GiB"),
        ("limits.memory", "1.5", "a size from 1 MiB to 4 GiB"),
        ("limits.deadline", "'9 ms'", "from 10 ms to 1 h"),
        ("limits.deadline", "'30'", "from 10 ms to 1 h"),
        ("limits.deadline", "3601", "from 10 ms to 1 h"),
        ("limits.response_size", "1023", "from 1 KiB to 4 GiB"),
        ("limits.cpu_time", "'9 ms'", "from 10 ms to 1 h"),
        ("limits.table_elements", "9", "from 10 to 100000"),
        ("limits.handles", "9", "from 10 to 100000"),
        ("limits.call_size", "65535", "from 64 KiB to 4 GiB"),
        ("limits.response_size", "4294967297", "from 1 KiB to 4 GiB"),
    ]);
}

/// Holds each value of a key to be refused, in words that say what is allowed.
fn refuses(cases: &[(&str, &str, &str)]) {
    for (key, value, allowed) in cases {
        let error = read_one(key, value).unwrap_err();
        assert_eq!(error.faults().len(), 1, "{key} = {value}: {error}");
        let reason = error.faults()[0].reason();
        assert!(reason.contains(allowed), "{key} = {value}: {error}");
    }
}

#[test]
fn a_port_and_a_mount_go_together_as_they_are_named() {
    let cases = [
        ("", None, Some(("/shop", None))),
        ("HTTPPort = 8081", Some(8081), None),
        ("HTTPPort = 0", Some(80), None),
        (
            "HTTPPort = 8081\n[mount]",
            Some(8081),
            Some(("/shop", None)),
        ),
        (
            "HTTPPort = 8081\nmount.strip = true",
            Some(8081),
            Some(("/shop", None)),
        ),
        ("HTTPPort = 8081\nHTTPEnabled = false", None, None),
        ("HTTPEnabled = false", None, Some(("/shop", None))),
        ("[mount]\npath = '/'", None, Some(("/", None))),
        (
            "[mount]\nhost = 'shop.example'",
            None,
            Some(("/", Some("shop.example"))),
        ),
        (
            "[mount]\nhost = 'a.b'\npath = '/c'",
            None,
            Some(("/c", Some("a.b"))),
        ),
    ];
    for (text, port, mount) in cases {
        let settings = component_settings(text).unwrap();
        assert_eq!(settings.web.listen.http, port, "{text}");
        let found = settings
            .mount
            .as_ref()
            .map(|it| (it.path.as_str(), it.host.as_deref()));
        assert_eq!(found, mount, "{text}");
    }
}

#[test]
fn what_has_no_effect_without_a_port_is_refused() {
    let text = "HTTPEnabled = true\nIPAddressToListen = '127.0.0.1'";
    let error = component_settings(text).unwrap_err();
    let keys: Vec<_> = error.faults().iter().filter_map(Fault::key).collect();
    assert_eq!(keys, ["HTTPEnabled", "IPAddressToListen"]);
    assert!(error.to_string().contains("needs HTTPPort"), "{error}");

    let tls = "HTTPPort = 8080\nHTTPSEnabled = true\ncertificateFolder = 'tls'\n\
               minTLSVersion = 4\ncipherSuite = ''\nkeep_alive.enabled = false";
    let error = component_settings(tls).unwrap_err();
    let keys: Vec<_> = error.faults().iter().filter_map(Fault::key).collect();
    assert_eq!(
        keys,
        [
            "HTTPSEnabled",
            "certificateFolder",
            "minTLSVersion",
            "cipherSuite"
        ]
    );
    assert!(error.to_string().contains("needs HTTPSPort"), "{error}");
    let error = component_settings("keep_alive.timeout = 1").unwrap_err();
    assert!(
        error.to_string().contains("needs HTTPPort or HTTPSPort"),
        "{error}"
    );
}

#[test]
fn a_name_must_fit_into_a_url_where_it_is_the_mount() {
    let read = |name: &str, text: &str| {
        let document = Document::parse(Path::new("settings.toml"), text);
        ComponentSettings::read(name, None, Reader::new(Scope::Component, document, &[]))
    };
    for name in ["my shop", "", "..", "a/b", "größe", "a%20b", "a?b"] {
        let error = read(name, "").unwrap_err().to_string();
        assert!(
            error.contains(&format!("component {name:?}: the name cannot")),
            "{error}"
        );
    }
    assert!(read("my shop", "[mount]\npath = '/shop'").is_ok());
    assert!(read("my shop", "HTTPPort = 8081").is_ok());
    assert_eq!(
        read("hello-2.0_x", "").unwrap().mount.unwrap().path,
        "/hello-2.0_x"
    );
}

#[test]
fn environment_takes_any_name_and_prints_no_value() {
    let text = "[environment]\nTOKEN = 'hunter2'\n'A.B' = ''\n";
    let settings = component_settings(text).unwrap();
    let variables: Vec<_> = settings.environment.iter().collect();
    assert_eq!(variables, [("A.B", ""), ("TOKEN", "hunter2")]);
    assert!(!format!("{settings:?}").contains("hunter2"));

    let bad = "[environment]\nPORT = 8080\n'a=b' = 'x'\nNUL = \"\\u0000\"\nT = {}\n";
    let error = component_settings(bad).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 4, "{error}");
    assert!(
        error.contains(":2: environment.PORT = (hidden): must be a text"),
        "{error}"
    );
    assert!(!error.contains("8080"), "{error}");

    let newer = component_settings("[environment]\nTOKEN = 'other'\n").unwrap();
    let expected = [Change {
        key: "environment",
        effect: Effect::Reload,
    }];
    assert_eq!(settings.changes(&newer), expected);
}

#[test]
fn a_component_is_read_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let load = || ComponentSettings::load("shop", Some(folder.path()), &[]);
    assert_eq!(
        load().unwrap().web.files.unwrap().root,
        folder.path().join("WebFolder")
    );
    std::fs::write(
        folder.path().join("settings.toml"),
        "[limits]\nmemory = '1 GiB'\n",
    )
    .unwrap();
    assert_eq!(load().unwrap().limits.memory_bytes, 1 << 30);

    let bare = ComponentSettings::load("shop", None, &[]).unwrap();
    assert_eq!(bare.web.files, None);
    assert_eq!(bare.properties()["rootFolder"], Json::Null);
    assert_eq!(bare.limits.memory_bytes, 128 << 20);
}
