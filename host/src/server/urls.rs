//! The URLs of a web server: those of its own ports, and where it is mounted on the host's.

use serde_json::{Map, Value};

use super::{Kind, Registry, WebServer};

/// All web servers as admin and components see them, the host's first: their properties, with every URL that leads to them in
/// `urls`.
pub fn server_documents(registry: &Registry) -> Vec<Map<String, Value>> {
    let host = registry.host().properties();
    let all = registry.all();
    all.iter().map(|server| with_urls(server, &host)).collect()
}

/// One web server as admin and components see it.
pub fn server_document(registry: &Registry, server: &WebServer) -> Map<String, Value> {
    with_urls(server, &registry.host().properties())
}

fn with_urls(server: &WebServer, host: &Map<String, Value>) -> Map<String, Value> {
    let mut document = server.properties();
    if server.kind() == Kind::Component {
        complete(&mut document, host);
    }
    document
}

/// Adds to the URLs of a component's own ports those of its mount, one for each URL of the host.
fn complete(component: &mut Map<String, Value>, host: &Map<String, Value>) {
    let Some(mount) = component.get("mount") else {
        return;
    };
    let mut all = urls(component);
    for url in urls(host).iter().filter_map(|host| mounted(host, mount)) {
        // A mount with a host name is at the same place on all addresses.
        if !all.contains(&url) {
            all.push(url);
        }
    }
    component.insert("urls".to_owned(), all.into());
}

fn urls(server: &Map<String, Value>) -> Vec<String> {
    let urls = server.get("urls").and_then(Value::as_array);
    let texts = urls.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn mounted(host: &str, mount: &Value) -> Option<String> {
    let path = mount["path"].as_str()?.trim_end_matches('/');
    let (scheme, rest) = host.split_once("://")?;
    let authority = rest.trim_end_matches('/');
    let Some(name) = mount["host"].as_str() else {
        return Some(format!("{scheme}://{authority}{path}/"));
    };
    let name = if name.contains(':') {
        format!("[{name}]")
    } else {
        name.to_owned()
    };
    // The last colon is the port's, unless it is inside of an IPv6 address.
    let port = match authority.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => format!(":{port}"),
        _ => String::new(),
    };
    Some(format!("{scheme}://{name}{port}{path}/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(component: Value, expected: &[&str]) {
        let host =
            json!({"urls": ["http://127.0.0.1:8080/", "http://[::1]:8080/", "https://127.0.0.1/"]});
        let mut component = component.as_object().unwrap().clone();
        complete(&mut component, host.as_object().unwrap());
        assert_eq!(urls(&component), expected);
    }

    #[test]
    fn a_mounted_component_is_below_the_host() {
        check(
            json!({"urls": [], "mount": {"path": "/hello", "host": null}}),
            &[
                "http://127.0.0.1:8080/hello/",
                "http://[::1]:8080/hello/",
                "https://127.0.0.1/hello/",
            ],
        );
        check(
            json!({"urls": ["https://127.0.0.1:8443/"], "mount": {"path": "/", "host": "shop.example"}}),
            &[
                "https://127.0.0.1:8443/",
                "http://shop.example:8080/",
                "https://shop.example/",
            ],
        );
        check(
            json!({"urls": ["http://[::1]/"], "mount": null}),
            &["http://[::1]/"],
        );
        check(json!({}), &[]);
    }

    #[test]
    fn nothing_is_mounted_on_a_host_that_is_stopped() {
        let mut component = json!({"urls": [], "mount": {"path": "/hello", "host": null}});
        let component = component.as_object_mut().unwrap();
        complete(component, json!({"urls": []}).as_object().unwrap());
        assert!(urls(component).is_empty());
    }

    #[test]
    fn ports_are_told_from_addresses() {
        for (host, name, expected) in [
            (
                "http://127.0.0.1/",
                json!("a.example"),
                "http://a.example/x/",
            ),
            ("http://[::1]/", json!("a.example"), "http://a.example/x/"),
            ("http://[::1]:81/", json!("::2"), "http://[::2]:81/x/"),
            ("http://[::1]:81/", json!(null), "http://[::1]:81/x/"),
        ] {
            let mount = json!({"path": "/x", "host": name});
            assert_eq!(mounted(host, &mount).as_deref(), Some(expected));
        }
    }
}
