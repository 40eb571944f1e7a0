//! A site in a folder of its own, to start the server on.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::build::guest;
use crate::child::{Exit, Process};
use crate::drop_in::{copy_folder, drop_in};
use crate::server::Server;
use crate::wait::wait_until;

/// A site on disk; gone when dropped. Its server is named `site`.
#[derive(Debug)]
pub struct Site {
    /// Keeps the folder.
    _temporary: TempDir,
    folder: PathBuf,
    /// Where its host leaves word for commands.
    notes: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(String, OsString)>,
    ports: Ports,
}

/// Which ports the server takes.
#[derive(Debug)]
enum Ports {
    /// Those that the system picks.
    Free,
    /// Those of the settings.
    Settings,
}

/// The server ended instead of starting.
pub type StartFailed = Exit;

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// An empty folder.
    pub fn new() -> Self {
        let temporary = TempDir::with_prefix("tessera-test-").expect("there are temporary folders");
        let folder = temporary.path().join("site");
        let notes = temporary.path().join("notes");
        for folder in [&folder, &notes] {
            fs::create_dir(folder).expect("a temporary folder can be written to");
        }
        Self {
            _temporary: temporary,
            folder,
            notes,
            arguments: Vec::new(),
            variables: Vec::new(),
            ports: Ports::Free,
        }
    }

    /// A copy of a folder.
    pub fn copy_of(from: &Path) -> Self {
        let site = Self::new();
        copy_folder(from, &site.folder);
        site
    }

    /// With these settings of the host.
    pub fn settings(self, toml: &str) -> Self {
        self.file("tessera.toml", toml)
    }

    /// With a file; `path` is relative to the site.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(path, content);
        self
    }

    /// With a file below `WebFolder/`.
    pub fn page(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file(&format!("WebFolder/{path}"), content)
    }

    /// With a test guest as a bare module.
    pub fn guest(self, name: &str) -> Self {
        self.guest_as(name, name)
    }

    /// With a test guest as a bare module of another name.
    pub fn guest_as(self, guest: &str, name: &str) -> Self {
        self.put_guest(guest, name);
        self
    }

    /// With a test guest in a folder, and these settings.
    pub fn guest_with(self, name: &str, settings: &str) -> Self {
        self.guest_as_with(name, name, settings)
    }

    /// With a test guest in a folder of another name, and these settings.
    pub fn guest_as_with(self, guest: &str, name: &str, settings: &str) -> Self {
        self.write(&format!("components/{name}/settings.toml"), settings);
        self.write(&format!("components/{name}/{name}.wasm"), module_of(guest));
        self
    }

    /// With a further argument for `tessera serve`.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With a variable in the environment of `tessera serve`.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// On the same machine as another site: commands may find the hosts of both.
    pub fn beside(mut self, other: &Self) -> Self {
        self.notes.clone_from(&other.notes);
        self
    }

    /// Runs `tessera` to its end in a folder, on the machine of this site.
    pub async fn run(&self, folder: &Path, arguments: &[&str]) -> Exit {
        Process::start(folder, &self.notes, arguments).end().await
    }

    /// Takes the ports of the settings, which then are the subject; else the system picks.
    pub fn with_ports_of_settings(mut self) -> Self {
        self.ports = Ports::Settings;
        self
    }

    /// Where hosts on the machine of this site leave word for commands.
    pub fn notes(&self) -> &Path {
        &self.notes
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// A path in the folder.
    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// Puts a file in place in one step, making folders as needed.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.at(path);
        let folder = path.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).expect("the site can be written to");
        drop_in(content.as_ref(), &path);
    }

    /// Puts a test guest in place as the bare module `components/NAME.wasm`.
    pub fn put_guest(&self, guest: &str, name: &str) {
        self.write(&format!("components/{name}.wasm"), module_of(guest));
    }

    /// Reads a file of the site as text.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path))
            .unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
    }

    /// Takes a file away.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.at(path))
            .unwrap_or_else(|error| panic!("{path} cannot be removed: {error}"));
    }

    /// Starts the server and waits until it answers.
    pub async fn start(self) -> Server {
        match self.try_start().await {
            Ok(server) => server,
            Err(exit) => panic!("the server did not start: {exit:#?}"),
        }
    }

    /// Starts the server; gives how it ended if it did not get to answering.
    pub async fn try_start(self) -> Result<Server, StartFailed> {
        let process = self.process();
        Server::when_ready(self, process).await
    }

    /// Starts the server, and kills it as a crash would as soon as something is found. It need not have got to answering.
    pub async fn crash<T>(&self, what: &str, found: impl AsyncFnMut() -> Option<T>) {
        let process = self.process();
        wait_until(what, found).await;
        process.signal(Signal::KILL);
        process.end().await;
    }

    fn process(&self) -> Process {
        let mut arguments: Vec<OsString> = vec!["serve".into(), self.folder.clone().into()];
        if matches!(self.ports, Ports::Free) {
            arguments.push("--free-ports".into());
        }
        arguments.extend(self.arguments.iter().cloned());
        Process::start_with(Path::new("/"), &self.notes, arguments, &self.variables)
    }
}

/// The bytes of a test guest's module.
fn module_of(name: &str) -> Vec<u8> {
    fs::read(guest(name)).expect("a module that is there can be read")
}
