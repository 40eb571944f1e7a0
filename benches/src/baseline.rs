//! A bare hyper server that answers every request with the same bytes from memory, head and body: the most that is to be had
//! of the library.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{HeaderMap, Response, server::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Serves `body` with the fields of `head`, a line each, prints its URL, and goes on until killed. With a folder that has a
/// certificate it speaks HTTPS.
pub(crate) fn serve(body: String, head: &str, certificate: Option<&Path>) -> Result<(), String> {
    let fields = fields(head)?;
    let acceptor = certificate
        .map(|folder| acceptor(folder, &[]))
        .transpose()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async move {
        let failed = |error: std::io::Error| error.to_string();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(failed)?;
        let scheme = acceptor.as_ref().map_or("http", |_| "https");
        println!("{scheme}://{}/", listener.local_addr().map_err(failed)?);
        let body = Bytes::from(body);
        loop {
            let (stream, _) = listener.accept().await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            let (body, fields, acceptor) = (body.clone(), fields.clone(), acceptor.clone());
            tokio::spawn(async move {
                match acceptor {
                    None => answer(stream, body, fields).await,
                    Some(acceptor) => {
                        // A handshake that fails is the load generator's.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            answer(stream, body, fields).await;
                        }
                    }
                }
            });
        }
    })
}

/// Those that the library does not send by itself.
pub(crate) fn fields(head: &str) -> Result<HeaderMap, String> {
    let mut fields = HeaderMap::new();
    for line in head.lines() {
        let (name, value) = line.split_once(':').ok_or_else(|| line.to_owned())?;
        let name: HeaderName = name.trim().parse().map_err(|_| line.to_owned())?;
        let value: HeaderValue = value.trim().parse().map_err(|_| line.to_owned())?;
        if ![CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING].contains(&name) {
            fields.append(name, value);
        }
    }
    Ok(fields)
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, body: Bytes, fields: HeaderMap) {
    let service = service_fn(|_| {
        let mut response = Response::new(Full::new(body.clone()));
        response.headers_mut().clone_from(&fields);
        async move { Ok::<_, Infallible>(response) }
    });
    // A connection that breaks is the load generator's.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Speaks TLS with the certificate of a folder, and offers some protocols.
pub(crate) fn acceptor(folder: &Path, protocols: &[&[u8]]) -> Result<TlsAcceptor, String> {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem"));
    let certificate = certificate.map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem"));
    let key = key.map_err(|error| error.to_string())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}
