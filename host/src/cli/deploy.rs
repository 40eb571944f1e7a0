//! `tessera deploy`: hands a module to a running host, which examines it before it serves.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::client::component_path;
use super::failure::Failure;
use super::output::printable;
use super::target::Target;

/// Hands a module to a running host, which examines it and lets it serve as a component. One that is no good changes
/// nothing.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The module.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of the component, in place of that of the file.
    #[arg(long)]
    name: Option<String>,
    /// Lets it take over even if it imports more than the version that serves.
    #[arg(long)]
    accept: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = &arguments.file;
    let of_file = || {
        file.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let name = arguments.name.clone().or_else(of_file).unwrap_or_default();
    let module = fs::read(file)
        .map_err(|error| Failure::other(format!("{}: cannot be read: {error}", file.display())))?;
    let mut path = component_path(&name);
    if arguments.accept {
        path.push_str("?accept=true");
    }
    let done = arguments.target.client()?.put_module(&path, module)?;
    arguments.target.print(&done, report)?;
    match done["error"].as_str() {
        Some(error) => Err(Failure::other(format!("{name} does not serve: {error}"))),
        None => Ok(()),
    }
}

fn report(done: &Value) -> String {
    let text = |key: &str| printable(done[key].as_str().unwrap_or_default());
    let state = match done["generation"].as_u64() {
        Some(number) if done["error"].is_null() => format!("serves as generation {number}"),
        Some(number) => format!("was taken; generation {number} goes on serving"),
        None => "was taken; it does not run".to_owned(),
    };
    format!("{} {state}: {}\n", text("name"), text("file"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_says_what_serves() {
        for (generation, error, expected) in [
            (json!(2), Value::Null, "a serves as generation 2: f\n"),
            (
                json!(1),
                json!("x"),
                "a was taken; generation 1 goes on serving: f\n",
            ),
            (
                Value::Null,
                Value::Null,
                "a was taken; it does not run: f\n",
            ),
        ] {
            let done = json!({"name": "a", "file": "f", "generation": generation, "error": error});
            assert_eq!(report(&done), expected);
        }
    }
}
