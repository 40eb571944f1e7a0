//! The command line: what was asked for, and how the process ends.

mod cache;
mod check;
mod client;
mod completions;
mod control;
mod deploy;
mod dev_tls;
mod doctor;
mod explain;
mod failure;
mod generations;
mod layout;
mod health;
mod log;
mod logs;
mod new;
mod output;
mod ports;
mod processes;
mod progress;
mod report;
mod serve;
mod servers;
mod sessions;
mod site;
mod target;
mod top;
mod user;

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

/// A web server whose handlers are WebAssembly components.
#[derive(Parser)]
#[command(name = "tessera", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Check(check::Arguments),
    New(new::Arguments),
    List(servers::ListArguments),
    Show(servers::ShowArguments),
    Start(control::StartArguments),
    Stop(control::StopArguments),
    Set(control::SetArguments),
    Reload(servers::ReloadArguments),
    Deploy(deploy::Arguments),
    Health(health::Arguments),
    Stats(cache::StatsArguments),
    Cache(cache::CacheArguments),
    Processes(processes::Arguments),
    Top(top::Arguments),
    Sessions(sessions::Arguments),
    Logs(logs::Arguments),
    Explain(explain::Arguments),
    Doctor(doctor::Arguments),
    Completions(completions::CompletionsArguments),
    Man(completions::ManArguments),
    User(user::Arguments),
}

/// Runs the program. `started` is when the process began.
pub(crate) fn run(started: Instant) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and version are "errors" too, with exit code 0.
        Err(refusal) => {
            let _ = refusal.print();
            return ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(failure::USAGE));
        }
    };
    let result = match arguments.command {
        Command::Serve(arguments) => serve::run(arguments, started),
        Command::Check(arguments) => check::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::List(arguments) => servers::list(&arguments),
        Command::Show(arguments) => servers::show(&arguments),
        Command::Start(arguments) => control::start(&arguments),
        Command::Stop(arguments) => control::stop(&arguments),
        Command::Set(arguments) => control::set(&arguments),
        Command::Reload(arguments) => servers::reload(&arguments),
        Command::Deploy(arguments) => deploy::run(&arguments),
        Command::Health(arguments) => health::run(&arguments),
        Command::Stats(arguments) => cache::stats(&arguments),
        Command::Cache(arguments) => cache::cache(&arguments),
        Command::Processes(arguments) => processes::run(&arguments),
        Command::Top(arguments) => top::run(&arguments),
        Command::Sessions(arguments) => sessions::run(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Completions(arguments) => completions::completions(&arguments),
        Command::Man(arguments) => completions::man(&arguments),
        Command::User(arguments) => user::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn command_lines_are_understood() {
        for line in [
            "tessera serve",
            "tessera serve mysite --set HTTPPort=8080 --set admin.enabled=false --watch --free-ports",
            "tessera check",
            "tessera check hello.wasm --json",
            "tessera new greeter",
            "tessera new greeter --lang rust",
            "tessera list --json",
            "tessera list mysite --address 127.0.0.1:7081 --key-file key",
            "tessera list --site mysite",
            "tessera show hello --site mysite --json",
            "tessera start hello",
            "tessera start hello HTTPPort=8080 pool.max=20 --site mysite --json",
            "tessera stop hello --site mysite --json",
            "tessera set hello maxRequestSize=1000000",
            "tessera set hello HTTPPort=8080 --reset defaultHomepage --reset pool.max",
            "tessera set hello --reset HTTPPort --address 127.0.0.1:7081 --json",
            "tessera serve --dev-tls --set HTTPSPort=8443",
            "tessera reload",
            "tessera reload hello --site mysite --json",
            "tessera reload hello --accept",
            "tessera deploy shop.wasm",
            "tessera deploy target/a.wasm --name shop --accept --site mysite --json",
            "tessera stats mysite --json",
            "tessera stats",
            "tessera list --wide",
            "tessera health",
            "tessera health --site mysite --json",
            "tessera health --address 127.0.0.1:9080",
            "tessera cache clear hello --site mysite",
            "tessera sessions hello --user ann --json",
            "tessera user add ann --site mysite",
            "tessera user list --json",
            "tessera sessions hello --drop 0123456789abcdef0123456789abcdef",
            "tessera processes --json",
            "tessera top --once",
            "tessera top --interval 5 --site mysite",
            "tessera processes hello --site mysite",
            "tessera logs mysite -f -n 20",
            "tessera logs --file logweb.txt",
            "tessera explain /shop/cart --json",
            "tessera doctor mysite --json",
            "tessera completions bash",
            "tessera man",
            "tessera man man1",
        ] {
            if let Err(refusal) = Arguments::try_parse_from(line.split(' ')) {
                panic!("{line}: {refusal}");
            }
        }
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for (line, kind) in [
            (
                "tessera",
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ),
            ("tessera serv", ErrorKind::InvalidSubcommand),
            ("tessera serve a b", ErrorKind::UnknownArgument),
            ("tessera serve --set HTTPPort", ErrorKind::ValueValidation),
            ("tessera new", ErrorKind::MissingRequiredArgument),
            ("tessera new Greeter", ErrorKind::ValueValidation),
            ("tessera new greeter --lang cobol", ErrorKind::InvalidValue),
            ("tessera show", ErrorKind::MissingRequiredArgument),
            ("tessera show hello mysite", ErrorKind::UnknownArgument),
            (
                "tessera list mysite --site other",
                ErrorKind::ArgumentConflict,
            ),
            ("tessera start", ErrorKind::MissingRequiredArgument),
            ("tessera start hello HTTPPort", ErrorKind::ValueValidation),
            ("tessera stop hello other", ErrorKind::UnknownArgument),
            (
                "tessera reload --accept",
                ErrorKind::MissingRequiredArgument,
            ),
            ("tessera deploy", ErrorKind::MissingRequiredArgument),
            ("tessera set hello", ErrorKind::MissingRequiredArgument),
            ("tessera set hello =1", ErrorKind::ValueValidation),
            (
                "tessera list --address example.com:80",
                ErrorKind::ValueValidation,
            ),
            (
                "tessera list --address 192.0.2.1:7080",
                ErrorKind::ValueValidation,
            ),
            ("tessera user add ann secret", ErrorKind::UnknownArgument),
            ("tessera sessions", ErrorKind::MissingRequiredArgument),
            ("tessera explain", ErrorKind::MissingRequiredArgument),
            ("tessera completions cobol", ErrorKind::InvalidValue),
            ("tessera --version", ErrorKind::DisplayVersion),
        ] {
            let refusal = Arguments::try_parse_from(line.split(' ')).err();
            assert_eq!(refusal.map(|refusal| refusal.kind()), Some(kind), "{line}");
        }
    }
    #[test]
    fn the_sample_unit_runs_commands_that_there_are() {
        let unit = include_str!("../../../deploy/tessera.service");
        let commands: Vec<_> = unit
            .lines()
            .filter(|line| line.starts_with("Exec"))
            .filter_map(|line| line.split_once('='))
            .collect();
        assert_eq!(commands.len(), 2, "{commands:?}");
        for (_, line) in commands {
            if let Err(refusal) = Arguments::try_parse_from(line.split(' ')) {
                panic!("{line}: {refusal}");
            }
        }
        // Compiled components are written to memory and run there.
        assert!(
            !unit
                .lines()
                .any(|line| line.starts_with("MemoryDenyWriteExecute"))
        );
    }
}
