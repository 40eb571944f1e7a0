//! A static page and a component under load, each as a ratio to a bare hyper server in the same session.

use std::fs;
use std::process::Command;

use crate::server::{Server, component};

const ROUNDS: usize = 7;
const SECONDS: &str = "3";
const CONNECTIONS: &str = "64";
const STATIC_PAGE_BYTES: usize = 1024;

/// Measures and prints a table.
pub(crate) fn run() -> Result<(), String> {
    let site = tempfile::tempdir().map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| error.to_string();
    let page = "x".repeat(STATIC_PAGE_BYTES);
    fs::create_dir_all(site.path().join("WebFolder")).map_err(failed)?;
    fs::create_dir_all(site.path().join("components")).map_err(failed)?;
    fs::write(site.path().join("WebFolder/page.txt"), &page).map_err(failed)?;
    fs::write(
        site.path().join("tessera.toml"),
        "[admin]\nenabled = false\n",
    )
    .map_err(failed)?;
    fs::copy(
        component("hello")?,
        site.path().join("components/hello.wasm"),
    )
    .map_err(failed)?;

    let tessera = Server::tessera(site.path())?;
    let hello = format!("{}hello/", tessera.url);
    let text = get(&hello)?;
    let large = Server::baseline(&page)?;
    let small = Server::baseline(&text)?;
    let cases = [
        (
            "static page, 1 KiB",
            format!("{}page.txt", tessera.url),
            &large.url,
        ),
        ("component hello, text", hello, &small.url),
    ];
    println!(
        "wrk -t2 -c{CONNECTIONS} -d{SECONDS}, keep-alive; in turn with bare hyper; medians of {ROUNDS} rounds\n"
    );
    println!("| case | body | ratio to bare hyper | lowest | highest |\n|---|---|---|---|---|");
    for ((name, url, baseline), bytes) in cases.iter().zip([page.len(), text.len()]) {
        let mut ratios = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let ours = requests_per_second(url)?;
            ratios.push(ours / requests_per_second(baseline)?);
        }
        ratios.sort_by(f64::total_cmp);
        let (low, high) = (ratios[0], ratios[ROUNDS - 1]);
        println!(
            "| {name} | {bytes} bytes | {:.2} | {low:.2} | {high:.2} |",
            ratios[ROUNDS / 2]
        );
    }
    println!();
    Ok(())
}

fn requests_per_second(url: &str) -> Result<f64, String> {
    let arguments = ["-t2", "-c", CONNECTIONS, "-d", SECONDS, url];
    let output = Command::new("wrk")
        .args(arguments)
        .output()
        .map_err(|error| {
            format!("wrk cannot be run: {error}; install it, for example by `apt-get install wrk`")
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    if let Some(errors) = text
        .lines()
        .find(|line| line.contains("Non-2xx") || line.contains("Socket errors"))
    {
        return Err(format!("{url}: {}", errors.trim()));
    }
    text.lines()
        .find_map(|line| {
            line.trim()
                .strip_prefix("Requests/sec:")?
                .trim()
                .parse()
                .ok()
        })
        .ok_or_else(|| {
            format!(
                "wrk printed no rate: {text}{}",
                String::from_utf8_lossy(&output.stderr)
            )
        })
}

/// The body of a page, by the plainest of clients.
fn get(url: &str) -> Result<String, String> {
    use std::io::{Read, Write};
    let failed = |error: std::io::Error| format!("{url}: {error}");
    let (address, path) = url
        .trim_start_matches("http://")
        .split_once('/')
        .ok_or("no path")?;
    let mut stream = std::net::TcpStream::connect(address).map_err(failed)?;
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .map_err(failed)?;
    let mut response = String::new();
    stream.read_to_string(&mut response).map_err(failed)?;
    let (head, body) = response.split_once("\r\n\r\n").ok_or("no head")?;
    if head.starts_with("HTTP/1.1 200") {
        Ok(body.to_owned())
    } else {
        Err(format!("{url}: {head}"))
    }
}
