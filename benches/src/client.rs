//! The plainest of clients: so many requests over so many connections, all of them at once, each counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take: under Valgrind a server is slow.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// Connections to one server that stay open.
pub(crate) struct Client {
    connections: Vec<BufReader<TcpStream>>,
    request: String,
    /// The last head but for its first line, and the last body.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Opens connections to ask for a URL, with a header field or none.
    pub(crate) fn open(
        url: &str,
        connections: usize,
        header: Option<&str>,
    ) -> Result<Self, String> {
        let (address, path) = url
            .trim_start_matches("http://")
            .split_once('/')
            .ok_or("no path")?;
        let header = header.map_or_else(String::new, |header| format!("{header}\r\n"));
        let open = || {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(ANSWER_MAX))?;
            Ok::<_, std::io::Error>(BufReader::new(stream))
        };
        let connections: Result<_, _> = (0..connections).map(|_| open()).collect();
        Ok(Self {
            connections: connections.map_err(|error| format!("{url}: {error}"))?,
            request: format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\n"),
            head: String::new(),
            body: Vec::new(),
        })
    }

    /// The connections, open as they are, without what this side keeps for them.
    pub(crate) fn into_streams(self) -> Vec<TcpStream> {
        let connections = self.connections.into_iter();
        connections.map(BufReader::into_inner).collect()
    }

    /// Asks once over each of the connections.
    pub(crate) fn round(&mut self) -> Result<(), String> {
        for connection in &mut self.connections {
            let sent = connection.get_mut().write_all(self.request.as_bytes());
            sent.map_err(|error| error.to_string())?;
        }
        for connection in &mut self.connections {
            read(connection, &mut self.head, &mut self.body)?;
        }
        Ok(())
    }
}

/// The body of a page.
pub(crate) fn get(url: &str, header: Option<&str>) -> Result<Vec<u8>, String> {
    get_whole(url, header).map(|(_, body)| body)
}

/// The fields of its head, a line each, and its body.
pub(crate) fn get_whole(url: &str, header: Option<&str>) -> Result<(String, Vec<u8>), String> {
    let mut client = Client::open(url, 1, header)?;
    client.round().map_err(|error| format!("{url}: {error}"))?;
    Ok((client.head, client.body))
}

/// The request field with which a client asks whether what it has is still right.
pub(crate) fn validator(fields: &str) -> Result<String, String> {
    let value = |wanted: &str| {
        fields.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    match (value("etag"), value("last-modified")) {
        (Some(tag), _) => Ok(format!("If-None-Match: {tag}")),
        (None, Some(date)) => Ok(format!("If-Modified-Since: {date}")),
        (None, None) => Err("sends neither ETag nor Last-Modified".to_owned()),
    }
}

fn read(
    connection: &mut BufReader<TcpStream>,
    head: &mut String,
    body: &mut Vec<u8>,
) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut length = None;
    let mut line = String::new();
    connection.read_line(&mut line).map_err(failed)?;
    let is_not_modified = line.starts_with("HTTP/1.1 304");
    if !is_not_modified && !line.starts_with("HTTP/1.1 200") {
        return Err(format!("answered {line:?}"));
    }
    head.clear();
    let mut is_chunked = false;
    loop {
        line.clear();
        connection.read_line(&mut line).map_err(failed)?;
        let field = line.trim();
        if !field.is_empty() {
            head.push_str(field);
            head.push('\n');
        }
        match field.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse::<usize>().ok();
            }
            Some((name, _)) => is_chunked |= name.eq_ignore_ascii_case("transfer-encoding"),
            None => break,
        }
    }
    body.clear();
    if is_not_modified {
        return Ok(());
    }
    if is_chunked {
        return read_chunks(connection, body);
    }
    let length = length.ok_or("no Content-Length")?;
    body.resize(length, 0);
    connection.read_exact(body).map_err(failed)
}

fn read_chunks(connection: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Result<(), String> {
    loop {
        let mut line = String::new();
        connection
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(|error| error.to_string())?;
        let mut chunk = connection.take(length + 2);
        let read = chunk.read_to_end(body).map_err(|error| error.to_string())?;
        body.truncate(body.len().saturating_sub(2));
        if read as u64 != length + 2 {
            return Err("a chunk ended early".to_owned());
        }
        if length == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_better_than_a_date() {
        let both = "Last-Modified: today\nETag: \"1\"";
        assert_eq!(validator(both).unwrap(), "If-None-Match: \"1\"");
        assert_eq!(
            validator("last-modified: today").unwrap(),
            "If-Modified-Since: today"
        );
        assert!(validator("server: x").is_err());
    }
}
