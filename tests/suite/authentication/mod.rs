//! BASIC and DIGEST credentials, asked for by the host: when On Web Authentication is called, with what, and what is refused.

mod basic;
mod digest;
mod settings;
mod shop;
mod throttle;
mod users;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use tessera_tests::{Reply, Server, Site};

/// A component that looks at credentials, in a server that asks for them.
fn site(authentication: &str) -> Site {
    let settings = format!(
        "handlers = [{{pattern = 'handled', method = 'inside'}}]\n[authentication]\n{authentication}\n"
    );
    let site = Site::new().guest_with("doorman", &settings);
    site.write("components/doorman/WebFolder/file.txt", "a file");
    site.write(
        "components/doorman/WebFolder/plain.shtml",
        "<b><!--#4DTEXT 1+1--></b>",
    );
    site.write(
        "components/doorman/WebFolder/calls.shtml",
        "<b><!--#4DTEXT inside--></b>",
    );
    site
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Asks with a value of Authorization; an empty one is none.
async fn ask(server: &Server, path: &str, credentials: &str) -> Reply {
    let mut request = Request::get(path);
    if !credentials.is_empty() {
        request = request.header("authorization", credentials);
    }
    server.send(request.body(Bytes::new()).unwrap()).await
}

fn challenges(reply: &Reply) -> Vec<&str> {
    let fields = reply.headers.get_all("www-authenticate").iter();
    fields.map(|field| field.to_str().unwrap()).collect()
}

/// What the hook was called with, if it was.
fn called_with(reply: &Reply) -> Option<&str> {
    let field = reply.headers.get("x-hook")?;
    Some(std::str::from_utf8(field.as_bytes()).unwrap())
}
