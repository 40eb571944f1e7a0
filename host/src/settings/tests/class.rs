//! Every property of the WebServer class and the tables that host and components share: what is allowed.

use super::*;

const ACCEPTED: &[(&str, &[(&str, &str)])] = &[
    ("HTTPEnabled", &[("true", "true"), ("false", "false")]),
    (
        "HTTPPort",
        &[("0", "80"), ("1", "1"), ("65535", "65535"), ("0x50", "80")],
    ),
    // true needs a certificate: a test of its own.
    ("HTTPSEnabled", &[("false", "false")]),
    ("HTTPSPort", &[("0", "443"), ("1", "1"), ("65535", "65535")]),
    (
        "IPAddressToListen",
        &[
            ("'127.0.0.1'", "\"127.0.0.1\""),
            ("'::1'", "\"::1\""),
            ("'::'", "\"0.0.0.0\""),
            ("'::ffff:10.0.0.1'", "\"10.0.0.1\""),
            ("['127.0.0.1', '::1']", "[\"127.0.0.1\", \"::1\"]"),
        ],
    ),
    ("minTLSVersion", &[("3", "3"), ("4", "4")]),
    (
        "cipherSuite",
        &[
            ("''", "\"\""),
            ("'TLS_AES_128_GCM_SHA256'", "\"TLS_AES_128_GCM_SHA256\""),
            (
                "'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256'",
                "\"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305\"",
            ),
        ],
    ),
    (
        "defaultHomepage",
        &[("''", "\"\""), ("'a/b c.html'", "\"a/b c.html\"")],
    ),
    (
        "maxRequestSize",
        &[("500_000", "500000"), ("2147483647", "2147483647")],
    ),
    (
        "maxConcurrentProcesses",
        &[("10", "10"), ("32000", "32000")],
    ),
    ("HTTPTrace", &[("true", "true")]),
    (
        "characterSet",
        &[
            ("106", "\"UTF-8\""),
            ("'utf-8'", "\"UTF-8\""),
            ("4", "\"ISO-8859-1\""),
            ("'iso-8859-9'", "\"ISO-8859-9\""),
            ("13", "\"ISO-8859-10\""),
            ("'Shift_JIS'", "\"Shift-JIS\""),
            ("'shift-jis'", "\"Shift-JIS\""),
            ("2024", "\"Windows-31J\""),
            ("'BIG5'", "\"Big5\""),
            ("'EUC-KR'", "\"euc-kr\""),
            ("2256", "\"Windows-1256\""),
        ],
    ),
    (
        "HTTPCompressionLevel",
        &[("-1", "-1"), ("1", "1"), ("9", "9")],
    ),
    (
        "HTTPCompressionThreshold",
        &[("0", "0"), ("2147483647", "2147483647")],
    ),
    ("CORSEnabled", &[("true", "true")]),
    (
        "CORSSettings",
        &[
            ("[]", "[]"),
            (
                "[{host = 'A.Example', methods = ' post;get;;POST'}, {host = '*'}]",
                r#"[{"host": "a.example", "methods": "POST;GET"}, {"host": "*", "methods": ""}]"#,
            ),
            ("[{methods = 'get'}, {host = '', methods = ''}, {}]", "[]"),
        ],
    ),
    (
        "rules",
        &[
            ("[]", "[]"),
            (
                "[{RegExPattern = '/', removeHeaders = 'Server', status = 599, comment = 1}]",
                r#"[{"regexPattern": "/", "removeHeaders": "Server", "status": 599}]"#,
            ),
            (
                "[{regexPattern = '^/a', setHeaders = {A = 'b'}, addHeaders = {}, removeHeaders = [], \
                 denyAccess = false, redirect = '/b', status = 200}]",
                r#"[{"regexPattern": "^/a", "setHeaders": {"A": "b"}, "addHeaders": {}, "removeHeaders": [],
                    "denyAccess": false, "redirect": "/b", "status": 200}]"#,
            ),
        ],
    ),
    (
        "handlers",
        &[
            ("[]", "[]"),
            (
                "[{pattern = 'a', class = 'shop', method = 'm', verbs = 'get, post', comment = 1}]",
                r#"[{"pattern": "a", "class": "shop", "method": "m", "verbs": "get, post"}]"#,
            ),
        ],
    ),
    // true needs HTTPS: a test of its own.
    ("HSTSEnabled", &[("false", "false")]),
    ("HSTSMaxAge", &[("0", "0"), ("2147483647", "2147483647")]),
    ("scalableSession", &[("false", "false")]),
    ("keepSession", &[("false", "false")]),
    (
        "inactiveProcessTimeout",
        &[("0", "480"), ("1", "1"), ("525600", "525600")],
    ),
    (
        "inactiveSessionTimeout",
        &[("0", "480"), ("1", "1"), ("525600", "525600")],
    ),
    ("maxSessions", &[("0", "100"), ("1", "1"), ("100", "100")]),
    (
        "sessionCookieDomain",
        &[
            ("''", "\"\""),
            ("'/*.4d.fr'", "\"/*.4d.fr\""),
            ("'*.4d.fr'", "\"*.4d.fr\""),
            ("'.4d.fr'", "\".4d.fr\""),
            ("'www.4d.fr'", "\"www.4d.fr\""),
        ],
    ),
    (
        "sessionCookiePath",
        &[
            ("''", "\"\""),
            ("'/'", "\"/\""),
            ("'/4DACTION'", "\"/4DACTION\""),
        ],
    ),
    (
        "sessionCookieSameSite",
        &[
            ("'Strict'", "\"Strict\""),
            ("'Lax'", "\"Lax\""),
            ("'None'", "\"None\""),
        ],
    ),
    ("sessionIPAddressValidation", &[("false", "false")]),
    (
        "debugLog",
        &[("0", "0"), ("1", "1"), ("3", "3"), ("5", "5"), ("7", "7")],
    ),
    ("logRecording", &[("0", "0"), ("5", "5")]),
    (
        "weblog.fields",
        &[
            ("['DATE']", "[\"DATE\"]"),
            ("['URL', 'CS(HOST)']", "[\"URL\", \"CS(HOST)\"]"),
        ],
    ),
    (
        "weblog.rotation",
        &[
            ("''", "\"\""),
            ("'every 1 MB'", "\"every 1 MB\""),
            (
                "'every 999 weeks on sun at 23:59'",
                "\"every 999 weeks on Sun at 23:59\"",
            ),
        ],
    ),
    ("weblog.mask_secrets", &[("false", "false")]),
    ("weblog.keep", &[("0", "0"), ("100000", "100000")]),
    ("keep_alive.enabled", &[("false", "false")]),
    (
        "keep_alive.max_requests",
        &[("0", "0"), ("1", "1"), ("1000000000", "1000000000")],
    ),
    (
        "keep_alive.timeout",
        &[("'100 ms'", "0.1"), ("'1 h'", "3600.0")],
    ),
    ("web.launch_at_startup", &[("false", "false")]),
    ("web.send_extended_characters", &[("true", "true")]),
    ("web.allow_4dsync", &[("true", "true")]),
    ("rate_limit.requests", &[("0", "0"), ("1000000", "1000000")]),
    ("rate_limit.burst", &[("0", "0"), ("1000000", "1000000")]),
    (
        "sessions.store",
        &[
            ("'memory'", "\"memory\""),
            ("'file'", "\"file\""),
            ("'redis://:pw@host:6379/1'", "\"redis://host:6379/1\""),
        ],
    ),
    (
        "sessions.size",
        &[("65536", "65536"), ("'64 GiB'", "68719476736")],
    ),
    (
        "sessions.session_size",
        &[("1024", "1024"), ("'1 MiB'", "1048576")],
    ),
    (
        "sessions.roles",
        &[
            ("{}", "{}"),
            (
                "{reader = [], \"an editor\" = ['reader', 'print']}",
                r#"{"an editor": ["reader", "print"], "reader": []}"#,
            ),
        ],
    ),
    ("files.listing", &[("true", "true")]),
    ("files.clean_urls", &[("true", "true")]),
    ("cache.enabled", &[("false", "false")]),
    ("cache.size", &[("0", "0"), ("'64 GiB'", "68719476736")]),
    ("cache.own_size", &[("0", "0"), ("'64 GiB'", "68719476736")]),
    (
        "cache.max_object_size",
        &[("0", "0"), ("'1 GiB'", "1073741824")],
    ),
    ("cache.revalidate", &[("0", "0.0"), ("'1 h'", "3600.0")]),
];

