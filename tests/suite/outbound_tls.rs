//! Requests of components to servers that speak TLS: whom they trust, and what they speak.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tessera_tests::{CertificatePair, Server, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority's certificate as PEM, and a pair for `localhost` that it has signed.
fn authority() -> (String, CertificatePair) {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(parameters, key);
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let pair = CertificatePair {
        certificate: parameters.signed_by(&key, &issuer).unwrap().pem(),
        key: key.serialize_pem(),
    };
    (certificate, pair)
}

/// Answers with the head of the request, over HTTP/1.1 only.
async fn old_server(pair: &CertificatePair) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let chain = CertificateDer::pem_slice_iter(pair.certificate.as_bytes());
    let chain: Vec<_> = chain.collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let mut config = config.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else {
                    break;
                };
                head.push(byte);
            }
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                head.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.write_all(&head).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// A site whose components may ask these ports of this machine, by any name.
fn caller(ports: &[u16], settings: &str) -> Site {
    let host = |port: &u16| format!("\"https://localhost:{port}\", \"https://127.0.0.1:{port}\"");
    let hosts: Vec<String> = ports.iter().map(host).collect();
    let permissions = format!("[permissions]\nhosts = [{}]\n", hosts.join(", "));
    Site::new()
        .settings(settings)
        .guest_with("wasihttp", &permissions)
        .guest_with("wasihttp3", &permissions)
}

async fn fetched(server: &Server, name: &str, url: &str) -> String {
    let reply = server.get(&format!("/{name}/fetch/{url}")).await;
    reply.text().to_owned()
}

#[tokio::test]
async fn servers_are_asked_by_tls_that_a_trusted_authority_has_signed() {
    let (ca, pair) = authority();
    let new = Site::new().guest("echo").certificate(&pair).start().await;
    let new_port = new.https_address_of("site").await.port();
    let old_port = old_server(&pair).await.port();
    let ports = [new_port, old_port];
    let site = caller(&ports, "[outbound]\nca_file = \"authorities.pem\"\n");
    site.write("authorities.pem", format!("an authority of our own\n{ca}"));
    let server = site.start().await;
    let stranger = caller(&ports, "").start().await;
    for name in ["wasihttp", "wasihttp3"] {
        let url = format!("https://localhost:{new_port}/echo/page");
        let seen = fetched(&server, name, &url).await;
        assert!(seen.contains("HTTP/2"), "{name}: {seen}");
        let url = format!("https://localhost:{old_port}/page");
        let seen = fetched(&server, name, &url).await;
        assert!(seen.starts_with("GET /page HTTP/1.1\r\n"), "{name}: {seen}");
        // The name in the certificate is another one; and nobody trusts that authority without being told to.
        let url = format!("https://127.0.0.1:{old_port}/page");
        let seen = fetched(&server, name, &url).await;
        assert!(seen.contains("TlsCertificateError"), "{name}: {seen}");
        for port in ports {
            let url = format!("https://localhost:{port}/page");
            let seen = fetched(&stranger, name, &url).await;
            assert!(seen.contains("TlsCertificateError"), "{name}: {seen}");
        }
    }
}

#[tokio::test]
async fn authorities_that_cannot_be_read_are_told_at_the_start() {
    let site = Site::new().settings("[outbound]\nca_file = \"none.pem\"\n");
    let exit = site.try_start().await.unwrap_err();
    let error = &exit.stderr;
    assert!(
        error.contains("[outbound] ca_file") && error.contains("none.pem"),
        "{error}"
    );
}
