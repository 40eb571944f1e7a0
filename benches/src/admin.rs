//! What the admin endpoint of a server under test says.

use crate::client::get;
use crate::server::Server;

/// The settings that open it.
pub(crate) const SETTINGS: &str = "[admin]\naccess_key = \"for-this-measurement-only\"\n";

/// The path of the host's web server in the API.
pub(crate) fn host(server: &Server) -> Result<String, String> {
    let all = ask(server, "api/v1/servers")?;
    let name = value(&all, "\"name\"").ok_or("the server has no name")?;
    Ok(format!("api/v1/servers/{name}"))
}

/// A document of the admin endpoint.
pub(crate) fn ask(server: &Server, path: &str) -> Result<Vec<u8>, String> {
    let admin = server
        .output
        .lines()
        .find(|line| line.contains("admin"))
        .and_then(|line| {
            line.split_whitespace()
                .find(|word| word.starts_with("http://"))
        })
        .ok_or_else(|| format!("no address of admin in {}", server.output))?;
    let key = "Authorization: Bearer for-this-measurement-only";
    get(&format!("{admin}{path}"), Some(key))
}

/// The value of a member of a JSON document, if it is a number or a short text.
pub(crate) fn value(json: &[u8], word: &str) -> Option<String> {
    let text = String::from_utf8_lossy(json);
    let (_, rest) = text.split_once(word)?;
    let rest = rest.trim_start_matches([':', ' ', '"']);
    let end = rest.find(['"', ',', '}'])?;
    Some(rest.get(..end)?.trim().to_owned())
}
