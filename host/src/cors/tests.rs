//! Requests of all kinds of pages.

use super::*;

const HERE: Here<'_> = Here {
    secured: false,
    host: Some("shop.example:8080"),
};

fn cors(rules: &[(&str, &[&str])]) -> Cors {
    let rule = |(host, methods): &(&str, &[&str])| CorsRule {
        host: (*host).into(),
        methods: methods.iter().map(|&method| method.into()).collect(),
    };
    Cors {
        rules: rules.iter().map(rule).collect(),
    }
}

fn fields(list: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

/// What a page is told: Access-Control-Allow-Origin and -Credentials; none is a refusal.
fn told(cors: &Cors, method: Method, origin: &str) -> Option<(String, bool)> {
    match judge(cors, &method, &fields(&[("origin", origin)]), HERE) {
        Verdict::Allowed(grant) => {
            let mut headers = fields(&[
                ("access-control-allow-origin", "https://the.components"),
                ("access-control-allow-credentials", "true"),
            ]);
            grant.put_into(&mut headers);
            let origin = headers[ACCESS_CONTROL_ALLOW_ORIGIN].to_str().unwrap();
            let credentials = headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS);
            Some((origin.to_owned(), credentials))
        }
        Verdict::Refused => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_of_ones_own_pages_is_never_refused() {
    let nobody = cors(&[]);
    let secured = Here {
        secured: true,
        host: Some("shop.example"),
    };
    for (here, list, is_own) in [
        (HERE, &[][..], true),
        (HERE, &[("origin", "http://shop.example:8080")], true),
        (HERE, &[("origin", "HTTP://Shop.Example:8080")], true),
        (HERE, &[("origin", "https://shop.example:8080")], false),
        (HERE, &[("origin", "http://shop.example")], false),
        (secured, &[("origin", "https://shop.example")], true),
        (secured, &[("origin", "https://shop.example:443")], true),
        (secured, &[("origin", "http://shop.example")], false),
        (HERE, &[("origin", "null")], false),
        (
            HERE,
            &[
                ("origin", "http://shop.example:8080"),
                ("origin", "http://evil.example"),
            ],
            false,
        ),
    ] {
        let verdict = judge(&nobody, &Method::POST, &fields(list), here);
        assert_eq!(matches!(verdict, Verdict::Own), is_own, "{list:?}");
        assert_eq!(matches!(verdict, Verdict::Refused), !is_own, "{list:?}");
    }
    let nowhere = Here { host: None, ..HERE };
    let verdict = judge(
        &nobody,
        &Method::GET,
        &fields(&[("origin", "http://a")]),
        nowhere,
    );
    assert!(matches!(verdict, Verdict::Refused));
}

#[test]
fn host_and_method_must_be_of_one_rule() {
    let cors = cors(&[
        ("a.example", &["GET", "POST"]),
        ("b.example", &[]),
        ("*.c.example", &["GET"]),
        ("x.c.example", &["PUT"]),
    ]);
    for (origin, method, expected) in [
        ("http://a.example", Method::GET, true),
        ("https://a.example:444", Method::POST, true),
        ("http://a.example", Method::PUT, false),
        ("http://a.example", Method::OPTIONS, false),
        ("http://b.example", Method::DELETE, true),
        ("http://x.c.example", Method::GET, true),
        ("http://x.c.example", Method::PUT, true),
        ("http://y.c.example", Method::PUT, false),
        ("http://evil.example", Method::GET, false),
        ("null", Method::GET, false),
        ("http://a.example.evil.example", Method::GET, false),
    ] {
        assert_eq!(
            told(&cors, method.clone(), origin).is_some(),
            expected,
            "{method} {origin}"
        );
    }
}

#[test]
fn credentials_need_the_whole_origin() {
    for (rule, origin, expected) in [
        ("https://a.example", "https://a.example", true),
        ("https://a.example", "HTTPS://A.example", true),
        ("https://a.example:8443", "https://a.example:8443", true),
        ("https://a.example", "https://a.example:8443", false),
        ("a.example", "https://a.example", false),
        ("*.example", "https://a.example", false),
        ("192.168.*", "http://192.168.1.1", false),
    ] {
        let found = told(&cors(&[(rule, &[])]), Method::GET, origin);
        assert_eq!(found, Some((origin.to_owned(), expected)), "{rule}");
    }
}

#[test]
fn everybody_is_told_of_everybody_and_gets_no_credentials() {
    let everybody = cors(&[("*", &[])]);
    for origin in ["https://a.example", "null", "???", "chrome-extension://abc"] {
        let found = told(&everybody, Method::GET, origin);
        assert_eq!(found, Some(("*".into(), false)), "{origin}");
    }
}

#[test]
fn the_rule_that_says_most_decides() {
    let cors = cors(&[
        ("*", &[]),
        ("*.example", &[]),
        ("https://a.example", &["GET"]),
    ]);
    let told = |method, origin| told(&cors, method, origin).unwrap();
    let whole = "https://a.example";
    assert_eq!(told(Method::GET, whole), (whole.into(), true));
    assert_eq!(told(Method::PUT, whole), (whole.into(), false));
    assert_eq!(told(Method::GET, "https://other"), ("*".into(), false));
}

#[test]
fn a_browser_that_asks_first_is_told_what_may_be() {
    let cors = cors(&[("http://a.example", &["GET", "PUT"]), ("b.example", &[])]);
    let ask = |origin: &str, method: &str, headers: &str| {
        let list = fields(&[
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ]);
        match judge(&cors, &Method::OPTIONS, &list, HERE) {
            Verdict::Preflight(_, response) => {
                assert_eq!(response.status(), StatusCode::NO_CONTENT);
                let field = |name| {
                    let value = response.headers().get(name)?;
                    Some(value.to_str().unwrap().to_owned())
                };
                assert_eq!(field(ACCESS_CONTROL_MAX_AGE).unwrap(), "600");
                Some((
                    field(ACCESS_CONTROL_ALLOW_METHODS).unwrap(),
                    field(ACCESS_CONTROL_ALLOW_HEADERS),
                ))
            }
            Verdict::Refused => None,
            other => panic!("{other:?}"),
        }
    };
    let wanted = "x-one, Content-Type";
    let answer = |methods: &str| Some((methods.to_owned(), Some(wanted.to_owned())));
    assert_eq!(ask("http://a.example", "PUT", wanted), answer("GET, PUT"));
    assert_eq!(
        ask("http://b.example", "DELETE", wanted),
        answer("GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH")
    );
    assert_eq!(ask("http://a.example", "POST", wanted), None);
    assert_eq!(ask("http://evil.example", "GET", wanted), None);
    let long = "x-a,".repeat(1500) + "x-b";
    for headers in ["x-one, ", "a b", "a:b", "", &long] {
        let (_, names) = ask("http://a.example", "GET", headers).unwrap();
        assert_eq!(names, None, "{headers}");
    }
}

#[test]
fn options_without_a_question_is_a_method_like_others() {
    let cors = cors(&[("a.example", &["OPTIONS"])]);
    assert!(told(&cors, Method::OPTIONS, "http://a.example").is_some());
}
