//! The site that is measured: pages of some sizes, the component hello, and a certificate where TLS is measured.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::server::{Server, component};

/// Something to ask for: what it is called, and its path.
pub(crate) type Case = (&'static str, &'static str);

/// What is measured.
pub(crate) const CASES: [Case; 4] = [
    ("static page, 1 KiB", "page1.txt"),
    ("static page, 10 KiB", "page10.txt"),
    ("component hello, text", "hello/"),
    ("component hello, HTML", "hello/4DACTION/processForm"),
];

/// A folder to serve; gone when dropped.
pub(crate) struct Site(TempDir);

/// Few instances: Valgrind has no room for more.
const FEW_INSTANCES: &str = "[engine]\nmax_instances = 8\n";
const ENDLESS: &str = "[keep_alive]\nmax_requests = 0\n";

impl Site {
    /// Without limit to the requests of a connection.
    pub(crate) fn endless() -> Result<Self, String> {
        Self::new(ENDLESS)
    }

    /// The same, of a build that may be older than that setting, and has no limit then.
    pub(crate) fn served_endless(
        start: impl Fn(&Path) -> Result<Server, String>,
    ) -> Result<(Self, Server), String> {
        let site = Self::new(&format!("{ENDLESS}{FEW_INSTANCES}"))?;
        if let Ok(server) = start(site.path()) {
            return Ok((site, server));
        }
        let site = Self::new(FEW_INSTANCES)?;
        let server = start(site.path())?;
        Ok((site, server))
    }

    /// With some settings beside those that every measurement needs.
    pub(crate) fn new(settings: &str) -> Result<Self, String> {
        let site = tempfile::tempdir().map_err(|error| error.to_string())?;
        let write = |path: &str, content: &str| {
            let path = site.path().join(path);
            fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))
        };
        for folder in ["WebFolder", "components"] {
            fs::create_dir_all(site.path().join(folder)).map_err(|error| error.to_string())?;
        }
        for kib in [1, 10, 100] {
            write(&format!("WebFolder/page{kib}.txt"), &"x".repeat(kib * 1024))?;
            write(&format!("WebFolder/page{kib}.html"), &page(kib * 1024))?;
        }
        write(
            "tessera.toml",
            &format!("[admin]\nenabled = false\n{settings}"),
        )?;
        let to = site.path().join("components/hello.wasm");
        fs::copy(component("hello")?, to).map_err(|error| error.to_string())?;
        Ok(Self(site))
    }

    /// Puts a certificate in, with which a server speaks HTTPS as well.
    pub(crate) fn certificate(&self, certificate: &str, key: &str) -> Result<(), String> {
        for (name, content) in [("key.pem", key), ("cert.pem", certificate)] {
            fs::write(self.path().join(name), content).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A page of so many bytes that is as hard to compress as others are: a list of things, no two of which are the same.
pub(crate) fn page(bytes: usize) -> String {
    const WORDS: [&str; 16] = [
        "edge",
        "server",
        "component",
        "request",
        "a",
        "the",
        "of",
        "memory",
        "bound",
        "answer",
        "which",
        "and",
        "header",
        "deadline",
        "sandbox",
        "is",
    ];
    let mut page = String::from("<!doctype html>\n<html lang=\"en\"><title>A list</title>\n<ul>\n");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut number = 0;
    while page.len() < bytes {
        number += 1;
        page += &format!(
            "<li id=\"i{number}\"><a href=\"/thing/{:08x}\">",
            seed >> 32
        );
        for word in 0..12 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let end = if word == 5 { "</a> " } else { " " };
            page += WORDS[(seed % 16) as usize];
            page += end;
        }
        page += "</li>\n";
    }
    page.truncate(bytes);
    page
}
