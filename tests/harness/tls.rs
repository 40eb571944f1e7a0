//! HTTPS as clients speak it, and certificates for servers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::Version;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind,
    ProtocolVersion, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{Client, ClientError, connect};
use crate::site::Site;
use crate::wait::within;

/// A self-signed certificate and its key, both as PEM.
#[derive(Clone, Debug)]
pub struct CertificatePair {
    /// What goes into `cert.pem`.
    pub certificate: String,
    /// What goes into `key.pem`.
    pub key: String,
}

impl CertificatePair {
    /// Makes a pair for DNS names and addresses.
    pub fn for_names(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().expect("there are random numbers");
        let parameters = CertificateParams::new(names).expect("names are DNS names or addresses");
        let certificate = parameters.self_signed(&key);
        Self {
            certificate: certificate.expect("a certificate can be signed").pem(),
            key: key.serialize_pem(),
        }
    }

    fn der(&self) -> CertificateDer<'static> {
        certificate_of(&self.certificate)
    }
}

impl Site {
    /// With a pair in the site's own folder: the host speaks HTTPS.
    pub fn certificate(self, pair: &CertificatePair) -> Self {
        self.put_certificate("", pair);
        self
    }

    /// With a pair in the folder of a component.
    pub fn certificate_of(self, component: &str, pair: &CertificatePair) -> Self {
        self.put_certificate(&format!("components/{component}/"), pair);
        self
    }

    /// Puts a pair in place in a folder, `""` or one that ends with a slash, one file after the other.
    pub fn put_certificate(&self, folder: &str, pair: &CertificatePair) {
        self.write(&format!("{folder}key.pem"), &pair.key);
        self.write(&format!("{folder}cert.pem"), &pair.certificate);
    }
}

/// Opens TLS connections; those of one client resume each other's sessions.
#[derive(Clone, Debug)]
pub struct TlsClient {
    name: String,
    versions: Vec<&'static SupportedProtocolVersion>,
    verifier: Arc<dyn ServerCertVerifier>,
    suites: Option<Vec<CipherSuite>>,
    config: ClientConfig,
}

