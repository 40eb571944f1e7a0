//! What is measured under load: each scenario with those who can take part.

use super::content::{self, SIZES, TEXT};
use super::generate::Request;
use super::peers::{Kind, Over};

/// From so many bytes on a file is large.
const LARGE: u64 = 1024 * 1024;

/// What an answer has to be before it is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// 200, and so many bytes.
    Bytes(u64),
    /// 200, and at least so many bytes: pages that differ in little.
    AtLeast(u64),
    /// 200, and compressed, so fewer bytes than that.
    FewerThan(u64),
    /// 304.
    NotModified,
}

/// Who takes part: under which name, with which server, and the path it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) path: String,
}

/// Something that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) group: &'static str,
    pub(crate) title: String,
    pub(crate) over: Over,
    pub(crate) request: Request,
    pub(crate) expect: Expect,
    pub(crate) contenders: Vec<Contender>,
    /// Whether each contender's own ETag or Last-Modified is sent along.
    pub(crate) is_conditional: bool,
    /// Whether requests come with the cookies of sessions that were begun before.
    pub(crate) has_sessions: bool,
    /// Whether it is part of `--quick`.
    pub(crate) is_quick: bool,
    /// Whether it is measured with both on all cores as well.
    pub(crate) is_shared: bool,
}

/// All of them, in the order they are measured.
pub(crate) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (file, bytes) in SIZES {
        for (over, name, title) in [
            (Over::Http1, "", "keep-alive"),
            (Over::Http1Tls, "-tls", "TLS"),
            (Over::Http2, "-h2", "HTTP/2"),
            (Over::Http2Tls, "-h2-tls", "HTTP/2 over TLS"),
        ] {
            // Nobody sends large files that way.
            if over != Over::Http2 || bytes < LARGE {
                all.push(file_of(file, bytes, over, name, title));
            }
        }
    }
    all.extend([new_connections(), compressed(), conditional(), many()]);
    all.extend(handlers());
    all.extend(wasi());
    all.push(mixed());
    all
}

/// The peers that serve files.
fn file_servers(over: Over, path: &str) -> Vec<Contender> {
    let kinds = [
        Kind::Hyper,
        Kind::Tessera,
        Kind::Nginx,
        Kind::Caddy,
        Kind::StaticWebServer,
    ];
    // Over TLS it offers HTTP/2, and HTTP/1 to those who do not know that; without TLS it does not know HTTP/2.
    let can = |kind: &Kind| *kind != Kind::StaticWebServer || over != Over::Http2;
    let kinds = kinds.into_iter().filter(can);
    kinds
        .map(|kind| Contender {
            name: kind.peer(),
            kind,
            path: path.to_owned(),
        })
        .collect()
}

fn plain(group: &'static str, name: &str, title: &str, over: Over) -> Scenario {
    Scenario {
        name: name.to_owned(),
        group,
        title: title.to_owned(),
        over,
        request: Request::default(),
        expect: Expect::AtLeast(1),
        contenders: Vec::new(),
        is_conditional: false,
        has_sessions: false,
        is_quick: true,
        is_shared: false,
    }
}

fn size(bytes: u64) -> String {
    match bytes / 1024 {
        kib if kib < 1024 => format!("{kib} KiB"),
        kib => format!("{} MiB", kib / 1024),
    }
}

fn file_of(file: &str, bytes: u64, over: Over, suffix: &str, title: &str) -> Scenario {
    let stem = file.split('.').next().unwrap_or(file);
    let name = format!("static-{stem}{suffix}");
    let title = format!("file of {}, {title}", size(bytes));
    // HTTP/2 without TLS is nobody's daily bread, and large files are the kernel's work.
    let is_small = bytes <= 10 * 1024;
    let request = Request {
        is_large: bytes >= LARGE,
        ..Request::default()
    };
    Scenario {
        request,
        expect: Expect::Bytes(bytes),
        contenders: file_servers(over, &format!("/{file}")),
        is_quick: is_small && (over == Over::Http1 || bytes == 1024),
        is_shared: is_small && (over == Over::Http1 || bytes == 1024 && over != Over::Http2),
        ..plain("static", &name, &title, over)
    }
}