#[test]
fn allowed_values_are_taken_up_to_the_edge() {
    for (key, values) in ACCEPTED {
        for (value, shown) in *values {
            let shown: Json = serde_json::from_str(shown).unwrap();
            assert_eq!(read_one(key, value), Ok(shown), "{key} = {value}");
        }
    }
}

#[test]
fn no_property_is_left_out() {
    // Folders have tests of their own.
    let elsewhere = ["rootFolder", "certificateFolder"];
    let shared = SETTINGS.iter().filter(|it| it.scope() == Scope::Both);
    for key in shared
        .map(|it| it.key())
        .filter(|key| !elsewhere.contains(key))
    {
        assert!(ACCEPTED.iter().any(|(other, _)| *other == key), "{key}");
        assert!(
            refused::REFUSED.iter().any(|(other, _)| *other == key),
            "{key}"
        );
    }
}

#[test]
fn the_properties_are_those_of_the_documents() {
    let documented = [
        "accessKeyDefined",
        "certificateFolder",
        "characterSet",
        "cipherSuite",
        "CORSEnabled",
        "CORSSettings",
        "debugLog",
        "defaultHomepage",
        "HSTSEnabled",
        "HSTSMaxAge",
        "HTTPCompressionLevel",
        "HTTPCompressionThreshold",
        "HTTPEnabled",
        "HTTPPort",
        "HTTPTrace",
        "HTTPSEnabled",
        "HTTPSPort",
        "handlers",
        "inactiveProcessTimeout",
        "inactiveSessionTimeout",
        "IPAddressToListen",
        "isRunning",
        "keepSession",
        "logRecording",
        "maxConcurrentProcesses",
        "maxRequestSize",
        "maxSessions",
        "minTLSVersion",
        "name",
        "openSSLVersion",
        "perfectForwardSecrecy",
        "rootFolder",
        "rules",
        "scalableSession",
        "sessionCookieDomain",
        "sessionCookieName",
        "sessionCookiePath",
        "sessionCookieSameSite",
        "sessionIPAddressValidation",
    ];
    let settings = SETTINGS
        .iter()
        .map(|it| it.key())
        .filter(|key| !key.contains('.'));
    let mut known: Vec<_> = settings.chain(READ_ONLY.iter().map(|it| it.name)).collect();
    let mut documented = documented.to_vec();
    known.sort_unstable();
    documented.sort_unstable();
    assert_eq!(known, documented);
}
