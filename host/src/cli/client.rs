//! Talks to the admin endpoint of a running host.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tessera_host::admin::{Discovery, KEY_FILE, STATE_FOLDER, running_sites};
use tokio::net::TcpStream;

use super::failure::Failure;
use super::site;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A start or a reload compiles, and a large component on a busy machine takes its time; a stop waits for requests.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What of a name need not be escaped in a path.
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How the host is found, when not by its site alone.
#[derive(clap::Args)]
pub(super) struct Connection {
    /// Where admin listens, in place of where the host of the site says it does.
    #[arg(long, value_name = "IP:PORT", value_parser = loopback)]
    address: Option<SocketAddr>,
    /// The file with the access key, in place of the site's own.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// The admin endpoint of a running host.
pub(super) struct Client {
    address: SocketAddr,
    /// None where nothing is asked that takes it.
    key: Option<HeaderValue>,
    key_file: PathBuf,
    site: PathBuf,
}

/// What admin answered.
struct Answer {
    status: StatusCode,
    document: Value,
}

impl Answer {
    /// The document, if what was asked for was done.
    fn done(self) -> Result<Value, Failure> {
        if self.status.is_success() {
            return Ok(self.document);
        }
        Err(Failure::other(
            self.document["detail"].as_str().unwrap_or_default(),
        ))
    }
}

/// Where admin has a web server.
pub(super) fn server_path(name: &str) -> String {
    format!("/api/v1/servers/{}", utf8_percent_encode(name, NAME))
}

/// Where admin takes the module of a component.
pub(super) fn component_path(name: &str) -> String {
    format!("/api/v1/components/{}", utf8_percent_encode(name, NAME))
}

impl Client {
    /// Finds the host of a site.
    pub(super) fn find(folder: &Path, connection: &Connection) -> Result<Self, Failure> {
        let folder = &meant(folder)?;
        // Somebody who names both needs no site at all.
        if connection.address.is_none() || connection.key_file.is_none() {
            site::existing(folder)?;
        }
        let state_folder = folder.join(STATE_FOLDER);
        let address = match connection.address {
            Some(address) => address,
            None => discover(folder, &state_folder)?,
        };
        let own = || state_folder.join(KEY_FILE);
        let key_file = connection.key_file.clone().unwrap_or_else(own);
        Ok(Self {
            address,
            key: Some(read_key(&key_file)?),
            key_file,
            site: folder.to_owned(),
        })
    }

    /// Finds the host of a site, without its key.
    pub(super) fn without_key(folder: &Path, connection: &Connection) -> Result<Self, Failure> {
        let folder = &meant(folder)?;
        let address = match connection.address {
            Some(address) => address,
            None => discover(site::existing(folder)?, &folder.join(STATE_FOLDER))?,
        };
        Ok(Self {
            address,
            key: None,
            key_file: PathBuf::new(),
            site: folder.to_owned(),
        })
    }

    /// Reads a resource.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.request(Method::GET, path, None)?.done()
    }

    /// Reads a resource that is a text.
    pub(super) fn text(&self, path: &str) -> Result<String, Failure> {
        let (status, body) = self.send(Method::GET, path, None)?;
        if !status.is_success() {
            return Err(self.stranger());
        }
        String::from_utf8(body.into()).map_err(|_| self.stranger())
    }

    /// Has something done, with what it takes for it.
    pub(super) fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.request(Method::POST, path, body)?.done()
    }

    /// Has a resource forgotten.
    pub(super) fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.request(Method::DELETE, path, None)?.done()
    }

    /// Changes a resource: gives what it is then, or the problem document when the change itself was refused.
    pub(super) fn patch(&self, path: &str, body: &Value) -> Result<Result<Value, Value>, Failure> {
        let answer = self.request(Method::PATCH, path, Some(body))?;
        if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
            return Ok(Err(answer.document));
        }
        answer.done().map(Ok)
    }

    /// Hands over a module.
    pub(super) fn put_module(&self, path: &str, module: Vec<u8>) -> Result<Value, Failure> {
        let request = self.complete(Method::PUT, path, None)?;
        let (mut head, _) = request.into_parts();
        let kind = HeaderValue::from_static("application/wasm");
        head.headers.insert(CONTENT_TYPE, kind);
        let body = Full::new(Bytes::from(module));
        let answered = self.run(Request::from_parts(head, body))?;
        self.answer(answered)?.done()
    }

    fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let answered = self.send(method, path, body)?;
        self.answer(answered)
    }

    fn answer(&self, (status, body): (StatusCode, Bytes)) -> Result<Answer, Failure> {
        let document: Value = serde_json::from_slice(&body).map_err(|_| self.stranger())?;
        if !status.is_success() && !document["detail"].is_string() {
            return Err(self.stranger());
        }
        Ok(Answer { status, document })
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let request = self.complete(method, path, body)?;
        self.run(request)
    }

    fn run(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::other)?;
        let (status, body) = runtime.block_on(self.exchange(request))?;
        if status == StatusCode::UNAUTHORIZED {
            return Err(Failure::other(format!(
                "the host at {} refused the access key in {}: name the file with its key (--key-file)",
                self.address,
                self.key_file.display()
            )));
        }
        Ok((status, body))
    }

    fn complete(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string());
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.clone());
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        request.body(body.into()).map_err(Failure::other)
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(self.address));
        let stream = match connecting.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(self.unreachable(&error)),
            Err(_) => return Err(self.unreachable(&io::ErrorKind::TimedOut.into())),
        };
        let answering = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            // Ends with the answer, or with the runtime of this one request.
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        let broken = |error: &dyn std::error::Error| {
            Failure::other(format!("the host at {} broke off: {error}", self.address))
        };
        let response = match tokio::time::timeout(ANSWER_TIMEOUT, answering).await {
            Ok(answered) => answered.map_err(|error| broken(&error))?,
            Err(_) => {
                return Err(Failure::other(format!(
                    "the host at {} does not answer",
                    self.address
                )));
            }
        };
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        let body = body.await.map_err(|error| broken(&*error))?;
        Ok((status, body.to_bytes()))
    }

    fn unreachable(&self, error: &io::Error) -> Failure {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            return Failure::other(format!(
                "nothing listens at {}: start the host with `tessera serve {}`",
                self.address,
                self.site.display()
            ));
        }
        Failure::other(format!("{} cannot be reached: {error}", self.address))
    }

    fn stranger(&self) -> Failure {
        Failure::other(format!(
            "what listens at {} is not the admin endpoint of a Tessera host: name it with --address",
            self.address
        ))
    }
}

