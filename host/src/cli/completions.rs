//! `tessera completions` and `tessera man`: what shells and `man` know of the command line, made from its definition.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::failure::Failure;
use super::output;

/// Prints what a shell needs to complete commands: put it where the shell looks for it.
#[derive(clap::Args)]
pub(super) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the man page, or writes those of all commands into a folder.
#[derive(clap::Args)]
pub(super) struct ManArguments {
    /// The folder; made if there is none.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(super) fn completions(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut command = super::Arguments::command();
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "tessera", &mut text);
    output::print(&String::from_utf8_lossy(&text))
}

pub(super) fn man(arguments: &ManArguments) -> Result<(), Failure> {
    let command = super::Arguments::command().disable_help_subcommand(true);
    let Some(folder) = &arguments.folder else {
        let mut text = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut text);
        rendered.map_err(Failure::other)?;
        return output::print(&String::from_utf8_lossy(&text));
    };
    let written = fs::create_dir_all(folder);
    let written = written.and_then(|()| clap_mangen::generate_to(command, folder));
    written.map_err(|error| {
        Failure::other(format!(
            "{}: cannot be written to: {error}",
            folder.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_page() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ManArguments {
            folder: Some(folder.path().join("man1")),
        };
        man(&arguments).unwrap();
        for name in ["tessera", "tessera-serve", "tessera-cache-clear"] {
            let page = fs::read_to_string(folder.path().join(format!("man1/{name}.1"))).unwrap();
            assert!(
                page.contains(".SH NAME") && page.contains("tessera"),
                "{page}"
            );
        }
    }
}
