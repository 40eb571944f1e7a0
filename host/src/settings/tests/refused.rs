//! Every property of the WebServer class and the tables that host and components share: what is refused.

use super::*;

pub(super) const REFUSED: &[(&str, &[(&str, &str)])] = &[
    ("HTTPEnabled", &[("1", "true or false, not a number")]),
    (
        "HTTPPort",
        &[
            ("-1", "from 0 to 65535"),
            ("65536", "from 0 to 65535 (TCP port; 0 means 80)"),
            ("80.5", "a whole number from 0 to 65535"),
            ("'80'", "not a text"),
            ("{}", "not a table"),
            ("1979-05-27", "not a"),
            (
                "99999999999999999999999999999999999999999999",
                "from 0 to 65535",
            ),
            (
                "-99999999999999999999999999999999999999999999",
                "from 0 to 65535",
            ),
        ],
    ),
    (
        "HTTPSEnabled",
        &[
            ("1", "true or false, not a number"),
            ("'on'", "true or false"),
        ],
    ),
    (
        "HTTPSPort",
        &[
            ("-1", "0 means 443"),
            ("65536", "0 means 443"),
            ("true", "not a boolean"),
        ],
    ),
    (
        "IPAddressToListen",
        &[
            ("'localhost'", "an IPv4 or IPv6 address"),
            ("''", "an IPv4 or IPv6 address"),
            ("'[::1]'", "an IPv4 or IPv6 address"),
            ("[]", "1 to 64"),
            ("[1]", "an IPv4 or IPv6 address"),
            ("['::1', '0::1']", "only once"),
            ("['0.0.0.0', '::1']", "not name others"),
        ],
    ),
    (
        "minTLSVersion",
        &[
            ("1", "has no TLS 1.0"),
            ("2", "has no TLS 1.1"),
            ("0", "3 (TLS 1.2) or 4 (TLS 1.3)"),
            ("5", "3 (TLS 1.2) or 4 (TLS 1.3)"),
            ("'1.2'", "not a text"),
        ],
    ),
    (
        "cipherSuite",
        &[
            ("'HIGH:!aNULL'", "\"HIGH\" is no cipher suite"),
            ("'ECDHE-RSA-AES128-SHA'", "ECDHE-RSA-CHACHA20-POLY1305"),
            ("'TLS_AES_128_GCM_SHA256:'", "\"\" is no cipher suite"),
            ("'tls_aes_128_gcm_sha256'", "TLS_AES_256_GCM_SHA384"),
            ("[]", "not a list"),
        ],
    ),
    (
        "defaultHomepage",
        &[
            ("'/index.html'", "inside rootFolder"),
            ("'index.html/'", "inside rootFolder"),
            ("'../index.html'", "inside rootFolder"),
            ("\"a\\u0000\"", "inside rootFolder"),
            ("[]", "not a list"),
        ],
    ),
    (
        "maxRequestSize",
        &[
            ("499999", "from 500000 to 2147483647 (bytes)"),
            ("2147483648", "from 500000 to 2147483647 (bytes)"),
            ("'1 MiB'", "not a text"),
        ],
    ),
    (
        "maxConcurrentProcesses",
        &[
            ("9", "from 10 to 32000"),
            ("32001", "from 10 to 32000"),
            ("[]", "not a list"),
        ],
    ),
    ("HTTPTrace", &[("0", "true or false, not a number")]),
    (
        "characterSet",
        &[
            ("0", "UTF-8 (106)"),
            ("3", "UTF-8 (106)"),
            ("'utf8'", "UTF-8 (106)"),
            ("''", "UTF-8 (106)"),
            ("\"UTF-8\\r\\nX: y\"", "UTF-8 (106)"),
            ("true", "not a boolean"),
        ],
    ),
    (
        "HTTPCompressionLevel",
        &[
            ("0", "from 1 (fastest)"),
            ("-2", "from 1 (fastest)"),
            ("10", "from 1 (fastest)"),
            ("1.5", "a whole number"),
        ],
    ),
    (
        "HTTPCompressionThreshold",
        &[
            ("-1", "from 0 to"),
            ("2147483648", "from 0 to"),
            ("'1 kB'", "not a text"),
        ],
    ),
    ("CORSEnabled", &[("'*'", "true or false, not a text")]),
    (
        "CORSSettings",
        &[
            ("'*'", "not a text"),
            ("['*']", "entry 1: must be {host, methods}, not a text"),
            (
                "[{host = 'a'}, {host = 'a b'}]",
                "entry 2: host \"a b\" must be one of",
            ),
            ("[{host = 5}]", "entry 1: host must be a text, not a number"),
            (
                "[{host = '*', methods = ['get']}]",
                "methods must be a text, not a list",
            ),
            (
                "[{host = '*', methods = 'get,post'}]",
                "method \"get,post\" must be one of GET",
            ),
            (
                "[{host = '*', methods = 'CONNECT'}]",
                "method \"CONNECT\" must be one of GET",
            ),
            ("[{hots = '*'}]", "has no \"hots\": only host and methods"),
        ],
    ),
    (
        "rules",
        &[
            ("'a'", "must be a list of at most 1000"),
            ("['a']", "entry 1: must be {regexPattern, ...}, not a text"),
            ("[{status = 404}]", "entry 1: needs regexPattern"),
            (
                "[{regexPattern = '/'}, {regexPattern = '('}]",
                "entry 2: regexPattern \"(\" must be a regular expression: unclosed group",
            ),
            (
                "[{regexPattern = ''}]",
                "must be a regular expression of 1 to",
            ),
            (
                "[{regexPattern = 'a{999}{999}{999}'}]",
                "exceeds size limit",
            ),
            (
                "[{regexPattern = '/', removeHeaders = 5}]",
                "removeHeaders must be a name or a list of names, not a number",
            ),
            (
                "[{regexPattern = '/', removeHeaders = ['a b']}]",
                "removeHeaders: \"a b\" must be the name of a header",
            ),
            (
                "[{regexPattern = '/', setHeaders = {A = 5}}]",
                "setHeaders: A must be a text, not a number",
            ),
            (
                "[{regexPattern = '/', addHeaders = {A = \"a\\nb\"}}]",
                "must be of visible ASCII",
            ),
            (
                "[{regexPattern = '/', denyAccess = 'yes'}]",
                "denyAccess must be true or false, not a text",
            ),
            (
                "[{regexPattern = '/', redirect = ''}]",
                "must be a URL of 1 to",
            ),
            (
                "[{regexPattern = '/', status = 199}]",
                "status 199 must be from 200 to 599",
            ),
            (
                "[{regexPattern = '/', status = '404'}]",
                "status must be a whole number from 200 to 599, not a text",
            ),
        ],
    ),
    (
        "handlers",
        &[
            ("'a'", "must be a list of at most 1000"),
            (
                "['a']",
                "entry 1: must be {pattern, method, ...}, not a text",
            ),
            ("[{method = 'm'}]", "entry 1: needs pattern or regexPattern"),
            ("[{pattern = 'a'}]", "entry 1: needs method"),
            ("[{pattern = 'a', method = ''}]", "method must not be empty"),
            (
                "[{pattern = '/', method = 'm'}]",
                "must be the beginning of URLs",
            ),
            (
                "[{pattern = 'a)|(b', method = 'm'}]",
                "must be a regular expression",
            ),
            ("[{pattern = 'rest', method = 'm'}]", "must not be of /rest"),
            (
                "[{pattern = 'a', method = 'm', verbs = ['get']}]",
                "verbs must be a text",
            ),
        ],
    ),
    (
        "HSTSEnabled",
        &[
            ("1", "true or false"),
            ("true", "HSTS requires that HTTPS is enabled"),
        ],
    ),
    (
        "HSTSMaxAge",
        &[
            ("-1", "from 0 to 2147483647"),
            ("2147483648", "(seconds)"),
            ("'1 h'", "not a"),
        ],
    ),
    ("scalableSession", &[("1", "true or false")]),
    (
        "keepSession",
        &[
            ("1", "true or false"),
            ("true", "needs scalableSession = false"),
        ],
    ),
    (
        "inactiveProcessTimeout",
        &[
            ("-1", "from 0 to 525600"),
            ("525601", "minutes"),
            ("'1 h'", "not a"),
        ],
    ),
    (
        "inactiveSessionTimeout",
        &[
            ("-1", "from 0 to 525600"),
            ("525601", "minutes"),
            ("'1 h'", "not a"),
        ],
    ),
    (
        "maxSessions",
        &[
            ("-1", "from 0 to 32000"),
            ("32001", "from 0 to 32000"),
            ("101", "not be above maxConcurrentProcesses, which is 100"),
            ("'all'", "not a text"),
        ],
    ),
    (
        "sessionCookieDomain",
        &[
            ("\"a.b\\r\\nSet-Cookie: x\"", "a domain name in ASCII"),
            ("'a.b; Secure'", "a domain name in ASCII"),
            ("'10.0.0.1'", "a domain name in ASCII"),
            ("'/*'", "a domain name in ASCII"),
            ("'a.b/c'", "a domain name in ASCII"),
            ("[]", "not a list"),
        ],
    ),
    (
        "sessionCookiePath",
        &[
            ("'4DACTION'", "starts with a slash"),
            ("'/a; Secure'", "visible ASCII"),
            ("\"/\\r\\nSet-Cookie: x\"", "visible ASCII"),
            ("'/größe'", "visible ASCII"),
            ("[]", "not a list"),
        ],
    ),
    (
        "sessionCookieSameSite",
        &[("'strict'", "\"Strict\" or"), ("[]", "not a list")],
    ),
    ("sessionIPAddressValidation", &[("1", "true or false")]),
    (
        "debugLog",
        &[
            ("2", "one of 0 (none), 1"),
            ("-1", "one of 0"),
            ("8", "7 (with"),
            ("true", "not a"),
        ],
    ),
    (
        "logRecording",
        &[
            ("-1", "one of 0 (none), 1 (CLF)"),
            ("6", "5 (JSON)"),
            ("'CLF'", "not a text"),
        ],
    ),
    (
        "weblog.fields",
        &[
            ("[]", "at least one field"),
            ("['DATE', 'TIME', 'DATE']", "must not have DATE twice"),
            ("['date']", "\"date\" is none of the fields BYTES_RECEIVED"),
            ("[1]", "the fields BYTES_RECEIVED"),
            ("'DATE'", "not a text"),
        ],
    ),
    (
        "weblog.rotation",
        &[
            ("'daily'", "\"every 100 MB\""),
            ("'every 25 hours from 00:00'", "(1 to 24)"),
            ("1", "not a"),
        ],
    ),
    ("weblog.mask_secrets", &[("0", "true or false")]),
    (
        "weblog.keep",
        &[("-1", "from 0 to 100000"), ("100001", "from 0 to 100000")],
    ),
    ("keep_alive.enabled", &[("0", "true or false")]),
    (
        "keep_alive.max_requests",
        &[
            ("-1", "from 0"),
            ("1000000001", "from 0"),
            ("'all'", "not a text"),
        ],
    ),
    (
        "keep_alive.timeout",
        &[
            ("'99 ms'", "from 100 ms to 1 h"),
            ("inf", "from 100 ms to 1 h"),
            ("3601", "from 100 ms to 1 h"),
        ],
    ),
    ("web.launch_at_startup", &[("1", "true or false")]),
    ("web.send_extended_characters", &[("1", "true or false")]),
    ("web.allow_4dsync", &[("1", "true or false")]),
    (
        "rate_limit.requests",
        &[("-1", "from 0 to"), ("1000001", "from 0 to")],
    ),
    (
        "rate_limit.burst",
        &[("-1", "from 0 to"), ("1.5", "a whole number")],
    ),
    (
        "sessions.store",
        &[
            ("'disk'", "or the URL of a Redis server"),
            ("'redis://'", "or the URL of a Redis server"),
            ("1", "or the URL of a Redis server"),
        ],
    ),
    (
        "sessions.size",
        &[
            ("65535", "from 64 KiB to 64 GiB"),
            ("'65 GiB'", "from 64 KiB to 64 GiB"),
        ],
    ),
    (
        "sessions.session_size",
        &[
            ("1023", "from 1 KiB to 1 MiB"),
            ("1048577", "from 1 KiB to 1 MiB"),
        ],
    ),
    (
        "sessions.roles",
        &[
            ("{WebAdmin = []}", "must not name WebAdmin"),
            ("{a = ['WebAdmin']}", "must not name WebAdmin"),
            ("{a = 'b'}", "\"a\" must be a list of names, not a text"),
            ("{a = [1]}", "\"a\" must be a list of names"),
            ("{\"a,b\" = []}", "is no name"),
            ("{a = ['']}", "is no name"),
            ("{a = [' b']}", "is no name"),
            ("'a'", "a table of at most 256 names"),
        ],
    ),
    ("files.listing", &[("1", "true or false")]),
    ("files.clean_urls", &[("1", "true or false")]),
    ("cache.enabled", &[("1", "true or false")]),
    (
        "cache.size",
        &[
            ("-1", "from 0 bytes to 64 GiB"),
            ("'65 GiB'", "64 GiB"),
            ("true", "a size from"),
        ],
    ),
    (
        "cache.own_size",
        &[("-1", "from 0 bytes to 64 GiB"), ("true", "a size from")],
    ),
    (
        "cache.max_object_size",
        &[
            ("'2 GiB'", "from 0 bytes to 1 GiB"),
            ("true", "a size from"),
        ],
    ),
    ("cache.revalidate", &[("3601", "from 0 s to 1 h")]),
];

#[test]
fn refused_values_say_what_is_allowed() {
    for (key, values) in REFUSED {
        for (value, allowed) in *values {
            let error = read_one(key, value).unwrap_err();
            assert_eq!(error.faults().len(), 1, "{key} = {value}: {error}");
            let reason = error.faults()[0].reason();
            assert!(reason.contains(allowed), "{key} = {value}: {error}");
        }
    }
}
