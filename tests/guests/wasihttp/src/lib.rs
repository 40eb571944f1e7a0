//! A component of `wasi:http` 0.2 that knows nothing of Tessera: echoes, streams, trails, calls out, and fails in every way.

use std::sync::atomic::{AtomicU32, Ordering};

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam, Scheme,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

wasip2::http::proxy::export!(Component);

struct Component;

/// Requests that this instance has begun.
static REQUESTS: AtomicU32 = AtomicU32::new(0);
const CHUNK: usize = 64 * 1024;

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let count = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
        let path = request.path_with_query().unwrap_or_default();
        let (path, argument) = match path[1..].split_once('/') {
            Some((name, rest)) => (format!("/{name}"), rest.to_owned()),
            None => (path, String::new()),
        };
        let number = argument.parse().unwrap_or(0);
        match path.as_str() {
            "/" => text(out, "hello from wasi:http"),
            "/count" => text(out, &count.to_string()),
            "/request" => text(out, &describe(&request)),
            "/echo" => echo(request, out),
            "/upload" => upload(request, out),
            "/download" => download(out, number),
            "/sized" => sized(out, number),
            "/trailers" => trailers(request, out),
            "/pieces" => pieces(out, number),
            "/forbidden" => forbidden(out),
            "/fetch" => fetch(out, &argument),
            "/forward" => forward(request, out, &argument),
            "/fetch-many" => fetch_many(out, &argument),
            _ => fail(&path, out),
        }
    }
}

fn head(fields: &[(&str, &str)]) -> (OutgoingResponse, OutgoingBody) {
    let headers = Fields::new();
    for (name, value) in fields {
        headers.append(name, value.as_bytes()).unwrap();
    }
    let response = OutgoingResponse::new(headers);
    let body = response.body().unwrap();
    (response, body)
}

fn text(out: ResponseOutparam, text: &str) {
    let (response, body) = head(&[("content-type", "text/plain")]);
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    for piece in text.as_bytes().chunks(4096) {
        stream.blocking_write_and_flush(piece).unwrap();
    }
    drop(stream);
    OutgoingBody::finish(body, None).unwrap();
}

fn describe(request: &IncomingRequest) -> String {
    let scheme = match request.scheme() {
        Some(Scheme::Http) => "http",
        Some(Scheme::Https) => "https",
        _ => "none",
    };
    let mut text = format!(
        "{:?} {scheme} {} {}\n",
        request.method(),
        request.authority().unwrap_or_default(),
        request.path_with_query().unwrap_or_default()
    );
    for (name, value) in request.headers().entries() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    text
}

/// Writes without waiting for more than there is room.
fn write(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = stream.check_write()? as usize;
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    Ok(())
}

fn pieces_of(body: &InputStream) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(|| match body.blocking_read(CHUNK as u64) {
        Ok(piece) => Some(piece),
        Err(StreamError::Closed) => None,
        Err(error) => panic!("the body broke: {error:?}"),
    })
}

fn echo(request: IncomingRequest, out: ResponseOutparam) {
    let body = request.consume().unwrap();
    let input = body.stream().unwrap();
    let (response, answer) = head(&[]);
    ResponseOutparam::set(out, Ok(response));
    let output = answer.write().unwrap();
    for piece in pieces_of(&input) {
        write(&output, &piece).unwrap();
    }
    drop(output);
    OutgoingBody::finish(answer, None).unwrap();
}

fn upload(request: IncomingRequest, out: ResponseOutparam) {
    let body = request.consume().unwrap();
    let input = body.stream().unwrap();
    let length: usize = pieces_of(&input).map(|piece| piece.len()).sum();
    text(out, &length.to_string());
}

