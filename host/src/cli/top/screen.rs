//! The screen of `top`: drawn anew with each look, left as it was found.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Row, Sparkline, Table};

use super::figures::{Figures, Rate, Rates};
use crate::cli::output::printable;

/// Titles of the columns.
pub(super) const TITLES: [&str; 10] = [
    "SERVER",
    "STATE",
    "HITS",
    "HITS/S",
    "P50",
    "P99",
    "BYTES/S",
    "PROCESSES",
    "WAITING",
    "ERRORS",
];
/// Looks that the curve shows.
const REMEMBERED: usize = 300;

/// The terminal, given back when dropped.
pub(super) struct Screen {
    terminal: DefaultTerminal,
    /// Requests in a second, of all servers, the newest last.
    curve: VecDeque<u64>,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            terminal: ratatui::try_init()?,
            curve: VecDeque::new(),
        })
    }

    /// Remembers how many requests there were in a second.
    pub(super) fn remember(&mut self, requests: f64) {
        if self.curve.len() == REMEMBERED {
            self.curve.pop_front();
        }
        self.curve.push_back(requests.round() as u64);
    }

    pub(super) fn draw(&mut self, figures: &Figures, rates: &Rates) -> io::Result<()> {
        let summary: Vec<_> = summary(figures, rates)
            .into_iter()
            .map(Line::from)
            .collect();
        let bold = Style::default().add_modifier(Modifier::BOLD);
        let table = Table::new(rows(figures, rates).map(Row::new), widths())
            .header(Row::new(TITLES).style(bold));
        let curve = &self.curve;
        self.terminal.draw(|frame| {
            let parts = Layout::vertical([
                Constraint::Length(3),
                Constraint::Length(5),
                Constraint::Min(2),
            ]);
            let [above, middle, below] = parts.areas(frame.area());
            frame.render_widget(Paragraph::new(summary), above);
            // The newest values, as many as there is room for.
            let room = usize::from(middle.width);
            let newest = curve.iter().skip(curve.len().saturating_sub(room)).copied();
            let block = Block::default().title("hits per second");
            let values: Vec<u64> = newest.collect();
            frame.render_widget(Sparkline::default().block(block).data(&values), middle);
            frame.render_widget(table, below);
        })?;
        Ok(())
    }

    /// Waits, and says whether somebody wants to leave meanwhile.
    pub(super) fn quits_within(time: Duration) -> io::Result<bool> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if !event::poll(left)? {
                return Ok(false);
            }
            match event::read()? {
                Event::Key(key) if key.kind == KeyEventKind::Press => {
                    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
                    let quits = match key.code {
                        KeyCode::Char('q') | KeyCode::Esc => true,
                        KeyCode::Char('c') => is_control,
                        _ => false,
                    };
                    if quits {
                        return Ok(true);
                    }
                }
                // Drawn anew at once.
                Event::Resize(..) => return Ok(false),
                _ => {}
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = ratatui::try_restore();
    }
}

fn widths() -> [Constraint; TITLES.len()] {
    let [mut first, rest @ ..] = [20, 8, 11, 9, 8, 8, 9, 11, 7, 8].map(Constraint::Length);
    if let Constraint::Length(width) = first {
        first = Constraint::Min(width);
    }
    let [a, b, c, d, e, f, g, h, i] = rest;
    [first, a, b, c, d, e, f, g, h, i]
}

/// The figures of the process, in lines.
pub(super) fn summary(figures: &Figures, rates: &Rates) -> Vec<String> {
    let hits: f64 = figures.servers.values().map(|it| it.requests).sum();
    let per_second: f64 = rates.values().map(|it| it.requests).sum();
    let cache = 100.0 * figures.cache_bytes / figures.cache_max.max(1.0);
    vec![
        format!(
            "elapsed {}   hits {hits:.0}   hits/s {per_second:.1}   connections {:.0} of {:.0}   memory {}",
            elapsed(figures.uptime),
            figures.connections,
            figures.connections_max,
            bytes(figures.memory),
        ),
        format!(
            "cache {:.0} objects, {} of {} ({cache:.1} %)",
            figures.cache_entries,
            bytes(figures.cache_bytes),
            bytes(figures.cache_max),
        ),
    ]
}

/// A row for each web server, by name.
pub(super) fn rows(
    figures: &Figures,
    rates: &Rates,
) -> impl Iterator<Item = [String; TITLES.len()]> {
    figures.servers.iter().map(|(name, server)| {
        let rate = rates.get(name).copied().unwrap_or_default();
        let Rate { p50, p99, .. } = rate;
        let time = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), seconds);
        [
            printable(name),
            if server.is_up { "running" } else { "stopped" }.to_owned(),
            format!("{:.0}", server.requests),
            format!("{:.1}", rate.requests),
            time(p50),
            time(p99),
            bytes(rate.bytes),
            format!(
                "{:.0}/{:.0}/{:.0}",
                server.processes, server.highest, server.processes_max
            ),
            format!("{:.0}", server.waiting),
            format!("{:.0}", server.errors),
        ]
    })
}

/// As the documents show it: hh:mm:ss.
fn elapsed(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn seconds(time: f64) -> String {
    match time {
        time if time < 1.0 => format!("{} ms", (time * 1e5).round() / 100.0),
        time => format!("{time} s"),
    }
}

fn bytes(count: f64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let (mut count, mut units) = (count, UNITS.into_iter());
    let mut unit = units.next().unwrap_or_default();
    while count >= 1024.0 {
        let Some(next) = units.next() else { break };
        (count, unit) = (count / 1024.0, next);
    }
    match unit {
        "B" => format!("{count:.0} B"),
        unit => format!("{count:.1} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_in_units_that_people_read() {
        assert_eq!(elapsed(3_725.9), "01:02:05");
        assert_eq!(
            (seconds(0.00025), seconds(2.5)),
            ("0.25 ms".into(), "2.5 s".into())
        );
        assert_eq!(
            (bytes(1023.0), bytes(1536.0)),
            ("1023 B".into(), "1.5 KiB".into())
        );
        assert_eq!(bytes(5e12), "4656.6 GiB");
    }

    #[test]
    fn a_server_is_a_row() {
        let text = "tessera_server_up{server=\"a\u{1b}\"} 1\n\
            tessera_http_requests_total{server=\"a\u{1b}\",kind=\"cache\",code=\"200\"} 30\n";
        let figures = Figures::of(text);
        let rates = figures.rates(&Figures::default(), 10.0);
        let rows: Vec<_> = rows(&figures, &rates).collect();
        let expected = [
            "a\\u{1b}", "running", "30", "3.0", "-", "-", "0 B", "0/0/0", "0", "0",
        ];
        assert_eq!(rows, [expected.map(str::to_owned)]);
        assert!(summary(&figures, &rates)[0].contains("hits 30   hits/s 3.0"));
    }
}
