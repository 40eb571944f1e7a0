//! `cargo xtask run`: everything between a clean checkout and a site being served.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::checkout::{Checkout, Purpose, folders_in};
use crate::{console, guests, process, toolchain};

/// Builds guests and host, brings the site its modules, and becomes the server.
pub(crate) fn run(
    checkout: &Checkout,
    before: &[OsString],
    arguments: &[OsString],
) -> Result<ExitCode> {
    let site = match before {
        [] => checkout.root.join("examples/welcome"),
        [site] if !site.to_string_lossy().starts_with('-') => named(checkout, Path::new(site)),
        _ => bail!("run takes one site; arguments of `tessera serve` go after `--`"),
    };
    let site = fs::canonicalize(&site)
        .with_context(|| format!("there is no site at {}", site.display()))?;
    let compiler = toolchain::setup(checkout)?;
    guests::build(checkout, &compiler)?;
    console::step("host, for speed", || {
        process::run(process::cargo(checkout).args(["build", "--release", "-p", "tessera-host"]))
    })?;
    bring_modules(checkout, &site)?;
    let mut server = Command::new(checkout.target.join("release/tessera"));
    server.arg("serve").arg(&site).args(arguments);
    console::note(process::shown(&server));
    replace_with(&mut server)
}

/// A folder, or an example by its name.
fn named(checkout: &Checkout, site: &Path) -> PathBuf {
    let example = checkout.root.join("examples").join(site);
    match !site.is_dir() && example.is_dir() {
        true => example,
        false => site.to_owned(),
    }
}

/// Copies shipped modules into the site: a folder `components/NAME/` is a site's wish for the shipped component NAME.
///
/// A module that is already there belongs to whoever owns the site and stays; in the sites of this checkout, where it
/// can only be an older build, it is brought up to date.
fn bring_modules(checkout: &Checkout, site: &Path) -> Result<()> {
    let is_ours = fs::canonicalize(&checkout.root).is_ok_and(|root| site.starts_with(root));
    let shipped = checkout.modules(Purpose::Shipped);
    for folder in folders_in(&site.join("components"))? {
        let Some(name) = folder.file_name() else {
            continue;
        };
        let from = shipped.join(name).with_extension("wasm");
        let to = folder.join(name).with_extension("wasm");
        if from.is_file() && (is_ours || !to.exists()) && guests::install(&from, &to)? {
            console::note(format_args!("new: {}", checkout.shown(&to)));
        }
    }
    Ok(())
}

/// Hands this process over to the server, so that it gets the terminal's signals itself.
#[cfg(unix)]
fn replace_with(server: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let shown = process::shown(server);
    Err(server.exec()).with_context(|| format!("cannot start `{shown}`"))
}

/// Waits for the server; the console sends its signals to both.
#[cfg(not(unix))]
fn replace_with(server: &mut Command) -> Result<ExitCode> {
    let code = server
        .status()?
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkout with the shipped module `hello`, and a site with a folder for it that holds `present`.
    fn check(site: &str, present: Option<&str>, expected: &str) {
        let root = std::env::temp_dir().join(format!(
            "xtask-site-{}-{}",
            std::process::id(),
            site.replace('/', "-")
        ));
        let checkout = Checkout {
            root: root.join("checkout"),
            target: root.join("checkout/target"),
        };
        let module = root.join(site).join("components/hello/hello.wasm");
        fs::create_dir_all(module.parent().unwrap()).unwrap();
        fs::create_dir_all(root.join(site).join("components/own")).unwrap();
        fs::create_dir_all(checkout.modules(Purpose::Shipped)).unwrap();
        fs::write(
            checkout.modules(Purpose::Shipped).join("hello.wasm"),
            "shipped",
        )
        .unwrap();
        if let Some(present) = present {
            fs::write(&module, present).unwrap();
        }
        bring_modules(&checkout, &fs::canonicalize(root.join(site)).unwrap()).unwrap();
        assert_eq!(fs::read_to_string(&module).unwrap(), expected);
        assert_eq!(
            fs::read_dir(root.join(site).join("components/own"))
                .unwrap()
                .count(),
            0
        );
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn an_example_is_found_by_its_name() {
        let root = std::env::temp_dir().join(format!("xtask-named-{}", std::process::id()));
        let checkout = Checkout {
            root: root.clone(),
            target: root.join("target"),
        };
        let example = root.join("examples/clock");
        fs::create_dir_all(&example).unwrap();
        assert_eq!(named(&checkout, Path::new("clock")), example);
        assert_eq!(named(&checkout, &example), example);
        assert_eq!(named(&checkout, Path::new("nowhere")), Path::new("nowhere"));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_folder_without_its_module_gets_the_shipped_one() {
        check("mysite", None, "shipped");
    }

    #[test]
    fn a_module_of_somebody_elses_site_stays() {
        check("theirs", Some("their own"), "their own");
    }

    #[test]
    fn a_module_of_an_example_is_brought_up_to_date() {
        check("checkout/examples/welcome", Some("older build"), "shipped");
    }
}