fn stream_bytes(body: OutgoingBody, length: u64) {
    let stream = body.write().unwrap();
    let chunk = vec![b'x'; CHUNK];
    let mut left = length;
    while left > 0 {
        let now = left.min(CHUNK as u64);
        if write(&stream, &chunk[..now as usize]).is_err() {
            return;
        }
        left -= now;
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

fn download(out: ResponseOutparam, length: u64) {
    let (response, body) = head(&[]);
    ResponseOutparam::set(out, Ok(response));
    stream_bytes(body, length);
}

fn sized(out: ResponseOutparam, length: u64) {
    let (response, body) = head(&[("content-length", &length.to_string())]);
    ResponseOutparam::set(out, Ok(response));
    stream_bytes(body, length);
}

fn trailers(request: IncomingRequest, out: ResponseOutparam) {
    let body = request.consume().unwrap();
    let input = body.stream().unwrap();
    let length: usize = pieces_of(&input).map(|piece| piece.len()).sum();
    drop(input);
    let received = IncomingBody::finish(body);
    received.subscribe().block();
    let received = received.get().unwrap().unwrap().unwrap();
    let (response, answer) = head(&[("trailer", "x-length, x-received")]);
    ResponseOutparam::set(out, Ok(response));
    let stream = answer.write().unwrap();
    stream.blocking_write_and_flush(b"body\n").unwrap();
    drop(stream);
    let fields = Fields::new();
    fields
        .append("x-length", length.to_string().as_bytes())
        .unwrap();
    let names: Vec<String> = received.map_or_else(Vec::new, |trailers| {
        let entries = trailers.entries().into_iter();
        entries
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(&value)))
            .collect()
    });
    fields
        .append("x-received", names.join(",").as_bytes())
        .unwrap();
    OutgoingBody::finish(answer, Some(fields)).unwrap();
}

/// Ten pieces, with pauses of so many milliseconds before each.
fn pieces(out: ResponseOutparam, milliseconds: u64) {
    let (response, body) = head(&[("content-type", "text/event-stream")]);
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    for number in 0..10 {
        subscribe_duration(milliseconds * 1_000_000).block();
        let event = format!("data: {number}\n\n");
        stream.blocking_write_and_flush(event.as_bytes()).unwrap();
    }
    drop(stream);
    OutgoingBody::finish(body, None).unwrap();
}

fn forbidden(out: ResponseOutparam) {
    let headers = Fields::new();
    let names = [
        "connection",
        "transfer-encoding",
        "keep-alive",
        "upgrade",
        "bad name",
    ];
    let errors = names.map(|name| format!("{name}: {:?}\n", headers.append(name, b"x")));
    text(out, &errors.concat());
}

/// What fails, before anything is sent or in the midst of it.
fn fail(path: &str, out: ResponseOutparam) {
    match path {
        "/silent" => return,
        "/error" => {
            let code = ErrorCode::InternalError(Some("as asked".into()));
            return ResponseOutparam::set(out, Err(code));
        }
        "/trap" => panic!("as asked"),
        "/spin" => spin(),
        _ => {}
    }
    let (response, body) = head(&[]);
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    stream.blocking_write_and_flush(b"a beginning").unwrap();
    if path.ends_with("later") {
        // So that the client has it, and the host knows that more is to come.
        subscribe_duration(50_000_000).block();
    }
    match path {
        "/trap-later" => panic!("as asked"),
        "/spin-later" => spin(),
        "/forever" => while write(&stream, &[b'x'; 1000]).is_ok() {},
        "/wait-later" => subscribe_duration(3_600_000_000_000).block(),
        "/trap-after" => {
            drop(stream);
            OutgoingBody::finish(body, None).unwrap();
            subscribe_duration(50_000_000).block();
            panic!("as asked");
        }
        "/unfinished-later" => {}
        "/leak-later" => {
            drop(stream);
            std::mem::forget(body);
        }
        _ => panic!("no such path: {path}"),
    }
}

