//! Builds every guest workspace and puts the modules where hosts and tests look for them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::checkout::{Checkout, GuestWorkspace};
use crate::toolchain::GuestCompiler;
use crate::{console, process};

/// A component that Cargo has built.
#[derive(Debug, PartialEq, Eq)]
struct Module {
    /// Name of the package, hyphens and all.
    name: String,
    file: PathBuf,
}

/// Builds all guests in release. A module that has not changed is not touched, for a running server watches its file.
pub(crate) fn build(checkout: &Checkout, compiler: &GuestCompiler) -> Result<()> {
    console::step("guests", || {
        for workspace in checkout.guest_workspaces()? {
            let modules = console::step(
                &format!("guests in {}", checkout.shown(&workspace.folder)),
                || compile(checkout, compiler, &workspace),
            )?;
            let folder = checkout.modules(workspace.purpose);
            for module in modules {
                let to = folder.join(&module.name).with_extension("wasm");
                if install(&module.file, &to)? {
                    console::note(format_args!("new: {}", checkout.shown(&to)));
                }
            }
        }
        Ok(())
    })
}

/// Has Cargo build one workspace, and collects the modules from its messages: only they tell which file is whose.
fn compile(
    checkout: &Checkout,
    compiler: &GuestCompiler,
    workspace: &GuestWorkspace,
) -> Result<Vec<Module>> {
    let mut command = process::cargo_of_guests(checkout, &workspace.folder, "guests");
    command.args([
        "build",
        "--release",
        "--workspace",
        "--target",
        "wasm32-wasip2",
    ]);
    command.arg("--message-format=json-render-diagnostics");
    compiler.apply(&mut command);
    let shown = process::shown(&command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let messages = child
        .stdout
        .take()
        .context("Cargo's output is not captured")?;
    let mut modules = Vec::new();
    for line in BufReader::new(messages).lines() {
        modules.extend(module_in(&line?));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!(
            "`{shown}` failed in {} ({status})",
            checkout.shown(&workspace.folder)
        );
    }
    Ok(modules)
}

/// The module that one message of Cargo announces, if it announces one.
fn module_in(message: &str) -> Option<Module> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let file = message["filenames"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .find(|file| file.ends_with(".wasm"))?;
    // A program keeps its own name; a library's has underscores, so the package's is taken.
    let is_program = message["target"]["kind"]
        .as_array()?
        .iter()
        .any(|kind| kind == "bin");
    let name = match is_program {
        true => message["target"]["name"].as_str()?,
        false => package_name(message["package_id"].as_str()?)?,
    };
    Some(Module {
        name: name.to_owned(),
        file: file.into(),
    })
}

/// The name in a package id: `path+file:///x/dir#name@1.0.0`, or `path+file:///x/name#1.0.0` where the two are equal.
fn package_name(id: &str) -> Option<&str> {
    let (place, rest) = id.rsplit_once('#')?;
    match rest.split_once('@') {
        Some((name, _)) => Some(name),
        None => place.rsplit('/').next(),
    }
}

/// Copies a file if the bytes differ, by a rename, so that nobody ever sees half of it. True if it did.
pub(crate) fn install(from: &Path, to: &Path) -> Result<bool> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    let folder = to.parent().context("a module needs a folder")?;
    let name = to
        .file_name()
        .context("a module needs a name")?
        .to_string_lossy();
    // Hidden and without the extension, lest it be taken for a module; beside the module, for a rename cannot cross
    // file systems.
    let partial = folder.join(format!(".{name}.{}", std::process::id()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&partial, bytes))
        .and_then(|()| fs::rename(&partial, to))
        .with_context(|| format!("cannot write {}", to.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(package: &str, kind: &str, target: &str, files: &str, expected: Option<(&str, &str)>) {
        let message = format!(
            r#"{{"reason":"compiler-artifact","package_id":"{package}","target":{{"kind":["{kind}"],"name":"{target}"}},
                "filenames":[{files}]}}"#
        );
        let expected = expected.map(|(name, file)| Module {
            name: name.into(),
            file: file.into(),
        });
        assert_eq!(module_in(&message), expected, "{message}");
    }

    #[test]
    fn modules_are_named_as_their_packages() {
        let file = "/t/a_b.wasm";
        let quoted = r#""/t/a_b.wasm""#;
        check(
            "path+file:///x/a-b#0.1.0",
            "cdylib",
            "a_b",
            quoted,
            Some(("a-b", file)),
        );
        check(
            "path+file:///x/other#a-b@0.1.0",
            "cdylib",
            "a_b",
            quoted,
            Some(("a-b", file)),
        );
        check(
            "path+file:///x/web#0.1.0",
            "bin",
            "a-b",
            quoted,
            Some(("a-b", file)),
        );
    }

    #[test]
    fn what_is_no_module_is_passed_over() {
        check(
            "path+file:///x/sdk#0.1.0",
            "lib",
            "sdk",
            r#""/t/libsdk.rlib""#,
            None,
        );
        assert_eq!(
            module_in(r#"{"reason":"build-finished","success":true}"#),
            None
        );
        assert_eq!(module_in("not JSON"), None);
    }

    #[test]
    fn a_module_is_written_only_when_it_differs() {
        let folder = std::env::temp_dir().join(format!("xtask-install-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("site/hello.wasm"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&from, "one").unwrap();
        assert!(install(&from, &to).unwrap());
        assert!(!install(&from, &to).unwrap());
        fs::write(&from, "two").unwrap();
        assert!(install(&from, &to).unwrap());
        assert_eq!(fs::read(&to).unwrap(), b"two");
        assert_eq!(
            fs::read_dir(folder.join("site")).unwrap().count(),
            1,
            "a partial file was left"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
