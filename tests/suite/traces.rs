//! Traces: which requests are recorded, what a collector gets of them, and that it can hold up nobody.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tessera_tests::{Reply, Server, Site, wait_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A collector that keeps what it is sent.
#[derive(Clone)]
struct Collector {
    url: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Collector {
    async fn start() -> Self {
        let (listener, url) = listen().await;
        let requests = Arc::<Mutex<Vec<_>>>::default();
        let kept = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, kept.clone()));
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().unwrap().clone()
    }

    fn spans(&self) -> Vec<Value> {
        let of = |(_, document): &(String, Value)| {
            let spans = &document["resourceSpans"][0]["scopeSpans"][0]["spans"];
            spans.as_array().unwrap().clone()
        };
        self.requests().iter().flat_map(of).collect()
    }

    /// Waits until there are so many spans.
    async fn wait_for(&self, count: usize) -> Vec<Value> {
        let what = format!("{count} spans have arrived");
        let spans = async || Some(self.spans()).filter(|spans| spans.len() >= count);
        let spans = wait_until(&what, spans).await;
        assert_eq!(spans.len(), count, "{spans:#?}");
        spans
    }

    fn settings(&self, further: &str) -> String {
        format!("[traces]\nendpoint = \"{}\"\n{further}", self.url)
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn serve(mut stream: TcpStream, requests: Arc<Mutex<Vec<(String, Value)>>>) {
    let mut bytes = Vec::new();
    loop {
        let whole = |bytes: &[u8]| {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))?;
            let length: usize = length.parse().unwrap();
            let body = bytes.get(end..end + length)?;
            Some((head, serde_json::from_slice(body).unwrap(), end + length))
        };
        if let Some((head, document, length)) = whole(&bytes) {
            bytes.drain(..length);
            requests.lock().unwrap().push((head, document));
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).await.unwrap();
            continue;
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
}

/// An attribute of a span, as text.
fn attribute(span: &Value, key: &str) -> Option<String> {
    let all = span["attributes"].as_array().unwrap();
    let found = all.iter().find(|attribute| attribute["key"] == key)?;
    let value = found["value"].as_object().unwrap().values().next().unwrap();
    Some(value.as_str().unwrap().to_owned())
}

fn is(span: &Value, key: &str, value: &str) -> bool {
    attribute(span, key).as_deref() == Some(value)
}

#[track_caller]
fn only(spans: &[Value], is_it: impl Fn(&Value) -> bool) -> &Value {
    let found: Vec<_> = spans.iter().filter(|span| is_it(span)).collect();
    assert_eq!(found.len(), 1, "{spans:#?}");
    found[0]
}

async fn traced(server: &Server, path: &str, flags: &str) -> Reply {
    let request = Request::get(path)
        .header("traceparent", format!("00-{TRACE}-{CALLER}-{flags}"))
        .header("tracestate", "a=1,b=2");
    server.send(request.body(Bytes::new()).unwrap()).await
}

/// Two components, of which one asks the other.
fn neighbours() -> Site {
    let may_call = "[permissions]\ncomponents = ['back']\n";
    Site::new()
        .guest_as_with("wasihttp", "front", may_call)
        .guest_as_with("wasihttp", "back", "")
}

const ASKS: &str = "/front/fetch/http://back.tessera.internal/request/x?key=secret";

