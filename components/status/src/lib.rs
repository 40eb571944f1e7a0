//! Lists the web servers of a site: what WEB Server list and the WebServer class tell.

mod page;
mod server;

use tessera_guest::prelude::*;

use server::Server;

/// Answers `/` with a page and `/json` with the same for programs.
#[on_web_connection]
fn show(call: &WebCall) -> Result<(), Error> {
    match call.path() {
        "/" | "/json" => {}
        _ => return (status(404), text("There is only / and /json.\n")).send(),
    }
    let mut servers = Vec::new();
    for name in web_server::servers() {
        // One that went away since its name was listed has no properties any more.
        if let Ok(properties) = web_server::properties(&name) {
            servers.push(Server::new(name, properties));
        }
    }
    if call.path() == "/json" {
        let servers: Vec<_> = servers.iter().map(Server::json).collect();
        return json(servers)
            .with_header("Cache-Control", "no-store")
            .send();
    }
    let host = request::header("host").unwrap_or_default();
    let prefix = request::header("x-forwarded-prefix").unwrap_or_default();
    html(page::render(&servers, &host, &prefix))
        .with_header("Cache-Control", "no-store")
        .send()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_guest::test;
    use tessera_guest::web_server::Property;

    fn site(url: &str) -> test::Request {
        let host = [
            Property::new("HTTPPort", 8080),
            Property::new("isRunning", true),
            Property::new("rootFolder", "/srv/<welcome>/WebFolder"),
        ];
        let shop = [
            Property::new("HTTPPort", Value::Null),
            Property::new("isRunning", false),
            Property::new("error", "not <a> component"),
            Property::new(
                "mount",
                Value::Json(r#"{"path":"/shop","host":null}"#.to_owned()),
            ),
        ];
        test::get(url)
            .header("host", "example.com:8080")
            .server("welcome", host)
            .server("shop", shop)
    }

    #[test]
    fn lists_all_servers_and_every_property_escaped() {
        let response = site("/").header("x-forwarded-prefix", "/status").send();
        let page = response.text();
        for part in [
            r#"<a href="http://example.com:8080/">:8080</a>"#,
            r#"<a href="/shop/">/shop</a>"#,
            "running",
            "stopped</span><span class=\"error\">not &lt;a&gt; component</span>",
            "<tr><th scope=\"row\">rootFolder<td>/srv/&lt;welcome&gt;/WebFolder\n",
            r#"href="/status/json""#,
        ] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        assert_eq!(
            response.header("content-type"),
            Some("text/html; charset=UTF-8")
        );
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }

    #[test]
    fn tells_programs_the_same() {
        let servers: serde_json::Value = site("/json?pretty").send().json();
        let expected = serde_json::json!([
            {"name": "welcome", "HTTPPort": 8080, "isRunning": true, "rootFolder": "/srv/<welcome>/WebFolder"},
            {"name": "shop", "HTTPPort": null, "isRunning": false, "error": "not <a> component", "mount": {"path": "/shop", "host": null}},
        ]);
        assert_eq!(servers, expected);
    }

    #[test]
    fn has_no_other_page() {
        assert_eq!(site("/json/more").send().status, 404);
    }
}