fn new_connections() -> Scenario {
    let mut scenario = plain(
        "static",
        "static-1k-new",
        "file of 1 KiB, a connection each",
        Over::Http1,
    );
    scenario.request.fields = vec!["Connection: close".to_owned()];
    scenario.expect = Expect::Bytes(1024);
    scenario.contenders = file_servers(Over::Http1, "/1k.txt");
    scenario
}

fn compressed() -> Scenario {
    let mut scenario = plain("static", "static-gzip", "text of 64 KiB, gzip", Over::Http1);
    scenario.request.fields = vec!["Accept-Encoding: gzip".to_owned()];
    scenario.expect = Expect::FewerThan(TEXT.1 as u64);
    scenario.contenders = file_servers(Over::Http1, &format!("/{}", TEXT.0));
    scenario.contenders.retain(|one| one.kind != Kind::Hyper);
    scenario
}

fn conditional() -> Scenario {
    Scenario {
        expect: Expect::NotModified,
        contenders: file_servers(Over::Http1, "/10k.txt"),
        is_conditional: true,
        ..plain(
            "static",
            "static-304",
            "file of 10 KiB, not modified",
            Over::Http1,
        )
    }
}

fn many() -> Scenario {
    let title = format!("{} files of 1 KiB, all alike", content::MANY);
    let mut scenario = plain("static", "static-many", &title, Over::Http1);
    scenario.request.script = Some(content::many_script());
    scenario.expect = Expect::Bytes(content::MANY_BYTES);
    let path = format!("/{}", content::many(0));
    scenario.contenders = file_servers(Over::Http1, &path);
    scenario.is_quick = false;
    scenario
}

/// The same handlers in native code, in JavaScript, and in components.
fn handlers() -> Vec<Scenario> {
    let all = |path: &str| {
        [
            ("hyper", Kind::Hyper, path.to_owned()),
            ("tessera", Kind::Tessera, format!("/measured{path}")),
            ("tessera-fresh", Kind::Tessera, format!("/fresh{path}")),
            ("workerd", Kind::Workerd, path.to_owned()),
        ]
        .map(|(name, kind, path)| Contender { name, kind, path })
        .into()
    };
    let handler = |name: &str, title: &str| Scenario {
        contenders: all(&format!("/{name}")),
        ..plain("handlers", name, title, Over::Http1)
    };
    let mut hello = handler("hello", "hello of 100 bytes");
    hello.expect = Expect::Bytes(100);
    let mut echo = handler("echo", "JSON of 2 KiB, read and written");
    echo.request = posting("application/json", json(2048));
    echo.expect = Expect::AtLeast(2000);
    let mut form = handler("form", "form of 10 fields");
    form.request = posting("application/x-www-form-urlencoded", fields(10));
    form.expect = Expect::AtLeast(300);
    let mut table = handler("table", "page of 100 rows");
    table.expect = Expect::AtLeast(3000);
    let mut session = handler("session", "handler that counts in a session");
    session.contenders.retain(|one| one.kind == Kind::Tessera);
    session.has_sessions = true;
    hello.is_shared = true;
    echo.is_shared = true;
    vec![hello, echo, form, table, session]
}

