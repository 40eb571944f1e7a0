//! `tessera user`: the users of a site, whom web servers with BASIC credentials may look up.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};

use serde_json::json;
use tessera_host::admin::STATE_FOLDER;
use tessera_host::auth::{UserTable, UsersError};

use super::failure::{Failure, notice};
use super::output::{self, printable};
use super::site::existing;

/// Longest line that is read as a password.
const LINE_BYTES_MAX: u64 = 4096;

/// Keeps the users of a site. Passwords are asked for, or read as a line of the standard input; they are kept as Argon2
/// hashes in `.tessera/users`. A running server sees the change within a second.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Adds a user.
    Add(One),
    /// Changes the password of a user.
    Passwd(One),
    /// Takes a user away.
    Remove(One),
    /// Lists the names of all users.
    List(All),
}

#[derive(clap::Args)]
struct One {
    /// The name of the user.
    name: String,
    /// The folder of the site.
    #[arg(long, value_name = "SITE", default_value = ".")]
    site: PathBuf,
}

#[derive(clap::Args)]
struct All {
    /// The folder of the site.
    #[arg(long, value_name = "SITE", default_value = ".")]
    site: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Add(one) => {
            // What cannot be done is told before a password is asked for.
            let probe = load(&one.site)?.add(&one.name, "a password to try");
            probe.map_err(Failure::usage)?;
            let password = password(&one.name)?;
            change(one, |users| users.add(&one.name, &password))?;
            done(one, "is a user now")
        }
        Command::Passwd(one) => {
            let probe = load(&one.site)?.change(&one.name, "a password to try");
            probe.map_err(Failure::usage)?;
            let password = password(&one.name)?;
            change(one, |users| users.change(&one.name, &password))?;
            done(one, "has another password now")
        }
        Command::Remove(one) => {
            change(one, |users| users.remove(&one.name))?;
            done(one, "is no user any more")
        }
        Command::List(all) => {
            let users = load(&all.site)?;
            let names: Vec<&str> = users.names().collect();
            if all.json {
                return output::print(&format!("{}\n", json!({ "users": names })));
            }
            let lines = names.iter().map(|name| format!("{}\n", printable(name)));
            output::print(&lines.collect::<String>())
        }
    }
}

fn done(one: &One, what: &str) -> Result<(), Failure> {
    output::print(&format!("{} {what}\n", printable(&one.name)))
}

fn state_folder(site: &Path) -> Result<PathBuf, Failure> {
    Ok(existing(site)?.join(STATE_FOLDER))
}

fn load(site: &Path) -> Result<UserTable, Failure> {
    UserTable::load(&state_folder(site)?).map_err(Failure::other)
}

/// Changes the file as it is now, with nobody else doing so meanwhile.
fn change(
    one: &One,
    work: impl FnOnce(&mut UserTable) -> Result<(), UsersError>,
) -> Result<(), Failure> {
    let folder = state_folder(&one.site)?;
    UserTable::update(&folder, work).map_err(|error| match error {
        UsersError::File { .. } | UsersError::Line { .. } | UsersError::Hash(_) => {
            Failure::other(error)
        }
        _ => Failure::usage(error),
    })
}

/// Asks for the password, twice on a terminal; else it is the first line of the standard input.
fn password(name: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let _silent = Silence::begin()?;
    notice(format!("password of {}:", printable(name)));
    let first = line()?;
    notice("once more:");
    match line()? == first {
        true => Ok(first),
        false => Err(Failure::usage(
            "the passwords are not the same: nothing was changed",
        )),
    }
}

fn line() -> Result<String, Failure> {
    let mut text = String::new();
    let mut input = io::stdin().lock().take(LINE_BYTES_MAX);
    let read = input.read_line(&mut text);
    read.map_err(|error| Failure::other(format!("the password cannot be read: {error}")))?;
    if text.is_empty() {
        return Err(Failure::usage(
            "there is no password: type it, or send it as a line of the standard input",
        ));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that shows nothing of what is typed, for as long as this lives.
struct Silence;

impl Silence {
    fn begin() -> Result<Self, Failure> {
        match stty("-echo") {
            true => Ok(Self),
            false => Err(Failure::other(
                "this terminal would show the password: send it as a line of the standard input",
            )),
        }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(argument: &str) -> bool {
    let mut program = Program::new("stty");
    program.arg(argument).stdin(Stdio::inherit());
    program.stdout(Stdio::null()).stderr(Stdio::null());
    program.status().is_ok_and(|status| status.success())
}
