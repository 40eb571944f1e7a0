//! What a component costs that nobody calls: memory and start time with 1, 10 and 100 of them.

use std::fs;

use crate::server::{Server, binary, component};

/// Measures and prints a table. Each site is started twice: the first start compiles, the second must not.
pub(crate) fn run() -> Result<(), String> {
    let module = component("hello")?;
    let failed = |error: std::io::Error| error.to_string();
    println!("copies of the component hello, each a server object of its own\n");
    println!(
        "| components | first start | second start | resident KiB | of which private |\n|---|---|---|---|---|"
    );
    for count in [0, 1, 10, 100] {
        let site = tempfile::tempdir().map_err(failed)?;
        let components = site.path().join("components");
        fs::create_dir_all(&components).map_err(failed)?;
        fs::write(
            site.path().join("tessera.toml"),
            "[admin]\nenabled = false\n",
        )
        .map_err(failed)?;
        for number in 0..count {
            fs::copy(&module, components.join(format!("hello{number}.wasm"))).map_err(failed)?;
        }
        let first = ready(&Server::tessera(&binary(), site.path())?);
        let server = Server::tessera(&binary(), site.path())?;
        let (resident, private) = server.memory()?;
        println!(
            "| {count} | {first} | {} | {resident} | {private} |",
            ready(&server)
        );
    }
    println!();
    Ok(())
}

/// What the server said of its start: `23 ms (0 compiled, 3 from cache)`.
fn ready(server: &Server) -> String {
    let line = server
        .output
        .lines()
        .find_map(|line| line.split_once("ready in "));
    line.map_or_else(String::new, |(_, rest)| rest.trim().to_owned())
}
