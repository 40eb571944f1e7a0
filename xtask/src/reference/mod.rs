//! `cargo xtask docs`: the reference page of the WIT contract, generated from its files.

mod page;
mod types;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use wit_parser::Resolve;

use crate::checkout::Checkout;
use crate::console;

/// Writes the page, if it is not current.
pub(crate) fn write(checkout: &Checkout) -> Result<()> {
    console::step("reference pages", || {
        let (file, text) = (file(checkout), render(checkout)?);
        if fs::read_to_string(&file).is_ok_and(|present| present == text) {
            console::note(format_args!("current: {}", checkout.shown(&file)));
            return Ok(());
        }
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        console::note(format_args!("new: {}", checkout.shown(&file)));
        Ok(())
    })
}

/// Fails if the page is not the one that the contract's files make.
pub(crate) fn check(checkout: &Checkout) -> Result<()> {
    console::step("reference pages are current", || {
        let file = file(checkout);
        let present =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        if present != render(checkout)? {
            bail!(
                "{} is not what wit/ says; run: cargo xtask docs",
                checkout.shown(&file)
            );
        }
        Ok(())
    })
}

fn file(checkout: &Checkout) -> PathBuf {
    checkout.root.join("docs/wit.md")
}

fn render(checkout: &Checkout) -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(checkout.root.join("wit"))?;
    Ok(page::render(&resolve, package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_current() {
        check(&Checkout::find().unwrap()).unwrap();
    }

    #[test]
    fn the_page_has_every_kind_of_item_with_its_links() {
        let source = "
            package a:b@1.0.0;

            /// Things.
            /// More of them.
            interface things {
                /// A thing | an item.
                record thing { /// Its size
                    /// in bytes.
                    size: u32, parts: list<option<thing-error>> }
                variant thing-error { none-left, other(string) }
                enum side { left, right }
                flags marks { hot, cold }
                type name = string;
                /// Finds it.
                find: func(name: name, sides: tuple<side, side>) -> result<thing, thing-error>;
                stop: func();
            }
            interface more { use things.{thing}; take: func(one: thing) -> result<_, string>; }
            /// Everything.
            world all { import things; export more; }";
        let mut resolve = Resolve::default();
        let package = resolve.push_str("test.wit", source).unwrap();
        let page = page::render(&resolve, package);
        for expected in [
            "# `a:b@1.0.0`",
            "| [`things`](#things) | imported | Things. |",
            "| [`more`](#more) | exported |",
            "Things.\nMore of them.",
            "find: func(name: name, sides: tuple<side, side>) -> result<thing, thing-error>",
            "Types: [`name`](#things.name), [`side`](#things.side), [`thing`](#things.thing), \
             [`thing-error`](#things.thing-error)",
            "stop: func()",
            "A thing | an item.",
            "| `size` | `u32` | Its size in bytes. |",
            "| `parts` | `list<option<`[`thing-error`](#things.thing-error)`>>` |",
            "| `other` | `string` |",
            "| `left` |",
            "| `hot` |",
            "Another name for `string`.",
            "take: func(one: thing) -> result<_, string>",
            "Types: [`thing`](#things.thing)",
            "### `all`",
        ] {
            assert!(page.contains(expected), "{expected:?} is not in\n{page}");
        }
        assert!(
            !page.contains("#more.thing"),
            "a used type is linked to where it is declared\n{page}"
        );
    }
}