/// The same files in Tessera and in `wasmtime serve`.
fn wasi() -> Vec<Scenario> {
    let tessera = |name, path: &str| Contender {
        name,
        kind: Kind::Tessera,
        path: path.to_owned(),
    };
    let wasmtime = |name, flavour, guest| Contender {
        name,
        kind: Kind::Wasmtime(flavour, guest),
        path: "/".to_owned(),
    };
    let mut fresh = plain(
        "wasi",
        "wasi-fresh",
        "wasi:http 0.2, an instance for each request",
        Over::Http1,
    );
    fresh.contenders = vec![
        tessera("tessera", "/wasi2/"),
        wasmtime("wasmtime", "default", "wasihttp"),
        wasmtime("wasmtime-pooling", "pooling", "wasihttp"),
    ];
    let mut reuse = plain(
        "wasi",
        "wasi-reuse",
        "wasi:http 0.2, instances kept",
        Over::Http1,
    );
    reuse.contenders = vec![
        tessera("tessera", "/wasi2-reuse/"),
        wasmtime("wasmtime-reuse", "reuse", "wasihttp"),
    ];
    let mut concurrent = plain("wasi", "wasi-concurrent", "wasi:http 0.3", Over::Http1);
    concurrent.contenders = vec![
        tessera("tessera", "/wasi3/"),
        wasmtime("wasmtime", "default-0.3", "wasihttp3"),
    ];
    let mut all = vec![fresh, reuse, concurrent];
    for scenario in &mut all {
        scenario.is_shared = true;
    }
    all
}

/// What a site has: mostly files, some handlers, and one of those is slow.
fn mixed() -> Scenario {
    let title = "90 % files, 9 % handlers, 1 % a handler that waits 50 ms";
    let mut scenario = plain("mixed", "mixed", title, Over::Http1);
    // Of a hundred requests in a row that each connection's thread makes, always the same ones are for handlers.
    scenario.request.script = Some(
        "local number = 0\n\
         local files = { '/1k.txt', '/10k.txt', '/text.txt' }\n\
         local handlers = { '/measured/hello', '/measured/table' }\n\
         function request()\n\
           number = number + 1\n\
           local path = files[number % 3 + 1]\n\
           if number % 10 == 0 then path = handlers[number / 10 % 2 + 1] end\n\
           if number % 100 == 50 then path = '/measured/slow' end\n\
           return wrk.format('GET', path)\n\
         end\n"
            .to_owned(),
    );
    scenario.contenders = vec![Contender {
        name: "tessera",
        kind: Kind::Tessera,
        path: "/measured/hello".to_owned(),
    }];
    scenario.is_shared = true;
    scenario
}

fn posting(content_type: &str, body: String) -> Request {
    Request {
        fields: vec![format!("Content-Type: {content_type}")],
        body: Some(body),
        ..Request::default()
    }
}

/// A document of at least so many bytes, as programs send them: without spaces.
fn json(bytes: usize) -> String {
    let mut items = Vec::new();
    let mut length = 0;
    while length + 12 < bytes {
        let number = items.len();
        let item = format!(
            "{{\"id\":{number},\"name\":\"item {number}\",\"price\":{number}.5,\"tags\":[\"a\",\"b\"],\"left\":true}}"
        );
        length += item.len() + 1;
        items.push(item);
    }
    format!("{{\"items\":[{}]}}", items.join(","))
}

/// A form as a browser posts it.
fn fields(count: u32) -> String {
    let fields: Vec<_> = (0..count)
        .map(|number| format!("field{number}=value+{number}+%3Cof+many%3E"))
        .collect();
    fields.join("&")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::handlers;

    #[test]
    fn every_scenario_has_a_name_of_its_own_and_tessera_in_it() {
        let all = all();
        let names: HashSet<_> = all.iter().map(|one| &one.name).collect();
        assert_eq!(names.len(), all.len());
        for scenario in &all {
            let mut contenders = scenario.contenders.iter();
            assert!(
                contenders.any(|one| one.name == "tessera"),
                "{}",
                scenario.name
            );
        }
    }

    #[test]
    fn what_is_posted_is_answered_as_expected() {
        for scenario in handlers() {
            let native = scenario.contenders.iter().find(|one| one.name == "hyper");
            let Some(native) = native else { continue };
            let body = scenario.request.body.clone().unwrap_or_default();
            let (_, answer) = handlers::answer(&native.path, body.as_bytes()).unwrap();
            match scenario.expect {
                Expect::Bytes(bytes) => assert_eq!(answer.len() as u64, bytes),
                Expect::AtLeast(bytes) => assert!(answer.len() as u64 >= bytes, "{answer:?}"),
                ref other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_json_has_two_kib() {
        let text = json(2048);
        assert!((2000..2200).contains(&text.len()), "{}", text.len());
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
}
