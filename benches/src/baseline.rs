//! A bare hyper server that answers every request with the same bytes from memory: the most that is to be had.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Response, server::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Serves `body`, prints its URL, and goes on until killed. With a folder that has a certificate it speaks HTTPS.
pub(crate) fn serve(body: String, certificate: Option<&Path>) -> Result<(), String> {
    let acceptor = certificate.map(acceptor).transpose()?;
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
            let (body, acceptor) = (body.clone(), acceptor.clone());
            tokio::spawn(async move {
                match acceptor {
                    None => answer(stream, body).await,
                    Some(acceptor) => {
                        // A handshake that fails is the load generator's.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            answer(stream, body).await;
                        }
                    }
                }
            });
        }
    })
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, body: Bytes) {
    let service = service_fn(|_| {
        let response = Response::new(Full::new(body.clone()));
        async move { Ok::<_, Infallible>(response) }
    });
    // A connection that breaks is the load generator's.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn acceptor(folder: &Path) -> Result<TlsAcceptor, String> {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem"));
    let certificate = certificate.map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem"));
    let key = key.map_err(|error| error.to_string())?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(|error| error.to_string())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
