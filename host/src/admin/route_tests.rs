//! Which operation a method and a path mean.

use std::collections::BTreeSet;

use hyper::Method;

use super::problem::Problem;
use super::route::{Action, OPERATIONS, find, needs_key};

#[test]
fn paths_and_methods_mean_operations() {
    for (method, path, action, server) in [
        ("GET", "/healthz", Action::Health, ""),
        ("HEAD", "/readyz", Action::Readiness, ""),
        ("GET", "/api/v1/info", Action::Info, ""),
        ("GET", "/api/v1/openapi.json", Action::Description, ""),
        ("HEAD", "/api/v1/servers", Action::Servers, ""),
        (
            "GET",
            "/api/v1/servers/my%2Fshop",
            Action::Server,
            "my/shop",
        ),
        ("GET", "/api/v1/servers/reload", Action::Server, "reload"),
        ("PATCH", "/api/v1/servers/a", Action::Set, "a"),
        ("POST", "/api/v1/servers/a/start", Action::Start, "a"),
        ("POST", "/api/v1/servers/start/stop", Action::Stop, "start"),
        (
            "POST",
            "/api/v1/servers/%7Bname%7D/reload",
            Action::ReloadServer,
            "{name}",
        ),
        ("POST", "/api/v1/reload", Action::Reload, ""),
    ] {
        let found = find(&method.parse().unwrap(), path).unwrap();
        assert_eq!(
            (found.operation.action, &*found.server),
            (action, server),
            "{method} {path}"
        );
    }
}

#[test]
fn a_path_may_name_what_is_of_a_server() {
    let found = find(&Method::DELETE, "/api/v1/servers/a%20b/sessions/0f%2F").unwrap();
    assert_eq!((&*found.server, &*found.id), ("a b", "0f/"));
    assert_eq!(found.operation.action, Action::EndSession);
    assert!(find(&Method::DELETE, "/api/v1/servers/a/sessions/").is_err());
}

#[test]
fn other_methods_are_told_which_there_are() {
    for (method, path, allowed) in [
        ("POST", "/healthz", "GET, HEAD"),
        ("OPTIONS", "/api/v1/servers", "GET, HEAD"),
        ("get", "/api/v1/servers", "GET, HEAD"),
        ("DELETE", "/api/v1/servers/a", "GET, HEAD, PATCH"),
        ("GET", "/api/v1/reload", "POST"),
        ("HEAD", "/api/v1/servers/a/start", "POST"),
        ("PATCH", "/api/v1/servers/a/start", "POST"),
        ("PUT", "/api/v1/servers/a/reload", "POST"),
    ] {
        assert_eq!(
            find(&method.parse().unwrap(), path),
            Err(Problem::method_not_allowed(allowed)),
            "{method} {path}"
        );
    }
}

#[test]
fn other_paths_are_nothing() {
    for path in [
        "/",
        "*",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/servers/",
        "/api/v1/servers//start",
        "/api/v1/servers/a/b",
        "/api/v1/servers/a/start/",
        "/api/v1/servers/%ff",
        "/api/v2/servers",
        "/HEALTHZ",
        "/healthz/",
    ] {
        assert_eq!(
            find(&Method::GET, path),
            Err(Problem::nothing_here(path)),
            "{path}"
        );
    }
}

#[test]
fn the_whole_api_needs_the_key() {
    for path in [
        "/api",
        "/api/",
        "/api/v1/servers",
        "/api/nothing",
        "/api//",
        "/metrics",
    ] {
        assert!(needs_key(path), "{path}");
    }
    for path in ["/", "/healthz", "/readyz", "/apiary", "*"] {
        assert!(!needs_key(path), "{path}");
    }
}

#[test]
fn what_changes_something_is_never_open_to_all() {
    for operation in OPERATIONS.iter().filter(|it| it.method != "GET") {
        assert!(needs_key(operation.path), "{}", operation.path);
    }
}

#[test]
fn each_operation_is_there_once() {
    let ids: BTreeSet<_> = OPERATIONS.iter().map(|it| it.id).collect();
    let places: BTreeSet<_> = OPERATIONS.iter().map(|it| (it.method, it.path)).collect();
    assert_eq!(
        (ids.len(), places.len()),
        (OPERATIONS.len(), OPERATIONS.len())
    );
}
