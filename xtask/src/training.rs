//! The load under which the host counts what it does, for `cargo xtask dist`: a bit of everything that sites do often.
//! What it leaves out is compiled as if it were never used, so it should leave out little.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::checkout::{Checkout, Purpose};
use crate::process;

/// Requests of one kind.
const REQUESTS: u32 = 20_000;
/// Components are compiled when they are first started, by a host that is slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// The components of the site: name, module, whether it is a shipped one, and settings.
const COMPONENTS: &[(&str, &str, Purpose, &str)] = &[
    ("hello", "hello", Purpose::Shipped, ""),
    (
        "fresh",
        "hello",
        Purpose::Shipped,
        "[pool]\npolicy = \"fresh\"\n",
    ),
    (
        "http",
        "wasihttp",
        Purpose::Test,
        "[pool]\npolicy = \"reuse\"\n",
    ),
    (
        "httpfresh",
        "wasihttp",
        Purpose::Test,
        "[pool]\npolicy = \"fresh\"\n",
    ),
    ("service", "wasihttp3", Purpose::Test, ""),
    ("logged", "hello", Purpose::Shipped, "logRecording = 1\n"),
];

/// What is asked for: the path, and further arguments of h2load.
const LOADS: &[(&str, &[&str])] = &[
    ("/index.html", &["--h1"]),
    ("/large.txt", &["--h1", "--header=accept-encoding: gzip"]),
    ("/large.txt", &["--h1"]),
    ("/missing.html", &["--h1"]),
    ("/hello/", &["--h1"]),
    ("/hello/4DACTION/greet/world", &["--h1"]),
    ("/fresh/", &["--h1"]),
    ("/http/", &["--h1"]),
    ("/httpfresh/", &["--h1"]),
    ("/service/", &["--h1"]),
    ("/logged/", &["--h1"]),
    ("/index.html", &["-m8"]),
    ("/hello/", &["-m8"]),
    ("/http/", &["-m8"]),
];

/// Says what is missing before anything is built.
pub(crate) fn check_tools() -> Result<()> {
    if !process::succeeds(Command::new("h2load").arg("--version")) {
        bail!(
            "h2load was not found: `apt-get install nghttp2-client` brings it; `cargo xtask dist --plain` does without"
        );
    }
    Ok(())
}

/// Serves a site in `folder` with `host`, and puts it under load.
pub(crate) fn run(checkout: &Checkout, host: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    make_site(checkout, folder)?;
    let mut server = Server::start(host, folder)?;
    for address in server.addresses()? {
        for (path, arguments) in LOADS {
            load(&format!("{address}{path}"), arguments)?;
        }
    }
    server.stop()
}

fn make_site(checkout: &Checkout, folder: &Path) -> Result<()> {
    let root = folder.join("WebFolder");
    fs::create_dir_all(&root)?;
    fs::write(
        folder.join("tessera.toml"),
        "IPAddressToListen = \"127.0.0.1\"\n[admin]\nenabled = false\n",
    )?;
    fs::write(root.join("index.html"), "<p>A page.</p>\n".repeat(70))?;
    fs::write(
        root.join("large.txt"),
        "Ten lines are more than one.\n".repeat(350),
    )?;
    for (name, module, purpose, settings) in COMPONENTS {
        let own = folder.join("components").join(name);
        fs::create_dir_all(&own)?;
        let from = checkout
            .modules(*purpose)
            .join(module)
            .with_extension("wasm");
        let to = own.join(name).with_extension("wasm");
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        fs::write(own.join("settings.toml"), settings)?;
    }
    Ok(())
}

/// The host under load. It writes what it has counted when it ends by itself.
struct Server(Child);

impl Server {
    fn start(host: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(host);
        command
            .arg("serve")
            .arg(folder)
            .args(["--free-ports", "--dev-tls"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let shown = process::shown(&command);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        Ok(Self(child))
    }

    /// Where it listens: the URLs that it prints.
    fn addresses(&mut self) -> Result<Vec<String>> {
        let printed = self.0.stdout.take().context("it prints nowhere")?;
        let mut lines = BufReader::new(printed).lines().map_while(Result::ok);
        let begin: Vec<String> = lines
            .by_ref()
            .take_while(|line| !line.starts_with("ready"))
            .collect();
        // What else it prints must go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        // Those of the site come first, then those of its components.
        let words = begin.iter().flat_map(|line| line.split_whitespace());
        let all: Vec<&str> = words.filter(|word| word.starts_with("http")).collect();
        match all.as_slice() {
            [http, https, ..] if https.starts_with("https") => Ok([http, https]
                .map(|url| url.trim_end_matches('/').to_owned())
                .to_vec()),
            _ => bail!("the host that counts does not listen for http and https: {begin:?}"),
        }
    }

    /// Ends it as an operator would, and waits until it has.
    fn stop(mut self) -> Result<()> {
        let id = self.0.id().to_string();
        process::run(Command::new("kill").args(["-TERM", &id]))?;
        let status = self.0.wait()?;
        if !status.success() {
            bail!("the host that counts has ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Has no effect on one that has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One kind of request. A component that is not there yet is waited for.
fn load(url: &str, arguments: &[&str]) -> Result<()> {
    let may_fail = url.ends_with("/missing.html");
    let began = Instant::now();
    while !may_fail && !is_answered(url, arguments)? {
        if began.elapsed() > PATIENCE {
            bail!("{url} is not answered with success within {PATIENCE:?}");
        }
    }
    h2load(url, arguments, REQUESTS).map(drop)
}

fn is_answered(url: &str, arguments: &[&str]) -> Result<bool> {
    let said = h2load(url, arguments, 20)?;
    Ok(said.contains("status codes: 20 2xx"))
}

/// What h2load says of so many requests over eight connections.
fn h2load(url: &str, arguments: &[&str], requests: u32) -> Result<String> {
    let requests = requests.to_string();
    let mut command = Command::new("h2load");
    command.args(["-t1", "-c8", "-n", &requests]);
    command.args(arguments).arg(url);
    let shown = process::shown(&command);
    let output = command
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