/// The site that is meant: the one that was named, or the current folder, or else the only one that runs.
fn meant(folder: &Path) -> Result<PathBuf, Failure> {
    if folder != Path::new(".") || folder.join(STATE_FOLDER).exists() {
        return Ok(folder.to_owned());
    }
    let mut running = running_sites();
    match running.len() {
        0 => Ok(folder.to_owned()),
        1 => Ok(running.remove(0)),
        _ => {
            let list: Vec<_> = running
                .iter()
                .map(|site| site.display().to_string())
                .collect();
            Err(Failure::usage(format!(
                "several sites run: name one of {}",
                list.join(", ")
            )))
        }
    }
}

fn discover(folder: &Path, state_folder: &Path) -> Result<SocketAddr, Failure> {
    match Discovery::find(state_folder) {
        Ok(Some(discovery)) => Ok(discovery.address),
        Ok(None) => {
            let command = match folder.to_str() {
                Some(".") | None => "tessera serve".to_owned(),
                Some(folder) => format!("tessera serve {folder}"),
            };
            Err(Failure::other(format!(
                "no host with an admin endpoint runs on {}: start one with `{command}`",
                folder.display()
            )))
        }
        Err(error) => Err(Failure::other(format!(
            "{}: cannot be read ({error}): run this as the user who runs the host, or name --address and --key-file",
            state_folder.display()
        ))),
    }
}

/// Reads the key as the header that carries it.
fn read_key(file: &Path) -> Result<HeaderValue, Failure> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::other(match error.kind() {
            io::ErrorKind::NotFound => {
                format!("there is no access key in {shown}: name the file that has it (--key-file)")
            }
            io::ErrorKind::PermissionDenied => {
                format!("{shown} may not be read: run this as the user who runs the host")
            }
            _ => format!("{shown} cannot be read: {error}"),
        })
    })?;
    let mut header = HeaderValue::from_str(&format!("Bearer {}", text.trim()))
        .ok()
        .filter(|_| !text.trim().is_empty())
        .ok_or_else(|| Failure::other(format!("{shown} holds no access key")))?;
    header.set_sensitive(true);
    Ok(header)
}

/// Admin is plain HTTP: the key must not leave the machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err(
            "admin is reached from its own machine only; use `ssh -L` to reach another".to_owned(),
        ),
        Err(_) => Err("must be a loopback address with a port, such as 127.0.0.1:7080".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(address: Option<&str>) -> Connection {
        Connection {
            address: address.map(|address| address.parse().unwrap()),
            key_file: None,
        }
    }

    #[track_caller]
    fn check(folder: &Path, connection: &Connection, expected: &str) {
        let failure = Client::find(folder, connection).err().unwrap();
        assert!(failure.message().contains(expected), "{failure:?}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let site = tempfile::tempdir().unwrap();
        let elsewhere = site.path().join("elsewhere");
        check(&elsewhere, &connection(None), "there is no folder");
        check(site.path(), &connection(None), "tessera serve");
        let address = Some("127.0.0.1:7080");
        check(site.path(), &connection(address), "there is no access key");

        let state_folder = site.path().join(STATE_FOLDER);
        fs::create_dir(&state_folder).unwrap();
        fs::write(state_folder.join(KEY_FILE), " \n").unwrap();
        check(site.path(), &connection(address), "holds no access key");
        fs::write(state_folder.join(KEY_FILE), "abc\n").unwrap();
        let client = Client::find(site.path(), &connection(address))
            .ok()
            .unwrap();
        assert_eq!(client.key.unwrap(), "Bearer abc");
    }

    #[test]
    fn names_are_escaped_in_paths() {
        for (name, expected) in [("my-shop.1", "my-shop.1"), ("a/../b?c", "a%2F..%2Fb%3Fc")] {
            assert_eq!(server_path(name), format!("/api/v1/servers/{expected}"));
        }
    }

    #[test]
    fn a_closed_port_says_how_to_start() {
        let site = tempfile::tempdir().unwrap();
        let key_file = site.path().join("key");
        fs::write(&key_file, "abc").unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Connection {
            address: closed.local_addr().ok(),
            key_file: Some(key_file),
        };
        drop(closed);
        let client = Client::find(Path::new("mysite"), &connection).ok().unwrap();
        let failure = client.get("/api/v1/servers").unwrap_err();
        assert!(
            failure.message().contains("tessera serve mysite"),
            "{failure:?}"
        );
    }
}
