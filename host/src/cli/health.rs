//! `tessera health`: whether the site of a running host is ready, as an exit code.

use super::failure::Failure;
use super::target::Target;

/// Says whether the site is ready for requests: exit code 0, or 1 and why not. Needs no access key.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let target = &arguments.target;
    let ready = target.client_without_key()?.get("/readyz")?;
    target.print(&ready, |_| "ready\n".to_owned())
}
