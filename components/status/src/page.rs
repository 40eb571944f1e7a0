//! The list of web servers as a page.

use std::fmt::Write;

use serde_json::Value as Json;
use tessera_guest::escape;

use crate::server::Server;

const PAGE: &str = include_str!("page.html");

/// Renders the page. `host` is the Host field of the request, `prefix` where the component is mounted.
pub(crate) fn render(servers: &[Server], host: &str, prefix: &str) -> String {
    let (before, after) = PAGE.split_once("<!-- servers -->").unwrap_or((PAGE, ""));
    let mut page = String::with_capacity(PAGE.len() + 2_048 * servers.len());
    page.push_str(before);
    summary(&mut page, servers, host_name(host));
    for server in servers {
        every_property(&mut page, server);
    }
    let _ = writeln!(
        page,
        "<p><a href=\"{}/json\">The same as JSON</a>",
        escape(prefix)
    );
    page.push_str(after);
    page
}

fn summary(page: &mut String, servers: &[Server], host: &str) {
    let running = servers.iter().filter(|server| server.is_running()).count();
    let _ = writeln!(
        page,
        "<p class=\"count\">{running} of {} running",
        servers.len()
    );
    page.push_str(
        "<table class=\"summary\">\n<thead><tr><th scope=\"col\">Name<th scope=\"col\">State",
    );
    page.push_str("<th scope=\"col\">Mount<th scope=\"col\">Port\n<tbody>\n");
    for server in servers {
        let state = if server.is_running() {
            "running"
        } else {
            "stopped"
        };
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}<td><span class=\"{state}\">{state}</span>",
            escape(&server.name)
        );
        if let Some(error) = server.error() {
            let _ = write!(page, "<span class=\"error\">{}</span>", escape(error));
        }
        let _ = writeln!(
            page,
            "<td>{}<td>{}",
            mount_link(server),
            port_link(server, host)
        );
    }
    page.push_str("</table>\n");
}

fn mount_link(server: &Server) -> String {
    match server.mount() {
        None => "–".to_owned(),
        // The port under which that host name is reached is not known here.
        Some((Some(host), path)) => escape(&format!("{host}{path}")).into_owned(),
        Some((None, path)) => {
            let path = escape(path);
            format!("<a href=\"{}/\">{path}</a>", path.trim_end_matches('/'))
        }
    }
}

fn port_link(server: &Server, host: &str) -> String {
    match server.port() {
        None => "–".to_owned(),
        Some(port) if host.is_empty() => format!(":{port}"),
        Some(port) => format!("<a href=\"http://{}:{port}/\">:{port}</a>", escape(host)),
    }
}

fn every_property(page: &mut String, server: &Server) {
    let name = escape(&server.name);
    let _ = write!(
        page,
        "<details><summary>Every property of <strong>{name}</strong></summary>\n<table>\n"
    );
    for (property, value) in &server.properties {
        let value = match value {
            Json::Null => "–".to_owned(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}<td>{}",
            escape(property),
            escape(&value)
        );
    }
    page.push_str("</table>\n</details>\n");
}

/// The Host field without its port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn takes_the_port_off_a_host() {
        for (host, name) in [
            ("example.com:8080", "example.com"),
            ("example.com", "example.com"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(host_name(host), name, "{host}");
        }
    }
}
