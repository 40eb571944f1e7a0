//! `tessera stats` and `tessera cache clear`: what is kept of a web server's files in memory.

use clap::Subcommand;
use serde_json::Value;

use super::client::server_path;
use super::failure::Failure;
use super::output::{self, printable};
use super::target::{Target, objects, text};

/// Shows what a web server has answered, and what the page cache holds of its files, the most requested first.
#[derive(clap::Args)]
pub(super) struct StatsArguments {
    /// The web server: a component's name, or the host's; without a name, all of them in short.
    name: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// Does something about the page cache.
#[derive(clap::Args)]
pub(super) struct CacheArguments {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Subcommand)]
enum CacheCommand {
    Clear(ClearArguments),
}

/// Forgets what is in memory of a web server's files.
#[derive(clap::Args)]
struct ClearArguments {
    /// The web server: a component's name, or the host's.
    name: String,
    #[command(flatten)]
    target: Target,
}

pub(super) fn stats(arguments: &StatsArguments) -> Result<(), Failure> {
    let target = &arguments.target;
    let client = target.client()?;
    let of = |name: &str| client.get(&format!("{}/statistics", server_path(name)));
    if let Some(name) = &arguments.name {
        return target.print(&of(name)?, table);
    }
    let servers = client.get("/api/v1/servers")?;
    let all: Result<Vec<_>, _> = objects(&servers)
        .map(|server| of(text(server, "name")))
        .collect();
    target.print(&all?.into(), overview)
}

/// All web servers, one line for each.
fn overview(all: &Value) -> String {
    let titles = [
        "NAME",
        "UP",
        "REQUESTS",
        "BYTES",
        "FROM MEMORY",
        "FROM DISK",
        "CACHE",
    ];
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(objects(all).map(|server| {
        let number = |key: &str| server.get(key).map_or_else(String::new, Value::to_string);
        let cache = server
            .get("cache")
            .and_then(|cache| cache.get("currentSize"));
        [
            printable(text(server, "name")),
            format!("{} s", number("uptime")),
            number("requests"),
            number("bytesSent"),
            number("cacheHits"),
            number("cacheMisses"),
            cache.map_or_else(|| "-".to_owned(), Value::to_string),
        ]
    }));
    output::columns(&rows)
}

pub(super) fn cache(arguments: &CacheArguments) -> Result<(), Failure> {
    let CacheCommand::Clear(arguments) = &arguments.command;
    let (name, target) = (&arguments.name, &arguments.target);
    let path = format!("{}/cache", server_path(name));
    let done = target.client()?.delete(&path)?;
    target.print(&done, |_| {
        format!("{}: nothing of it is in memory now\n", printable(name))
    })
}

fn table(statistics: &Value) -> String {
    let cache = &statistics["cache"];
    let mut table = format!(
        "up {} s: {}, {} bytes sent; files: {} from memory, {} from disk\n",
        statistics["uptime"],
        output::count(usize_of(&statistics["requests"]), "request"),
        statistics["bytesSent"],
        statistics["cacheHits"],
        statistics["cacheMisses"],
    );
    if cache["enabled"] != true {
        table.push_str("no files are kept in memory\n");
        return table;
    }
    table += &format!(
        "{} of {} bytes in use ({} %), {}, {} loaded\n",
        cache["currentSize"],
        cache["maxSize"],
        cache["cacheUsage"],
        output::count(usize_of(&cache["nbCachedObjects"]), "object"),
        cache["numOfLoads"],
    );
    let mut rows = vec![["HITS", "BYTES", "CODING", "TYPE", "URL"].map(str::to_owned)];
    rows.extend(objects(&cache["cachedObjects"]).map(|object| {
        let number = |key: &str| object.get(key).map_or_else(String::new, Value::to_string);
        [
            number("hits"),
            number("size"),
            match text(object, "contentEncoding") {
                "" => "-".to_owned(),
                coding => printable(coding),
            },
            printable(text(object, "mimeType")),
            printable(text(object, "url")),
        ]
    }));
    if rows.len() > 1 {
        table.push_str(&output::columns(&rows));
    }
    table
}

fn usize_of(number: &Value) -> usize {
    let number = number.as_u64().unwrap_or_default();
    usize::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::layout::laid_out;
    use super::*;

    #[test]
    fn a_table_shows_how_full_it_is_and_what_is_in_it() {
        let statistics = json!({"name": "site", "uptime": 60, "requests": 15, "bytesSent": 999, "cacheHits": 12, "cacheMisses": 3, "cache": {
            "enabled": true, "cacheUsage": 1.25, "numOfLoads": 3, "currentSize": 125, "maxSize": 10000,
            "objectMaxSize": 500, "nbCachedObjects": 2, "cachedObjects": [
                {"url": "/a.html", "mimeType": "text/html; charset=utf-8", "contentEncoding": "br", "size": 90, "hits": 12,
                 "lastModified": null},
                {"url": "/b.png", "mimeType": "image/png", "contentEncoding": null, "size": 35, "hits": 0,
                 "lastModified": null},
            ],
        }});
        let expected = "\
up 60 s: 15 requests, 999 bytes sent; files: 12 from memory, 3 from disk
125 of 10000 bytes in use (1.25 %), 2 objects, 3 loaded
HITS  BYTES  CODING  TYPE                      URL
12    90     br      text/html; charset=utf-8  /a.html
0     35     -       image/png                 /b.png
";
        assert_eq!(laid_out(&table(&statistics), None), expected);
        let expected = "\
NAME  UP    REQUESTS  BYTES  FROM MEMORY  FROM DISK  CACHE
site  60 s  15        999    12           3          125
off   0 s   0         0      0            0          -
";
        let off = json!({"name": "off", "uptime": 0, "requests": 0, "bytesSent": 0, "cacheHits": 0, "cacheMisses": 0,
            "cache": {"enabled": false}});
        let all = json!([statistics, off]);
        assert_eq!(laid_out(&overview(&all), None), expected);
        for cache in [json!(null), json!({"enabled": false})] {
            let none = table(&json!({"name": "site", "cache": cache}));
            assert!(none.ends_with("\nno files are kept in memory\n"), "{none}");
        }
    }
}
