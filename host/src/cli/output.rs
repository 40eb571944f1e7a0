//! What commands print: text in columns, and JSON.

use std::io::{self, IsTerminal, Write as _};

use serde::Serialize;

use super::failure::Failure;
use super::layout;

/// Writes a text to the standard output, all at once. Its tables fit the terminal, if it is one. A reader that has gone away,
/// like `head`, has what it wanted.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_as_wide_as(text, layout::terminal_width())
}

/// The same with tables of at most this width; as wide as they need to be without one.
pub(super) fn print_as_wide_as(text: &str, width: Option<usize>) -> Result<(), Failure> {
    let text = layout::laid_out(text, width);
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::other(format!(
            "cannot write to the standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Whether what is written to the standard error may have colours: on a terminal, unless `NO_COLOR` says no.
pub(super) fn has_colours() -> bool {
    let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_refused
}

/// Writes a document, for programs.
pub(super) fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(Failure::other)?;
    print(&format!("{text}\n"))
}

/// Rows for [`fn@print`], which lays them out in columns.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    rows.iter().map(layout::row).collect()
}

/// Makes a text that came from elsewhere fit for a terminal: escape sequences would be obeyed.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// The first line of a text, fit for a terminal.
pub(super) fn first_line(text: &str) -> String {
    printable(text.lines().next().unwrap_or_default())
}

/// Counts things: `no methods`, `1 method`, `2 methods`.
pub(super) fn count(number: usize, thing: &str) -> String {
    match number {
        0 => format!("no {thing}s"),
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["a", "bb", "c"], ["dddd", "", "ee"], ["f", "g", ""]];
        let rows = rows.map(|row| row.map(str::to_owned));
        let text = layout::laid_out(&columns(&rows), None);
        assert_eq!(text, "a     bb  c\ndddd      ee\nf     g\n");
        assert_eq!(columns::<2>(&[]), "");
    }

    #[test]
    fn a_terminal_gets_no_escapes() {
        assert_eq!(printable("a\u{1b}[31mb\tc"), "a\\u{1b}[31mb\\tc");
        assert_eq!(first_line("a\nb"), "a");
        assert_eq!(first_line(""), "");
    }

    #[test]
    fn things_are_counted() {
        let counted = [0, 1, 2].map(|number| count(number, "method"));
        assert_eq!(counted, ["no methods", "1 method", "2 methods"]);
    }
}
