//! Static pages and a component under load, each as a ratio to a bare hyper server in the same session.

use rcgen::{CertificateParams, KeyPair};

use crate::client::get_whole;
use crate::server::{Server, binary};
use crate::site::{CASES, Site};
use crate::wrk;

const ROUNDS: usize = 7;
const SECONDS: u32 = 3;

/// Measures and prints a table.
pub(crate) fn run() -> Result<(), String> {
    let site = Site::endless()?;
    let (certificate, key) = certificate().map_err(|error| error.to_string())?;
    site.certificate(&certificate, &key)?;
    let tessera = Server::tessera(&binary(), site.path())?;
    let secured = tessera.secured_url.as_ref().ok_or("no HTTPS")?;
    println!(
        "{}, keep-alive; in turn with bare hyper; medians of {ROUNDS} rounds\n",
        wrk::command(SECONDS)
    );
    println!(
        "| case | body | over | ratio to bare hyper | lowest | highest |\n|---|---|---|---|---|---|"
    );
    for (name, path) in CASES {
        let (head, body) = get_whole(&format!("{}{path}", tessera.url), None)?;
        let text = String::from_utf8_lossy(&body);
        for (over, url, folder) in [
            ("TCP", &tessera.url, None),
            ("TLS", secured, Some(site.path())),
        ] {
            let baseline = Server::baseline(&text, &head, folder)?;
            let mut ratios = Vec::with_capacity(ROUNDS);
            for _ in 0..ROUNDS {
                let ours = wrk::run(&tessera, &format!("{url}{path}"), SECONDS, None)?;
                let theirs = wrk::run(&baseline, &baseline.url, SECONDS, None)?;
                ratios.push(ours.requests_per_second / theirs.requests_per_second);
            }
            let (median, low, high) = wrk::summary(ratios);
            println!(
                "| {name} | {} bytes | {over} | {median:.2} | {low:.2} | {high:.2} |",
                body.len()
            );
        }
    }
    println!();
    Ok(())
}

/// A self-signed certificate and its key.
pub(crate) fn certificate() -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?
        .self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
