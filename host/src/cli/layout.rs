//! Tables that fit a terminal: rows whose cells are still apart, and the text that is made of them.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use ratatui::crossterm::terminal;

/// Between two cells of a row, until it is laid out. Texts from elsewhere have no control characters by then.
const CELL: char = '\u{1f}';
/// Between two columns.
const GAP: usize = 2;
/// What a column that is shortened keeps at least.
const WIDTH_MIN: usize = 8;

/// A row whose cells are apart.
pub(super) fn row<const N: usize>(cells: &[String; N]) -> String {
    let mut row = String::new();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            row.push(CELL);
        }
        row.push_str(cell);
    }
    row.push('\n');
    row
}

/// The width of the terminal that the standard output is, if it is one.
pub(super) fn terminal_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (width, _) = terminal::size().ok()?;
    Some(usize::from(width)).filter(|width| *width > 0)
}

/// Lays out all rows in a text: those that follow one another and have as many cells are a table. The last column is not padded. Where a table
/// would be wider than `width`, its widest columns are shortened.
pub(super) fn laid_out(text: &str, width: Option<usize>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut table: Vec<Vec<&str>> = Vec::new();
    for line in text.split_inclusive('\n') {
        let cells: Vec<&str> = line.trim_end_matches('\n').split(CELL).collect();
        if table
            .first()
            .is_some_and(|first| first.len() != cells.len())
        {
            write_table(&mut out, &table, width);
            table.clear();
        }
        match cells.len() {
            1 => out.push_str(line),
            _ => table.push(cells),
        }
    }
    write_table(&mut out, &table, width);
    out
}

fn write_table(out: &mut String, rows: &[Vec<&str>], width: Option<usize>) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut widths = vec![0; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if let Some(width) = width {
        shrink(&mut widths, width);
    }
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let gap = GAP;
            // A string takes every write.
            let _ = match cell.chars().count() > *width {
                true => {
                    let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
                    write!(line, "{kept}…{:gap$}", "")
                }
                false => write!(line, "{cell:width$}{:gap$}", ""),
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// Takes from the widest column, one by one, until all fit, or none has anything to give.
fn shrink(widths: &mut [usize], width: usize) {
    let gaps = widths.len().saturating_sub(1) * GAP;
    let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(width);
    while excess > 0 {
        let Some(widest) = widths.iter_mut().max_by_key(|width| **width) else {
            return;
        };
        if *widest <= WIDTH_MIN {
            return;
        }
        *widest -= 1;
        excess -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> String {
        let rows = [
            ["NAME", "STATE", "URL"],
            [
                "hello",
                "running",
                "http://127.0.0.1:8080/hello/ https://127.0.0.1/",
            ],
            ["größe", "stopped", "-"],
        ];
        rows.iter()
            .map(|cells| row(&cells.map(str::to_owned)))
            .collect()
    }

    #[test]
    fn a_table_has_what_it_needs_where_there_is_room() {
        let text = format!("before\n{}after\n", table());
        let expected = "\
before
NAME   STATE    URL
hello  running  http://127.0.0.1:8080/hello/ https://127.0.0.1/
größe  stopped  -
after
";
        assert_eq!(laid_out(&text, None), expected);
        assert_eq!(laid_out(&text, Some(63)), expected);
    }

    #[test]
    fn the_widest_column_is_shortened_where_there_is_none() {
        let expected = "\
NAME   STATE    URL
hello  running  http://127.0.0.1:8080/h…
größe  stopped  -
";
        assert_eq!(laid_out(&table(), Some(40)), expected);
        for width in 0..100 {
            let text = laid_out(&table(), Some(width));
            let longest = text.lines().map(|line| line.chars().count()).max();
            // Five, seven and eight characters are the least, with their gaps.
            assert!(longest <= Some(width.max(24)), "{width}: {text}");
        }
    }

    #[test]
    fn what_is_no_table_stays_as_it_is() {
        let text = "a line that is longer than the terminal  is\n\nlast";
        assert_eq!(laid_out(text, Some(10)), text);
        assert_eq!(laid_out("", Some(10)), "");
    }
}
