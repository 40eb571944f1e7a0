//! Clients that ask servers without pause, and miss nothing that goes wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bytes::Bytes;
use http::header::CONNECTION;
use http::{Request, Version};
use tokio::task::JoinSet;

use crate::client::{Client, ClientError};
use crate::tls::TlsClient;
use crate::wait::wait_for;

/// Requests after which a client opens a new connection: connecting must not fail either.
const REQUESTS_OF_A_CONNECTION: u32 = 25;

/// A server to ask.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// How it is asked there by HTTPS; none for HTTP.
    pub tls: Option<TlsClient>,
    /// What is asked for, one path after the other, and the text of each answer.
    pub pages: Vec<(String, String)>,
}

/// Clients that go on until told to end: for each target two that keep a connection, with HTTP/1.1 and with HTTP/2.
pub struct Load {
    asking: JoinSet<()>,
    clients: Vec<Arc<Asking>>,
}

struct Asking {
    target: Target,
    version: Version,
    answers: AtomicU32,
    failure: Mutex<Option<String>>,
    is_over: AtomicBool,
}

impl Target {
    /// Opens a connection that speaks a version.
    pub async fn open(&self, version: Version) -> Result<Client, ClientError> {
        match (&self.tls, version) {
            (None, Version::HTTP_2) => Client::http2(self.address).await,
            (None, _) => Client::http1(self.address).await,
            (Some(tls), Version::HTTP_2) => Ok(tls.http2(self.address).await?.client),
            (Some(tls), _) => Ok(tls.http1(self.address).await?.client),
        }
    }

    /// Asks for a path over a connection of its own, and gives the text of the answer.
    pub async fn get(&self, version: Version, path: &str) -> Result<String, ClientError> {
        let reply = self.open(version).await?.send(request(path)).await?;
        Ok(reply.text().to_owned())
    }
}

impl Load {
    /// Begins to ask.
    pub fn on(targets: &[Target]) -> Self {
        let mut load = Self {
            asking: JoinSet::new(),
            clients: Vec::new(),
        };
        for target in targets {
            for version in [Version::HTTP_11, Version::HTTP_2] {
                let client = Arc::new(Asking {
                    target: target.clone(),
                    version,
                    answers: AtomicU32::new(0),
                    failure: Mutex::default(),
                    is_over: AtomicBool::new(false),
                });
                load.clients.push(client.clone());
                load.asking.spawn(async move { client.ask().await });
            }
        }
        load
    }

    /// Waits until each client has been answered several times from now on. Panics if one is not.
    pub async fn goes_on(&self) {
        let counts = || self.clients.iter().map(|client| client.count());
        let before: Vec<_> = counts().collect();
        let all_did = wait_for(async || {
            let failed = self.clients.iter().any(|client| client.failure().is_some());
            let mut pairs = counts().zip(&before);
            (failed || pairs.all(|(now, before)| now > before + 2)).then_some(())
        });
        assert!(all_did.await.is_some(), "some client waits in vain");
        self.assert_good();
    }

    /// Ends the clients after the request each is at. Panics if any request failed; gives how many there were.
    pub async fn end(mut self) -> u32 {
        for client in &self.clients {
            client.is_over.store(true, Ordering::Relaxed);
        }
        while let Some(ended) = self.asking.join_next().await {
            ended.expect("a client does not panic");
        }
        self.assert_good();
        self.clients.iter().map(|client| client.count()).sum()
    }

    fn assert_good(&self) {
        let failures = self.clients.iter().filter_map(|client| {
            let failure = client.failure()?;
            let (address, version) = (client.target.address, client.version);
            let count = client.count();
            Some(format!(
                "{address} {version:?} after {count} answers: {failure}"
            ))
        });
        let failures: Vec<_> = failures.collect();
        assert!(failures.is_empty(), "{failures:#?}");
    }
}

impl Asking {
    fn count(&self) -> u32 {
        self.answers.load(Ordering::Relaxed)
    }

    fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap().clone()
    }

    /// Asks until told to end, or until something goes wrong.
    async fn ask(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            if let Err(failure) = self.one_connection().await {
                *self.failure.lock().unwrap() = Some(failure);
                return;
            }
        }
    }

    async fn one_connection(&self) -> Result<(), String> {
        let mut client = self
            .target
            .open(self.version)
            .await
            .map_err(|error| error.to_string())?;
        for number in 0..REQUESTS_OF_A_CONNECTION {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let pages = &self.target.pages;
            let (path, text) = &pages[number as usize % pages.len()];
            let reply = client.send(request(path)).await;
            let reply = reply.map_err(|error| format!("{path}: {error}"))?;
            if reply.status != 200 || reply.text() != text {
                return Err(format!("{path}: {reply:?}"));
            }
            self.answers.fetch_add(1, Ordering::Relaxed);
            if reply
                .headers
                .get(CONNECTION)
                .is_some_and(|it| it == "close")
            {
                break;
            }
        }
        Ok(())
    }
}

fn request(path: &str) -> Request<Bytes> {
    Request::get(path)
        .body(Bytes::new())
        .expect("a path is a URL")
}