fn spin() {
    let mut number = 0u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn request_to(url: &str) -> OutgoingRequest {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(&Method::Get).unwrap();
    request
        .set_scheme(Some(match scheme {
            "https" => &Scheme::Https,
            _ => &Scheme::Http,
        }))
        .unwrap();
    request.set_authority(Some(authority)).unwrap();
    request
        .set_path_with_query(Some(&format!("/{path}")))
        .unwrap();
    request
}

fn send(url: &str, options: Option<RequestOptions>) -> Result<IncomingResponse, ErrorCode> {
    let future = outgoing_handler::handle(request_to(url), options)?;
    future.subscribe().block();
    future.get().unwrap().unwrap()
}

/// `URL`, or `MILLISECONDS/URL` to wait at most so long for the first byte. Passes on what comes.
fn fetch(out: ResponseOutparam, argument: &str) {
    let (options, url) = match argument.split_once('/') {
        Some((milliseconds, url)) if milliseconds.parse::<u64>().is_ok() => {
            let options = RequestOptions::new();
            let limit = milliseconds.parse::<u64>().unwrap() * 1_000_000;
            options.set_first_byte_timeout(Some(limit)).unwrap();
            (Some(options), url)
        }
        _ => (None, argument),
    };
    let response = match send(url, options) {
        Ok(response) => response,
        Err(code) => return text(out, &format!("{code:?}")),
    };
    let body = response.consume().unwrap();
    let input = body.stream().unwrap();
    let (answer, outgoing) = head(&[("x-status", &response.status().to_string())]);
    ResponseOutparam::set(out, Ok(answer));
    let output = outgoing.write().unwrap();
    for piece in pieces_of(&input) {
        write(&output, &piece).unwrap();
    }
    drop(output);
    OutgoingBody::finish(outgoing, None).unwrap();
}

/// Sends the body of the request on to a URL that sends it back, and passes that on: piece by piece, as it comes.
fn forward(request: IncomingRequest, out: ResponseOutparam, url: &str) {
    let received = request.consume().unwrap();
    let input = received.stream().unwrap();
    let onward = request_to(url);
    onward.set_method(&Method::Post).unwrap();
    let sent = onward.body().unwrap();
    let upward = sent.write().unwrap();
    let future = match outgoing_handler::handle(onward, None) {
        Ok(future) => future,
        Err(code) => return text(out, &format!("{code:?}")),
    };
    future.subscribe().block();
    let response = match future.get().unwrap().unwrap() {
        Ok(response) => response,
        Err(code) => return text(out, &format!("{code:?}")),
    };
    let body = response.consume().unwrap();
    let downward = body.stream().unwrap();
    let (answer, outgoing) = head(&[]);
    ResponseOutparam::set(out, Ok(answer));
    let output = outgoing.write().unwrap();
    for piece in pieces_of(&input) {
        write(&upward, &piece).unwrap();
        let mut left = piece.len();
        while left > 0 {
            let back = downward.blocking_read(left as u64).unwrap();
            left -= back.len();
            write(&output, &back).unwrap();
        }
    }
    drop(upward);
    OutgoingBody::finish(sent, None).unwrap();
    for piece in pieces_of(&downward) {
        write(&output, &piece).unwrap();
    }
    drop(output);
    OutgoingBody::finish(outgoing, None).unwrap();
}

/// `NUMBER/URL`: so many at the same time, and what came of each.
fn fetch_many(out: ResponseOutparam, argument: &str) {
    let (number, url) = argument.split_once('/').unwrap();
    let number: u32 = number.parse().unwrap();
    let sent: Vec<_> = (0..number)
        .map(|_| outgoing_handler::handle(request_to(url), None))
        .collect();
    let mut results = String::new();
    for future in sent {
        let result = future.and_then(|future| {
            future.subscribe().block();
            future.get().unwrap().unwrap()
        });
        results += &match result {
            Ok(response) => format!("{}\n", response.status()),
            Err(code) => format!("{code:?}\n"),
        };
    }
    text(out, &results);
}