#[tokio::test]
async fn a_request_is_one_trace_through_components_that_ask_each_other() {
    let collector = Collector::start().await;
    let settings = collector.settings("service_name = \"my site\"\n");
    let server = neighbours().settings(&settings).start().await;
    let seen = traced(&server, ASKS, "00").await.text().to_owned();
    // Two requests, the call, and for each component an instance that is waited for, made, and asked.
    let spans = collector.wait_for(9).await;
    for span in &spans {
        assert_eq!(span["traceId"], TRACE, "{span}");
        assert_eq!(span["traceState"], "a=1,b=2", "{span}");
        let time = |key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
        assert!(
            time("startTimeUnixNano") <= time("endTimeUnixNano"),
            "{span}"
        );
        assert!(!span.to_string().contains("secret"), "{span}");
    }
    let front = only(&spans, |span| span["name"] == "GET /front");
    assert_eq!(
        (&front["kind"], &front["parentSpanId"]),
        (&2.into(), &CALLER.into())
    );
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/front"),
        ("http.response.status_code", "200"),
        ("server.address", "127.0.0.1"),
        ("server.port", &server.address.port().to_string()),
        ("url.scheme", "http"),
        ("client.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
        ("tessera.server", "front"),
        ("tessera.kind", "dynamic"),
    ] {
        assert!(is(front, key, value), "{key}: {front:#}");
    }
    let asking = only(&spans, |span| span["kind"] == 3);
    assert_eq!(asking["parentSpanId"], front["spanId"]);
    assert!(is(
        asking,
        "url.full",
        "http://back.tessera.internal/request/x"
    ));
    assert!(is(asking, "http.response.status_code", "200"));
    let back = only(&spans, |span| {
        span["kind"] == 2 && is(span, "tessera.server", "back")
    });
    assert_eq!(back["parentSpanId"], asking["spanId"]);
    let parent = back["spanId"].as_str().unwrap();
    assert!(
        seen.contains(&format!("traceparent: 00-{TRACE}-{parent}-01\n")),
        "{seen}"
    );
    assert!(seen.contains("tracestate: a=1,b=2\n"), "{seen}");
    for (component, server) in [("front", front), ("back", back)] {
        for name in ["wait for an instance", "instantiate", "web process"] {
            let part = only(&spans, |span| {
                span["name"] == name && is(span, "tessera.component", component)
            });
            assert_eq!(
                (&part["kind"], &part["parentSpanId"]),
                (&1.into(), &server["spanId"])
            );
        }
    }
    let (head, document) = collector.requests().remove(0);
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    let resource = document["resourceSpans"][0]["resource"]["attributes"].to_string();
    assert!(resource.contains("\"my site\""), "{resource}");
}

