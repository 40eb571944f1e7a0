//! The bare hyper server that peers are measured against: files from memory and handlers in native code, one runtime for each
//! core, each with a listener of its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

use crate::baseline;
use crate::handlers;

/// What it is started with.
pub(crate) struct Settings {
    /// Ports for HTTP/1, HTTP/2 without TLS, and HTTPS.
    pub(crate) ports: [u16; 3],
    pub(crate) root: PathBuf,
    /// The fields that files are answered with, a line each.
    pub(crate) head: String,
    pub(crate) certificate: PathBuf,
}

struct Shared {
    files: HashMap<String, Bytes>,
    fields: HeaderMap,
    etag: Option<HeaderValue>,
    acceptor: TlsAcceptor,
}

#[derive(Clone, Copy)]
enum Speaks {
    Http1,
    Http2,
    Tls,
}

/// Serves until it is killed.
pub(crate) fn serve(settings: &Settings) -> Result<(), String> {
    let fields = baseline::fields(&settings.head)?;
    let mut files = HashMap::new();
    read(&settings.root, "", &mut files)?;
    let shared = Arc::new(Shared {
        files,
        etag: fields.get(ETAG).cloned(),
        fields,
        acceptor: baseline::acceptor(&settings.certificate, &[b"h2", b"http/1.1"])?,
    });
    let cores = thread::available_parallelism().map_err(|error| error.to_string())?;
    let ports = settings.ports;
    let threads: Vec<_> = (0..cores.get())
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || run(&shared, ports))
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    Ok(())
}

/// All files below a folder, by their path in a URL.
fn read(folder: &Path, url: &str, files: &mut HashMap<String, Bytes>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let url = format!("{url}/{name}");
        match path.is_dir() {
            true => read(&path, &url, files)?,
            false => {
                let content = fs::read(&path).map_err(failed)?;
                files.insert(url, content.into());
            }
        }
    }
    Ok(())
}

fn run(shared: &Arc<Shared>, ports: [u16; 3]) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let [http1, http2, tls] = ports;
        let one = accept(shared, http1, Speaks::Http1);
        let two = accept(shared, http2, Speaks::Http2);
        let three = accept(shared, tls, Speaks::Tls);
        tokio::try_join!(one, two, three)
            .map(|_| ())
            .map_err(|error| error.to_string())
    })
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(4096)
}

async fn accept(shared: &Arc<Shared>, port: u16, speaks: Speaks) -> std::io::Result<()> {
    let listener = listen(port)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            match speaks {
                Speaks::Http1 => speak1(stream, &shared).await,
                Speaks::Http2 => speak2(stream, &shared).await,
                Speaks::Tls => {
                    // A handshake that fails is the load generator's.
                    let Ok(stream) = shared.acceptor.clone().accept(stream).await else {
                        return;
                    };
                    match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => speak2(stream, &shared).await,
                        _ => speak1(stream, &shared).await,
                    }
                }
            }
        });
    }
}

// A connection that breaks is the load generator's.
async fn speak1(stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Arc<Shared>) {
    let _ = http1::Builder::new()
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| answer(shared, request)),
        )
        .await;
}

async fn speak2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: &Arc<Shared>,
) {
    let shared = Arc::clone(shared);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request).await }
    });
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if let Some(content) = shared.files.get(request.uri().path()) {
        let is_known =
            shared.etag.is_some() && request.headers().get(IF_NONE_MATCH) == shared.etag.as_ref();
        let mut response = Response::new(match is_known {
            true => Full::default(),
            false => Full::new(content.clone()),
        });
        response.headers_mut().clone_from(&shared.fields);
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        return Ok(response);
    }
    let path = request.uri().path().to_owned();
    // Only what posts has a body to wait for.
    let body = match request.method().as_str() {
        "POST" => request
            .into_body()
            .collect()
            .await
            .map(|all| all.to_bytes()),
        _ => Ok(Bytes::new()),
    };
    let answer = body.ok().and_then(|body| handlers::answer(&path, &body));
    let Some((content_type, page)) = answer else {
        let mut response = Response::new(Full::from("nothing here\n"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    let mut response = Response::new(Full::new(page));
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}
