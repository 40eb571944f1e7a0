//! Which resource of admin a path and a method mean.

use hyper::Method;
use percent_encoding::percent_decode_str;

use super::problem::Problem;

/// A resource of admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// The process runs.
    Health,
    /// All servers that should run do.
    Readiness,
    /// The process, its version and counts.
    Info,
    /// All web servers.
    Servers,
    /// One of them.
    Server(String),
    /// Reads all components again.
    Reload,
    /// Reads one of them again.
    ReloadServer(String),
}

const API: &str = "/api";
const READ: &str = "GET, HEAD";
const ACT: &str = "POST";

/// Whether a path asks for the access key: everything of the API, whether it exists or not.
pub(super) fn needs_key(path: &str) -> bool {
    path.strip_prefix(API)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Finds the resource, and sees to its methods.
pub(super) fn find(method: &Method, path: &str) -> Result<Resource, Problem> {
    let resource = resource(path).ok_or_else(|| Problem::nothing_here(path))?;
    let allowed = match resource {
        Resource::Reload | Resource::ReloadServer(_) => ACT,
        _ => READ,
    };
    if allowed.split(", ").any(|name| name == method.as_str()) {
        Ok(resource)
    } else {
        Err(Problem::method_not_allowed(allowed))
    }
}

fn resource(path: &str) -> Option<Resource> {
    match path {
        "/healthz" => return Some(Resource::Health),
        "/readyz" => return Some(Resource::Readiness),
        _ => {}
    }
    let steps: Vec<_> = path.strip_prefix("/api/v1/")?.split('/').collect();
    match steps[..] {
        ["info"] => Some(Resource::Info),
        ["servers"] => Some(Resource::Servers),
        ["servers", name] => Some(Resource::Server(decoded(name)?)),
        ["servers", name, "reload"] => Some(Resource::ReloadServer(decoded(name)?)),
        ["reload"] => Some(Resource::Reload),
        _ => None,
    }
}

fn decoded(step: &str) -> Option<String> {
    let name = percent_decode_str(step).decode_utf8().ok()?;
    (!name.is_empty()).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods_mean_resources() {
        for (method, path, expected) in [
            ("GET", "/healthz", Resource::Health),
            ("HEAD", "/readyz", Resource::Readiness),
            ("GET", "/api/v1/info", Resource::Info),
            ("HEAD", "/api/v1/servers", Resource::Servers),
            (
                "GET",
                "/api/v1/servers/my%2Fshop",
                Resource::Server("my/shop".into()),
            ),
            (
                "GET",
                "/api/v1/servers/reload",
                Resource::Server("reload".into()),
            ),
            (
                "POST",
                "/api/v1/servers/a/reload",
                Resource::ReloadServer("a".into()),
            ),
            ("POST", "/api/v1/reload", Resource::Reload),
        ] {
            let found = find(&method.parse().unwrap(), path);
            assert_eq!(found, Ok(expected), "{method} {path}");
        }
    }

    #[test]
    fn other_methods_and_paths_are_problems() {
        for (method, path, allowed) in [
            ("POST", "/healthz", READ),
            ("OPTIONS", "/api/v1/servers", READ),
            ("get", "/api/v1/servers", READ),
            ("DELETE", "/api/v1/servers/a", READ),
            ("GET", "/api/v1/reload", ACT),
            ("PUT", "/api/v1/servers/a/reload", ACT),
        ] {
            let found = find(&method.parse().unwrap(), path);
            assert_eq!(
                found,
                Err(Problem::method_not_allowed(allowed)),
                "{method} {path}"
            );
        }
        for path in [
            "/",
            "*",
            "/api",
            "/api/v1",
            "/api/v1/",
            "/api/v1/servers/",
            "/api/v1/servers/a/b",
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
        for path in ["/api", "/api/", "/api/v1/servers", "/api/nothing", "/api//"] {
            assert!(needs_key(path), "{path}");
        }
        for path in ["/", "/healthz", "/readyz", "/apiary", "*"] {
            assert!(!needs_key(path), "{path}");
        }
    }
}