#[tokio::test]
async fn what_is_answered_at_once_is_recorded_too() {
    let collector = Collector::start().await;
    let server = Site::new()
        .settings(&collector.settings(""))
        .page("a.txt", "alpha")
        .guest("echo")
        .guest("trap")
        .start()
        .await;
    server.get("/a.txt").await;
    server
        .wait_until("the file is sent from memory", async || {
            server.get("/a.txt").await;
            let is_it = |span: &Value| is(span, "tessera.kind", "cache");
            collector.spans().iter().any(is_it).then_some(())
        })
        .await;
    // The second request finds an instance.
    server.get("/echo/first").await;
    let seen = server.get("/echo/second").await.json();
    let is_parent = |field: &&Value| {
        field[0]
            .as_str()
            .unwrap()
            .eq_ignore_ascii_case("traceparent")
    };
    let fields: Vec<_> = seen["headers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_parent)
        .collect();
    assert_eq!(fields.len(), 1, "{seen}");
    let parent = fields[0][1].as_str().unwrap().to_owned();
    assert_eq!(server.get("/trap/panic").await.status, 500);
    let find = async || {
        let spans = collector.spans();
        let span = spans
            .iter()
            .find(|span| is(span, "url.path", "/echo/second"))?;
        let (trace, id) = (span["traceId"].as_str()?, span["spanId"].as_str()?);
        let is_part = |part: &&Value| part["parentSpanId"] == id && part["name"] == "web process";
        spans.iter().find(is_part)?;
        Some(format!("00-{trace}-{id}-01"))
    };
    let expected = wait_until("the request has arrived with its part", find).await;
    assert_eq!(parent, expected);
    let find = async || {
        let spans = collector.spans();
        spans.into_iter().find(|span| span["name"] == "GET /trap")
    };
    let failed = wait_until("the trap has arrived", find).await;
    assert_eq!(failed["status"]["code"], 2, "{failed:#}");
    assert!(is(&failed, "error.type", "500"), "{failed:#}");
}

#[tokio::test]
async fn without_chances_nothing_is_sent_and_traces_of_others_pass_through() {
    let collector = Collector::start().await;
    let settings = collector.settings("sample = 0\n");
    let server = neighbours()
        .page("a.txt", "alpha")
        .settings(&settings)
        .start()
        .await;
    for flags in ["00", "01"] {
        let seen = traced(&server, ASKS, flags).await.text().to_owned();
        let parent = format!("traceparent: 00-{TRACE}-{CALLER}-00\n");
        assert!(seen.contains(&parent), "{seen}");
        let seen = traced(&server, "/front/request", flags)
            .await
            .text()
            .to_owned();
        let parent = format!("traceparent: 00-{TRACE}-{CALLER}-{flags}\n");
        assert!(seen.contains(&parent), "{seen}");
    }
    let seen = server.get(ASKS).await.text().to_owned();
    assert!(!seen.contains("traceparent"), "{seen}");
    server.get("/a.txt").await;
    // The end sends all that there is.
    assert_eq!(server.stop().await.0.code, Some(0));
    assert_eq!(collector.requests(), []);
}

#[tokio::test]
async fn parents_decide_only_where_they_are_trusted() {
    let collector = Collector::start().await;
    let settings = collector.settings("sample = 0\ntrust_parents = true\n");
    let server = neighbours().settings(&settings).start().await;
    traced(&server, "/front/request", "00").await;
    traced(&server, "/front/request", "01").await;
    server.get("/front/request").await;
    // One that says it wrongly says nothing.
    let wrong = Request::get("/front/request").header("traceparent", format!("00-{TRACE}-x-01"));
    server.send(wrong.body(Bytes::new()).unwrap()).await;
    assert_eq!(server.stop().await.0.code, Some(0));
    let spans = collector.spans();
    let span = only(&spans, |span| span["kind"] == 2);
    assert_eq!(span["parentSpanId"], CALLER);
}

#[tokio::test]
async fn a_collector_that_hangs_holds_up_nothing_and_its_losses_are_counted() {
    let (listener, url) = listen().await;
    let settings =
        format!("[traces]\nendpoint = \"{url}/own/path\"\ntimeout = \"100 ms\"\nqueue = 4\n");
    let server = Site::new()
        .settings(&settings)
        .page("a.txt", "alpha")
        .start()
        .await;
    let lost = async |reason: &str| {
        let metrics = server.admin.get("/metrics").await;
        let sample = format!("tessera_trace_spans_lost_total{{reason=\"{reason}\"}} ");
        let value = metrics
            .text()
            .lines()
            .find_map(|line| line.strip_prefix(&*sample));
        value.unwrap().parse::<f64>().unwrap()
    };
    server
        .wait_until("spans are lost in both ways", async || {
            for _ in 0..20 {
                assert_eq!(server.get("/a.txt").await.text(), "alpha");
            }
            (lost("queue").await > 0.0 && lost("collector").await > 0.0).then_some(())
        })
        .await;
    let said = || {
        let log = server.log();
        let lines = log.lines();
        lines.filter(|line| line.contains("takes no spans")).count()
    };
    server
        .wait_until("it is said", async || (said() > 0).then_some(()))
        .await;
    assert_eq!(said(), 1, "{}", server.log());
    // It comes back to life.
    let kept = Arc::<Mutex<Vec<_>>>::default();
    let requests = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, requests.clone()));
        }
    });
    server
        .wait_until("spans arrive", async || {
            server.get("/a.txt").await;
            let log = server.log();
            log.contains("takes spans again").then_some(())
        })
        .await;
    let (head, _) = kept.lock().unwrap()[0].clone();
    assert!(head.starts_with("POST /own/path "), "{head}");
}

#[tokio::test]
async fn fields_for_the_collector_come_from_a_file_that_nobody_else_may_read() {
    let collector = Collector::start().await;
    let settings = collector.settings("headers_file = \"collector.txt\"\n");
    let site = Site::new().settings(&settings).page("a.txt", "alpha");
    site.write("collector.txt", "api-key: a-key-of-the-tests\n");
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(site.at("collector.txt"), mode(0o644)).unwrap();
    let exit = site.try_start().await.unwrap_err();
    assert_eq!(exit.code, Some(1), "{exit:?}");
    assert!(exit.stderr.contains("headers_file"), "{exit:?}");

    let site = Site::new().settings(&settings).page("a.txt", "alpha");
    site.write("collector.txt", "api-key: a-key-of-the-tests\n");
    std::fs::set_permissions(site.at("collector.txt"), mode(0o600)).unwrap();
    let server = site.start().await;
    server.get("/a.txt").await;
    collector.wait_for(1).await;
    let (head, _) = collector.requests().remove(0);
    assert!(head.contains("api-key: a-key-of-the-tests\r\n"), "{head}");
}
