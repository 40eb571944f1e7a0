//! How faults read: place, key, value, remedy, all at once, and no secret among them.

use super::*;

/// Checks the whole message, one line per fault.
fn check_host(text: &str, overrides: &[&str], expected: &[&str]) {
    let message = host_settings(text, overrides).map_err(|error| error.to_string());
    let message = message.expect_err(text);
    assert_eq!(message.lines().collect::<Vec<_>>(), expected, "{text}");
}

fn check_component(text: &str, expected: &[&str]) {
    let message = component_settings(text)
        .map_err(|error| error.to_string())
        .expect_err(text);
    assert_eq!(message.lines().collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_file() {
    let text = "\
# The site.

maxRequestSize = 12
httpport = 8080
[pool]
max = 3
[admin]
adress = '127.0.0.1:80'
enabled = 'no'
[admn]
x = 1
";
    check_host(
        text,
        &["HTTPPort=70000", "nothing=1", "admin.enabled=2"],
        &[
            "/site/tessera.toml:3: maxRequestSize = 12: must be from 500000 to 2147483647 (bytes)",
            "/site/tessera.toml:4: httpport = 8080: unknown key; did you mean `HTTPPort`?",
            "/site/tessera.toml:5: [pool]: is of a component: it belongs in \
             components/NAME/settings.toml",
            "/site/tessera.toml:8: admin.adress = '127.0.0.1:80': unknown key; did you mean \
             `admin.address`?",
            "/site/tessera.toml:9: admin.enabled = 'no': must be true or false, not a text",
            "/site/tessera.toml:10: [admn]: unknown table; did you mean `[admin]`?",
            "--set nothing=1: unknown key; there are HTTPEnabled, HTTPPort, HTTPSEnabled, HTTPSPort, \
             IPAddressToListen, certificateFolder, minTLSVersion, cipherSuite, rootFolder, \
             defaultHomepage, maxRequestSize, maxConcurrentProcesses, HTTPTrace, characterSet, \
             HTTPCompressionLevel, HTTPCompressionThreshold, CORSEnabled, CORSSettings, \
             HSTSEnabled, HSTSMaxAge, rules, handlers, scalableSession, keepSession, inactiveProcessTimeout, \
             inactiveSessionTimeout, maxSessions, sessionCookieDomain, sessionCookiePath, \
             sessionCookieSameSite, sessionIPAddressValidation, debugLog, logRecording, \
             [keep_alive], [web], [weblog], [rate_limit], [sessions], [files], [cache], [server], [tls], [proxy], [admin], [log], [engine], \
             [outbound], [traces]",
            "--set HTTPPort=70000: must be from 0 to 65535 (TCP port; 0 means 80)",
            "--set admin.enabled=2: must be true or false, not a number",
        ],
    );
}

#[test]
fn what_is_not_toml_does_not_hide_the_other_faults() {
    check_host(
        "HTTPPort = \nmaxRequestSize = 12\nrootFolder = \"a\n[admin\nenabled = 3\n[log]\nlevel=2\n",
        &[],
        &[
            "/site/tessera.toml:1:12: is not TOML: string values must be quoted, expected literal \
             string",
            "/site/tessera.toml:2: maxRequestSize = 12: must be from 500000 to 2147483647 (bytes)",
            "/site/tessera.toml:3:16: is not TOML: invalid basic string, expected `\"`",
            "/site/tessera.toml:4:7: is not TOML: unclosed table, expected `]`",
            "/site/tessera.toml:7: log.level = 2: must be one of off, error, warn, info, debug, \
             trace, or a list such as \"info,hyper=warn\", not a number",
        ],
    );
    check_host(
        "HTTPPort = 1\nHTTPPort = 2\n",
        &[],
        &["/site/tessera.toml:2:1: repeats the key `HTTPPort`"],
    );
}

#[test]
fn unknown_keys_say_what_was_probably_meant() {
    let cases = [
        ("httpPort = 1", "did you mean `HTTPPort`?"),
        ("http_port = 1", "did you mean `HTTPPort`?"),
        ("HTTPProt = 1", "did you mean `HTTPPort`?"),
        ("max_request_size = 1", "did you mean `maxRequestSize`?"),
        ("drain_timeout = 1", "did you mean `server.drain_timeout`?"),
        ("[admin]\nlevel = 'info'", "did you mean `log.level`?"),
        ("[log]\nlevle = 'info'", "did you mean `log.level`?"),
        (
            "[log]\ncolour = true",
            "unknown key; there are level, format",
        ),
        ("log = 'debug'", "is a table: write [log]"),
        ("quotas = []", "is not supported yet by this version"),
        (
            "[server]\nkeep_alive_timeout = 1",
            "is called `keep_alive.timeout` now",
        ),
        ("accessKeyDefined = true", "is read-only"),
        (
            "[admin]\nhttps_address = ''",
            "is not supported yet by this version",
        ),
        (
            "[[quotas]]\npattern = '/'",
            "is not supported yet by this version",
        ),
        ("[quotas]\nn = 1", "is not supported yet by this version"),
        ("[CORSSettings]\nhost = '*'", "must be a list of at most"),
        ("name = 'x'", "is read-only"),
        ("isRunning = true", "is read-only"),
        (
            "[HTTPPort]",
            "must be from 0 to 65535 (TCP port; 0 means 80), not a table",
        ),
        ("[[admin]]\nenabled = true", "is a table: write [admin]"),
        ("'admin.enabled' = true", "unknown key"),
        ("mount.path = '/x'", "is of a component"),
        ("zzzzzzzzzzzz = 1", "unknown key; there are HTTPEnabled"),
    ];
    for (text, expected) in cases {
        let error = host_settings(text, &[]).expect_err(text);
        assert_eq!(error.faults().len(), 1, "{error}");
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    check_component(
        "[admin]\nenabled = false\n[mount]\nhots = 'a'\n",
        &[
            "/site/components/shop/settings.toml:1: [admin]: is of the host: it belongs in \
             tessera.toml",
            "/site/components/shop/settings.toml:4: mount.hots = 'a': unknown key; did you mean \
             `mount.host`?",
        ],
    );
}

#[test]
fn overrides_are_told_apart_from_the_file() {
    let cases = [
        (
            "mount.path=/x",
            "--set mount.path=/x: is of a component: it belongs in",
        ),
        (
            "admin=false",
            "--set admin=(hidden): is a table: write [admin]",
        ),
        (
            "httpport=1",
            "--set httpport=1: unknown key; did you mean `HTTPPort`?",
        ),
        (
            "HTTPPort=",
            "--set HTTPPort=: must be a whole number from 0 to 65535",
        ),
        (
            "HTTPPort=8080 8081",
            "--set HTTPPort=8080 8081: must be a whole number",
        ),
        (
            "log.=1",
            "--set log.=1: unknown key; there are level, format",
        ),
    ];
    for (text, expected) in cases {
        let error = host_settings("", &[text]).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    for text in ["", "HTTPPort", "=1", " = "] {
        let fault = Override::parse(text).unwrap_err().to_string();
        assert!(fault.starts_with("--set: must be KEY=VALUE"), "{fault}");
    }
    // A file is mended even where an override covers it.
    let error = host_settings("HTTPPort = -1", &["HTTPPort=8080"]).unwrap_err();
    assert_eq!(error.faults().len(), 1);
}

#[test]
fn no_message_shows_a_secret() {
    let cases = [
        "[admin]\naccess_key = 'hunt 2'",
        "[admin]\naccess_key = hunt2hunt2",
        "[admin]\naccess_key = 'hunt2",
        "[admin]\nacces_key = 'hunt2hunt2'",
        "[admin]\naccesskey = 'hunt2hunt2'",
        "access_key = 'hunt2hunt2'",
        "password = 'hunt2hunt2'",
        "api_token = 'hunt2hunt2'",
        "[admn]\naccess_key = 'hunt2hunt2'",
        "[environment]\nA = 'hunt2'",
        "environment = 'A=hunt2'",
        "[[environment]]\nA = 'hunt2'",
        "[secrets]\nA = 'hunt2/'",
        "[config]\nA = {hunt2 = 1}",
        "[keyvalue]\nA = 'redis://:hunt2@host /'",
        "[[admin]]\naccess_key = 'hunt2hunt2'",
    ];
    for text in cases {
        let error = host_settings(text, &[]).expect_err(text);
        assert!(
            !format!("{error} {error:?}").contains("hunt"),
            "{text}: {error}"
        );
    }
    let parsed = Override::parse("admin.access_key=hunt2").unwrap();
    assert!(!format!("{parsed:?}").contains("hunt"));
    let error = host_settings("", &["admin.access_key=hunt2"]).unwrap_err();
    assert!(!format!("{error:?}").contains("hunt"), "{error}");
    for settings in [
        json!({"admin": {"access_key": "hunt2hunt2"}}),
        json!({"environment": {"A": ["hunt2"]}}),
        json!({"environment": "A=hunt2"}),
        json!({"acces_key": {"a": "hunt2"}}),
    ] {
        let overrides = given(Origin::Start, &settings);
        let error = component_with("", &overrides).unwrap_err();
        let shown = format!("{overrides:?} {error} {error:?}");
        assert!(!shown.contains("hunt"), "{shown}");
    }
}

#[test]
fn what_was_written_is_made_fit_to_be_shown() {
    let text = format!(
        "defaultHomepage = \"\"\"\n/\u{9b}31m{}\"\"\"",
        "x".repeat(200)
    );
    // A control character makes it TOML no more; written as an escape it comes through.
    let error = host_settings(&text, &[]).unwrap_err().to_string();
    assert!(!error.contains(char::is_control), "{error:?}");
    let text = format!(
        "defaultHomepage = \"\"\"\n/\\u001b[31m{}\"\"\"",
        "x".repeat(200)
    );
    let error = host_settings(&text, &[]).unwrap_err().to_string();
    assert!(
        error.len() < 300 && error.contains('…') && error.lines().count() == 1,
        "{error}"
    );
}