impl TlsClient {
    /// Asks for a DNS name, or for none if it is an address; trusts one certificate, as PEM, and no other.
    pub fn trusting(certificate: &str, name: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(certificate_of(certificate))
            .expect("it is a certificate");
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::new(aws_lc_rs::default_provider()),
        );
        Self::with(verifier.build().expect("there is a root"), name)
    }

    /// Asks for a DNS name, or for none if it is an address; takes any certificate.
    pub fn trusting_all(name: &str) -> Self {
        let schemes = aws_lc_rs::default_provider().signature_verification_algorithms;
        Self::with(Arc::new(Credulous(schemes.supported_schemes())), name)
    }

    fn with(verifier: Arc<dyn ServerCertVerifier>, name: &str) -> Self {
        let versions = rustls::ALL_VERSIONS.to_vec();
        Self {
            name: name.to_owned(),
            config: config(verifier.clone(), &versions, None),
            versions,
            verifier,
            suites: None,
        }
    }

    /// Offers only one version.
    pub fn version(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self.rebuild()
    }

    /// Offers only these suites, the preferred one first.
    pub fn suites(mut self, suites: &[CipherSuite]) -> Self {
        self.suites = Some(suites.to_vec());
        self.rebuild()
    }

    /// Shakes hands in full for every connection.
    pub fn without_resumption(mut self) -> Self {
        self.config.resumption = Resumption::disabled();
        self
    }

    fn rebuild(mut self) -> Self {
        let suites = self.suites.as_deref();
        let resumption = self.config.resumption;
        self.config = config(self.verifier.clone(), &self.versions, suites);
        self.config.resumption = resumption;
        self
    }

    /// Whether the session of a connection before lets the next one begin with data that anybody can replay.
    pub fn may_send_early_data(&self) -> bool {
        let mut config = self.config.clone();
        config.enable_early_data = true;
        let connection = ClientConnection::new(Arc::new(config), self.server_name());
        let mut connection = connection.expect("the settings of TLS go together");
        connection.early_data().is_some()
    }

    fn server_name(&self) -> ServerName<'static> {
        ServerName::try_from(self.name.clone()).expect("it asks for a DNS name")
    }

    /// Opens a connection for bytes of any kind, offering protocols by ALPN.
    pub async fn connect(
        &self,
        address: SocketAddr,
        protocols: &[&str],
    ) -> Result<TlsStream<TcpStream>, ClientError> {
        self.over(connect(address).await?, protocols).await
    }

    /// The same over a stream that is connected already.
    pub async fn over(
        &self,
        stream: TcpStream,
        protocols: &[&str],
    ) -> Result<TlsStream<TcpStream>, ClientError> {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().into())
            .collect();
        let connecting = TlsConnector::from(Arc::new(config)).connect(self.server_name(), stream);
        within("a TLS handshake", connecting)
            .await
            .map_err(|error| ClientError::new(format!("TLS: {error}")))
    }

    /// Opens a connection and speaks what the server chooses of HTTP/2 and HTTP/1.1.
    pub async fn open(&self, address: SocketAddr) -> Result<TlsConnection, ClientError> {
        self.speak(address, &["h2", "http/1.1"]).await
    }

    /// Opens a connection that speaks HTTP/1.1, for which it asks.
    pub async fn http1(&self, address: SocketAddr) -> Result<TlsConnection, ClientError> {
        self.speak(address, &["http/1.1"]).await
    }

    /// Opens a connection that speaks HTTP/2, for which it asks.
    pub async fn http2(&self, address: SocketAddr) -> Result<TlsConnection, ClientError> {
        self.speak(address, &["h2"]).await
    }

    async fn speak(
        &self,
        address: SocketAddr,
        protocols: &[&str],
    ) -> Result<TlsConnection, ClientError> {
        let stream = self.connect(address, protocols).await?;
        let session = stream.get_ref().1;
        let protocol = match session.alpn_protocol() {
            Some(b"h2") => Version::HTTP_2,
            _ => Version::HTTP_11,
        };
        let chain = session.peer_certificates().unwrap_or_default();
        let suite = session.negotiated_cipher_suite();
        let facts = TlsFacts {
            protocol: session.alpn_protocol().map(<[u8]>::to_vec),
            version: session.protocol_version().expect("it is negotiated"),
            suite: suite.expect("it is negotiated").suite(),
            resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
            certificate: chain.first().expect("servers have one").clone(),
        };
        let authority = match self.name.parse::<IpAddr>() {
            Ok(_) => address.to_string(),
            Err(_) => format!("{}:{}", self.name, address.port()),
        };
        let client = match protocol {
            Version::HTTP_2 => Client::http2_over(stream, "https", authority).await?,
            _ => Client::http1_over(stream, "https", authority).await?,
        };
        Ok(TlsConnection { client, facts })
    }
}

/// An open HTTPS connection.
#[derive(Debug)]
pub struct TlsConnection {
    /// Speaks HTTP on it.
    pub client: Client,
    /// What the handshake came to.
    pub facts: TlsFacts,
}

/// What a handshake came to.
#[derive(Clone, Debug)]
pub struct TlsFacts {
    /// What the server chose by ALPN.
    pub protocol: Option<Vec<u8>>,
    /// The version of TLS.
    pub version: ProtocolVersion,
    /// The cipher suite.
    pub suite: CipherSuite,
    /// Whether it went on with the session of a connection before.
    pub resumed: bool,
    certificate: CertificateDer<'static>,
}

impl TlsFacts {
    /// Whether the server showed the certificate of a pair. A resumed session has that of its beginning.
    pub fn is_of(&self, pair: &CertificatePair) -> bool {
        self.certificate == pair.der()
    }
}

fn certificate_of(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("it is a certificate")
}

fn config(
    verifier: Arc<dyn ServerCertVerifier>,
    versions: &[&'static SupportedProtocolVersion],
    suites: Option<&[CipherSuite]>,
) -> ClientConfig {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(suites) = suites {
        let find = |wanted: &CipherSuite| {
            let all = aws_lc_rs::ALL_CIPHER_SUITES.iter();
            let mut found = all.filter(|suite| suite.suite() == *wanted);
            *found.next().expect("the library has the suite")
        };
        provider = CryptoProvider {
            cipher_suites: suites.iter().map(find).collect(),
            ..provider
        };
    }
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .expect("there are suites of the versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth()
}

/// Takes any certificate: for tests whose subject is not the certificate.
#[derive(Debug)]
struct Credulous(Vec<SignatureScheme>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
