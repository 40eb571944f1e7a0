//! A connection that speaks HTTP/1.1, or HTTP/2 with prior knowledge.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::reply::Reply;
use crate::wait::within;

/// An open connection. Dropping it closes it, also in the midst of a request.
#[derive(Debug)]
pub struct Client {
    sender: Sender,
    scheme: &'static str,
    /// What requests say of their host, unless they name one.
    authority: String,
    /// Where to connect again; none for connections that were opened elsewhere.
    address: Option<SocketAddr>,
    /// The server said that it closes the connection.
    is_last: bool,
    connection: JoinHandle<()>,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A request got no response.
#[derive(Debug)]
pub struct ClientError(String);

impl ClientError {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl Client {
    /// Opens a connection that speaks HTTP/1.1.
    pub async fn http1(address: SocketAddr) -> Result<Self, ClientError> {
        let stream = connect(address).await?;
        let mut client = Self::http1_over(stream, "http", address.to_string()).await?;
        client.address = Some(address);
        Ok(client)
    }

    /// Opens a connection that speaks HTTP/2 from its first byte.
    pub async fn http2(address: SocketAddr) -> Result<Self, ClientError> {
        let stream = connect(address).await?;
        Self::http2_over(stream, "http", address.to_string()).await
    }

    /// Speaks HTTP/1.1 on a connection that is open.
    pub(crate) async fn http1_over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        scheme: &'static str,
        authority: String,
    ) -> Result<Self, ClientError> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
        let connection = tokio::spawn(async move {
            // How it ended shows in the requests.
            let _ = connection.await;
        });
        Ok(Self {
            sender: Sender::Http1(sender),
            scheme,
            authority,
            address: None,
            is_last: false,
            connection,
        })
    }

    /// Speaks HTTP/2 on a connection that is open.
    pub(crate) async fn http2_over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        scheme: &'static str,
        authority: String,
    ) -> Result<Self, ClientError> {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(said)?;
        let connection = tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self {
            sender: Sender::Http2(sender),
            scheme,
            authority,
            address: None,
            is_last: false,
            connection,
        })
    }

    /// Sends a request and reads its response to the end. A Host field is added where there is none.
    pub async fn send(&mut self, request: Request<Bytes>) -> Result<Reply, ClientError> {
        if self.is_last
            && let Some(address) = self.address
        {
            // As every client does after `Connection: close`.
            *self = Self::http1(address).await?;
        }
        let request = self.complete(request);
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await.map_err(said)?;
                within("a response", sender.send_request(request)).await
            }
            Sender::Http2(sender) => within("a response", sender.send_request(request)).await,
        };
        let reply = read(response.map_err(said)?).await?;
        self.is_last = reply
            .headers
            .get(CONNECTION)
            .is_some_and(|it| it == "close");
        Ok(reply)
    }

    /// Sends many requests at once over one HTTP/2 connection; the replies come in the order of the requests.
    pub async fn send_all(&self, requests: Vec<Request<Bytes>>) -> Vec<Result<Reply, ClientError>> {
        let Sender::Http2(sender) = &self.sender else {
            panic!("only HTTP/2 carries several requests at once");
        };
        let waiting: Vec<_> = requests
            .into_iter()
            .map(|request| {
                let (mut sender, request) = (sender.clone(), self.complete(request));
                tokio::spawn(async move {
                    let response = within("a response", sender.send_request(request)).await;
                    read(response.map_err(said)?).await
                })
            })
            .collect();
        let mut replies = Vec::with_capacity(waiting.len());
        for reply in waiting {
            replies.push(reply.await.expect("a request's task failed"));
        }
        replies
    }

    fn complete(&self, request: Request<Bytes>) -> Request<Full<Bytes>> {
        let mut request = request.map(Full::new);
        let authority = self.authority.clone();
        match &self.sender {
            Sender::Http1(_) => {
                let host =
                    HeaderValue::try_from(authority).expect("an authority is a header value");
                request.headers_mut().entry(HOST).or_insert(host);
            }
            Sender::Http2(_) => {
                // HTTP/2 has the host in the URL.
                let host = request.headers_mut().remove(HOST);
                let host = host.map_or(authority, |host| {
                    host.to_str().expect("the host is not text").to_owned()
                });
                let path = request.uri().clone();
                *request.uri_mut() = format!("{}://{host}{path}", self.scheme)
                    .parse()
                    .expect("the path is not a URL's");
            }
        }
        request
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

pub(crate) async fn connect(address: SocketAddr) -> Result<TcpStream, ClientError> {
    let stream = within("a connection", TcpStream::connect(address)).await;
    let stream = stream.map_err(|error| ClientError(format!("{address}: {error}")))?;
    // Without it many small requests would wait for acknowledgements.
    stream
        .set_nodelay(true)
        .map_err(|error| ClientError(error.to_string()))?;
    Ok(stream)
}

async fn read(response: http::Response<hyper::body::Incoming>) -> Result<Reply, ClientError> {
    let (head, body) = response.into_parts();
    let body = within("the end of a body", body.collect())
        .await
        .map_err(said)?
        .to_bytes();
    Ok(Reply {
        status: head.status,
        version: head.version,
        headers: head.headers,
        body,
    })
}

/// The error with its causes: hyper's own text seldom says why.
fn said(error: hyper::Error) -> ClientError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    ClientError(text)
}
