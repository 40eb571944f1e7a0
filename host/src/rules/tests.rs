//! What rules make of requests and responses.

use serde_json::{Value as Json, json};

use super::*;
use crate::settings::{HostSettings, Origin, Override};

fn rules(list: Json) -> Rules {
    let given = json!({ "rules": list });
    let given = Override::from_json(Origin::Start, given.as_object().unwrap());
    let site = tempfile::tempdir().unwrap();
    let settings = HostSettings::load(site.path(), &given).unwrap();
    settings.web.responses.rules
}

fn plan(list: Json, path: &str) -> Plan {
    let mut plan = Plan::default();
    plan.add(&rules(list), path);
    plan
}

fn redirected(url: &'static str) -> Access {
    Access::Redirected(HeaderValue::from_static(url))
}

#[test]
fn the_last_of_those_that_match_counts() {
    let list = json!([
        {"regexPattern": "^/private/", "denyAccess": true, "status": 404},
        {"regexPattern": "^/private/allowed/", "denyAccess": false},
        {"regexPattern": "^/old/", "redirect": "/new/"},
        {"regexPattern": "^/old/for-ever/", "redirect": "/new/", "status": 301},
        {"regexPattern": "^/old/never/", "denyAccess": true},
        {"regexPattern": "/open/", "denyAccess": false},
        {"regexPattern": "/busy/", "status": 503},
        {"regexPattern": "/busy/gone/", "status": 410},
        {"regexPattern": "/busy/moved/", "redirect": "/elsewhere"},
    ]);
    for (path, access, status) in [
        ("/", Access::Free, None),
        ("/private/x", Access::Denied, Some(404)),
        ("/private/allowed/x", Access::Free, None),
        ("/old/x", redirected("/new/"), None),
        ("/old/for-ever/x", redirected("/new/"), Some(301)),
        ("/old/never/x", Access::Denied, None),
        ("/old/open/", redirected("/new/"), None),
        ("/busy/", Access::Free, Some(503)),
        ("/busy/gone/", Access::Free, Some(410)),
        ("/busy/moved/", redirected("/elsewhere"), None),
    ] {
        let plan = plan(list.clone(), path);
        assert_eq!(plan.access(), &access, "{path}");
        assert_eq!(
            plan.status().map(|status| status.as_u16()),
            status,
            "{path}"
        );
    }
}

#[test]
fn no_spelling_of_a_path_leads_past_a_rule() {
    let list = json!([{"regexPattern": "^/private/.*$", "denyAccess": true}]);
    for (path, is_denied) in [
        ("/private/", true),
        ("/%70rivate/x", true),
        ("/private%2Fx", true),
        ("/p%72ivate/%0Ax", true),
        ("/private/%ff%fe", true),
        ("/private/%zz", true),
        ("/a/private/", false),
        // Decoded once, as files are.
        ("/%2570rivate/x", false),
        // No file and no method is found by it.
        ("/Private/", false),
    ] {
        let denied = *plan(list.clone(), path).access() == Access::Denied;
        assert_eq!(denied, is_denied, "{path}");
    }
}

#[test]
fn fields_are_removed_set_and_added_rule_by_rule() {
    let list = json!([
        {"regexPattern": "/", "setHeaders": {"Allow": "GET", "X-One": "1"}, "removeHeaders": "server"},
        {"regexPattern": "/rest/", "addHeaders": {"Allow": "POST", "Set-Cookie": "a=1"}, "removeHeaders": ["X-None"]},
        {"regexPattern": "/rest/", "removeHeaders": ["x-one"], "addHeaders": {"x-one": "2"}},
        {"regexPattern": "/other/", "setHeaders": {"X-Other": "1"}},
    ]);
    let mut headers = HeaderMap::new();
    for (name, value) in [("server", "a"), ("set-cookie", "b=2"), ("x-one", "0")] {
        headers.append(name, HeaderValue::from_static(value));
    }
    plan(list, "/rest/x").change(&mut headers);
    let all = |name: &str| headers.get_all(name).iter().cloned().collect::<Vec<_>>();
    assert_eq!(all("allow"), ["GET", "POST"]);
    assert_eq!(all("set-cookie"), ["b=2", "a=1"]);
    assert_eq!(all("x-one"), ["2"]);
    assert!(all("server").is_empty() && all("x-other").is_empty());
}

#[test]
fn a_rule_is_found_by_its_path_only_where_there_is_one() {
    let plan = plan(json!([]), "/%zz");
    assert!(plan.0.is_none() && !plan.has_status());
    let mut response = Response::default();
    plan.set_status(&mut response);
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn more_fields_than_clients_read_are_left_out() {
    let fields: serde_json::Map<_, _> = (0..100).map(|n| (format!("x-{n}"), json!("1"))).collect();
    let rule = json!({"regexPattern": "/", "addHeaders": fields});
    let plan = plan(vec![rule; 1000].into(), "/");
    let mut headers = HeaderMap::new();
    plan.change(&mut headers);
    assert_eq!(headers.len(), FIELDS_MAX);
}
