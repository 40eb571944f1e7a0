//! The URLs of a web server: those of its own ports, and where it is mounted on the host's.

use serde_json::{Map, Value};

/// Lists the URLs of every server of the list that admin gives, in the list's order.
pub(super) fn of_servers(servers: &[Map<String, Value>]) -> Vec<Vec<String>> {
    let is_host = |server: &&Map<String, Value>| server.get("kind") == Some(&"host".into());
    let host = servers.iter().find(is_host).map(own).unwrap_or_default();
    let of = |server: &Map<String, Value>| {
        let mut urls = own(server);
        if let (Some(host), Some(mount)) = (host.first(), server.get("mount")) {
            urls.extend(mounted(host, mount));
        }
        urls
    };
    servers.iter().map(of).collect()
}

fn own(server: &Map<String, Value>) -> Vec<String> {
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

    fn server(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_mounted_component_is_below_the_host() {
        let servers = [
            server(json!({"kind": "host", "urls": ["http://127.0.0.1:8080/"]})),
            server(
                json!({"kind": "component", "urls": [], "mount": {"path": "/hello", "host": null}}),
            ),
            server(
                json!({"kind": "component", "urls": ["http://127.0.0.1:8081/"], "mount": {"path": "/", "host": "shop.example"}}),
            ),
            server(json!({"kind": "component", "urls": ["http://[::1]/"], "mount": null})),
            server(json!({"kind": "component"})),
        ];
        let expected = [
            vec!["http://127.0.0.1:8080/"],
            vec!["http://127.0.0.1:8080/hello/"],
            vec!["http://127.0.0.1:8081/", "http://shop.example:8080/"],
            vec!["http://[::1]/"],
            vec![],
        ];
        assert_eq!(of_servers(&servers), expected);
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
