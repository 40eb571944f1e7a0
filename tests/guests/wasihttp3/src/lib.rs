//! A component of `wasi:http` 0.3 that knows nothing of Tessera: echoes, streams, trails, calls out, waits for others.

use std::sync::atomic::{AtomicU32, Ordering};

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::exports::http::handler::Guest;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};
use wasip3::wit_bindgen::rt::async_support::spawn_local;
use wasip3::{wit_future, wit_stream};

wasip3::http::service::export!(Component);

struct Component;

/// Requests that this instance has begun, and those that it holds.
static REQUESTS: AtomicU32 = AtomicU32::new(0);
static NOW: AtomicU32 = AtomicU32::new(0);
const CHUNK: usize = 64 * 1024;

impl Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        answer(request).await
    }
}

async fn answer(request: Request) -> Result<Response, ErrorCode> {
    let path = request.get_path_with_query().unwrap_or_default();
    let (path, argument) = match path[1..].split_once('/') {
        Some((name, rest)) => (format!("/{name}"), rest.to_owned()),
        None => (path, String::new()),
    };
    let number: u64 = argument.parse().unwrap_or(0);
    match path.as_str() {
        "/" => Ok(text("hello from wasi:http 0.3")),
        "/count" => Ok(text(&REQUESTS.load(Ordering::Relaxed).to_string())),
        "/request" => Ok(text(&format!(
            "{:?} {:?} {}",
            request.get_method(),
            request.get_scheme(),
            request.get_authority().unwrap_or_default()
        ))),
        "/hold" => Ok(hold(number as u32)),
        "/echo" => Ok(echo(request)),
        "/upload" => Ok(text(&upload(request).await.to_string())),
        "/download" => Ok(download(number)),
        "/trailers" => Ok(trailers(request).await),
        "/fetch" => fetch(&argument, None).await,
        "/forward" => fetch(&argument, Some(request)).await,
        "/wait" => {
            wait_for(3_600_000_000_000).await;
            Ok(text("late"))
        }
        "/error" => Err(ErrorCode::InternalError(Some("as asked".into()))),
        "/trap" => panic!("as asked"),
        "/trap-later" => Ok(trap_later(50_000_000)),
        "/trap-soon" => Ok(trap_later(0)),
        "/spin" => spin(),
        _ => panic!("no such path: {path}"),
    }
}

fn spin() -> ! {
    let mut number = 0u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

/// Begins its answer at once, and ends it when the instance has so many requests, or has waited long enough; says how many
/// it had at most.
fn hold(wanted: u32) -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (response, _) = Response::new(Fields::new(), Some(reader), trailers_reader);
    NOW.fetch_add(1, Ordering::Relaxed);
    spawn_local(async move {
        writer.write_all(b"here ".to_vec()).await;
        let mut most = 0;
        for _ in 0..200 {
            most = most.max(NOW.load(Ordering::Relaxed));
            if most >= wanted {
                // The others should see it, too.
                wait_for(200_000_000).await;
                break;
            }
            wait_for(10_000_000).await;
        }
        NOW.fetch_sub(1, Ordering::Relaxed);
        writer.write_all(format!("most {most}").into_bytes()).await;
    });
    response
}

fn text(text: &str) -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (response, _) = Response::new(Fields::new(), Some(reader), trailers_reader);
    let bytes = text.as_bytes().to_vec();
    spawn_local(async move {
        writer.write_all(bytes).await;
    });
    response
}

fn echo(request: Request) -> Response {
    let (_, result) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, result);
    Response::new(Fields::new(), Some(body), trailers).0
}

async fn upload(request: Request) -> usize {
    let (_, result) = wit_future::new(|| Ok(()));
    let (mut body, _trailers) = Request::consume_body(request, result);
    let mut length = 0;
    while let Some(piece) = next(&mut body).await {
        length += piece.len();
    }
    length
}

async fn next(
    body: &mut wasip3::wit_bindgen::rt::async_support::StreamReader<u8>,
) -> Option<Vec<u8>> {
    use wasip3::wit_bindgen::rt::async_support::StreamResult;
    loop {
        let (result, piece) = body.read(Vec::with_capacity(CHUNK)).await;
        match result {
            StreamResult::Complete(_) if piece.is_empty() => {}
            StreamResult::Complete(_) => return Some(piece),
            _ => return None,
        }
    }
}

fn download(length: u64) -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(Fields::new(), Some(reader), trailers_reader);
    spawn_local(async move {
        let mut left = length;
        while left > 0 {
            let now = left.min(CHUNK as u64);
            if !writer.write_all(vec![b'x'; now as usize]).await.is_empty() {
                return;
            }
            left -= now;
        }
        drop(writer);
        drop(trailers);
    });
    response
}

async fn trailers(request: Request) -> Response {
    let length = upload(request).await;
    let fields = Fields::new();
    fields.append("trailer", b"x-length").unwrap();
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(fields, Some(reader), trailers_reader);
    spawn_local(async move {
        writer.write_all(b"body\n".to_vec()).await;
        drop(writer);
        let fields = Fields::new();
        let length = length.to_string();
        fields.append("x-length", length.as_bytes()).unwrap();
        let _ = trailers.write(Ok(Some(fields))).await;
    });
    response
}

fn trap_later(after: u64) -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(Fields::new(), Some(reader), trailers_reader);
    spawn_local(async move {
        writer.write_all(b"a beginning".to_vec()).await;
        if after > 0 {
            wait_for(after).await;
        }
        drop(trailers);
        panic!("as asked");
    });
    response
}

/// Passes on what a URL answers, to a request with the body of another one if there is one.
async fn fetch(url: &str, from: Option<Request>) -> Result<Response, ErrorCode> {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    drop(trailers);
    let method = match &from {
        Some(_) => Method::Post,
        None => Method::Get,
    };
    let body = from.map(|from| {
        let (_, result) = wit_future::new(|| Ok(()));
        Request::consume_body(from, result).0
    });
    let (request, _) = Request::new(Fields::new(), body, trailers_reader, None);
    request.set_method(&method).unwrap();
    let scheme = match scheme {
        "https" => Scheme::Https,
        _ => Scheme::Http,
    };
    request.set_scheme(Some(&scheme)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request
        .set_path_with_query(Some(&format!("/{path}")))
        .unwrap();
    let response = match client::send(request).await {
        Ok(response) => response,
        Err(code) => return Ok(text(&format!("{code:?}"))),
    };
    let (_, result) = wit_future::new(|| Ok(()));
    let (body, trailers) = Response::consume_body(response, result);
    Ok(Response::new(Fields::new(), Some(body), trailers).0)
}
