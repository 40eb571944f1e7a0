//! Lines that are yet to be written, as what they will say. A request only notes that; the writer puts many of them in
//! their form at a time. What requests that follow one another have in common, because one client sent them, is noted
//! once.

use std::net::IpAddr;
use std::time::Duration;

use ::http::Version;

use super::entry::{Entry, Fields, Line};

/// In place of its length, of a value that is not there.
const NOTHING: u16 = u16::MAX;

/// What a client says of itself with each request, and where it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visitor<'a> {
    pub(super) client: IpAddr,
    pub(super) server: IpAddr,
    pub(super) secured: bool,
    pub(super) fields: Fields<'a>,
}

/// What a request has for itself, and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answered<'a> {
    /// Microseconds since the beginning of 1970.
    pub(super) moment: u64,
    /// Microseconds.
    pub(super) took: u64,
    pub(super) connection: u64,
    pub(super) line: Line<'a>,
    pub(super) status: u16,
    pub(super) sent: u64,
    pub(super) received: Option<u64>,
}

/// What stands in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted<'a> {
    /// The requests from here on are of this one.
    Visitor(Visitor<'a>),
    /// A request.
    Answered(Answered<'a>),
}

/// Lines of one buffer.
#[derive(Debug, Default)]
pub(super) struct Batch {
    rows: Vec<Row>,
    visitors: Vec<Known>,
    /// Values of all of them, one behind the other: of a visitor, then of its requests.
    values: Vec<u8>,
}

/// A visitor but for the values.
#[derive(Debug)]
struct Known {
    client: IpAddr,
    server: IpAddr,
    secured: bool,
    /// The first request.
    row: usize,
    /// Where the values begin.
    start: usize,
    lengths: [u16; 5],
}

/// A request but for the values.
#[derive(Debug)]
struct Row {
    moment: u64,
    took: u64,
    connection: u64,
    sent: u64,
    received: Option<u64>,
    status: u16,
    /// None if the request could not be read.
    version: Option<Version>,
    lengths: [u16; 2],
}

impl Batch {
    /// Adds a line. Of values over 64 KiB it keeps the beginning; less than that is written.
    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        let mut fields = entry.fields;
        if entry.status == 401 {
            // Whose name it is, nobody has shown.
            fields.authorization = None;
        }
        let visitor = Visitor {
            client: entry.peer.client.ip(),
            server: entry.peer.server.ip(),
            secured: entry.peer.secured,
            fields,
        };
        let last = self.visitors.last();
        if !last.is_some_and(|last| last.visitor(&self.values) == visitor) {
            self.welcome(&visitor);
        }
        let (first, second, version) = match entry.line {
            Line::Read {
                method,
                target,
                version,
            } => (method, Some(target), Some(version)),
            Line::Refused(bytes) => (bytes, None, None),
        };
        let lengths = [Some(first), second].map(|value| self.keep(value));
        self.rows.push(Row {
            moment: microseconds(entry.moment),
            took: microseconds(entry.took),
            connection: entry.peer.connection,
            sent: entry.sent,
            received: entry.received,
            status: entry.status,
            version,
            lengths,
        });
    }

    fn welcome(&mut self, visitor: &Visitor<'_>) {
        let start = self.values.len();
        let fields = &visitor.fields;
        let values = [
            fields.host,
            fields.referer,
            fields.agent,
            fields.cookie,
            fields.authorization,
        ];
        let lengths = values.map(|value| self.keep(value));
        self.visitors.push(Known {
            client: visitor.client,
            server: visitor.server,
            secured: visitor.secured,
            row: self.rows.len(),
            start,
            lengths,
        });
    }

    fn keep(&mut self, value: Option<&[u8]>) -> u16 {
        let Some(value) = value else {
            return NOTHING;
        };
        let length = u16::try_from(value.len()).unwrap_or(NOTHING);
        let length = length.min(NOTHING - 1);
        let kept = value.get(..usize::from(length));
        self.values.extend_from_slice(kept.unwrap_or_default());
        length
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.rows.len() * size_of::<Row>()
            + self.visitors.len() * size_of::<Known>()
            + self.values.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What was noted, from the first: before its requests, each visitor.
    pub(super) fn noted(&self) -> impl Iterator<Item = Noted<'_>> {
        let mut rows = self.rows.iter().enumerate().peekable();
        let mut visitors = self.visitors.iter().peekable();
        let mut rest = &*self.values;
        std::iter::from_fn(move || {
            let (index, _) = rows.peek()?;
            if let Some(known) = visitors.next_if(|known| known.row == *index) {
                let fields;
                (fields, rest) = known.fields(rest);
                return Some(Noted::Visitor(known.with(fields)));
            }
            let (_, row) = rows.next()?;
            let line;
            (line, rest) = row.line(rest);
            Some(Noted::Answered(row.with(line)))
        })
    }

    /// Is empty; of its memory it keeps as much as `bytes`.
    pub(super) fn clear(&mut self, bytes: usize) {
        self.rows.clear();
        self.visitors.clear();
        self.values.clear();
        self.rows.shrink_to(bytes / size_of::<Row>());
        self.visitors.shrink_to(bytes / size_of::<Known>());
        self.values.shrink_to(bytes);
    }
}

impl Known {
    fn visitor<'a>(&self, values: &'a [u8]) -> Visitor<'a> {
        let (fields, _) = self.fields(values.get(self.start..).unwrap_or_default());
        self.with(fields)
    }

    /// The fields, which `values` begins with, and what is behind them.
    fn fields<'a>(&self, mut values: &'a [u8]) -> (Fields<'a>, &'a [u8]) {
        let [host, referer, agent, cookie, authorization] =
            self.lengths.map(|length| next(&mut values, length));
        let fields = Fields {
            host,
            referer,
            agent,
            cookie,
            authorization,
        };
        (fields, values)
    }

    fn with<'a>(&self, fields: Fields<'a>) -> Visitor<'a> {
        Visitor {
            client: self.client,
            server: self.server,
            secured: self.secured,
            fields,
        }
    }
}

impl Row {
    /// The first line, which `values` begins with, and what is behind it.
    fn line<'a>(&self, mut values: &'a [u8]) -> (Line<'a>, &'a [u8]) {
        let [first, second] = self.lengths.map(|length| next(&mut values, length));
        let first = first.unwrap_or_default();
        let line = match self.version {
            Some(version) => Line::Read {
                method: first,
                target: second.unwrap_or_default(),
                version,
            },
            None => Line::Refused(first),
        };
        (line, values)
    }

    fn with<'a>(&self, line: Line<'a>) -> Answered<'a> {
        Answered {
            moment: self.moment,
            took: self.took,
            connection: self.connection,
            line,
            status: self.status,
            sent: self.sent,
            received: self.received,
        }
    }
}

/// The value that `values` begins with, which has so many bytes; they go on behind it.
fn next<'a>(values: &mut &'a [u8], length: u16) -> Option<&'a [u8]> {
    if length == NOTHING {
        return None;
    }
    let (value, behind) = values.split_at_checked(usize::from(length))?;
    *values = behind;
    Some(value)
}

fn microseconds(time: Duration) -> u64 {
    let seconds = time.as_secs().saturating_mul(1_000_000);
    seconds.saturating_add(time.subsec_micros().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Peer;

    const READ: Line<'_> = Line::Read {
        method: b"GET",
        target: b"/a?b",
        version: Version::HTTP_2,
    };

    fn entry<'a>(line: Line<'a>, fields: Fields<'a>) -> Entry<'a> {
        Entry {
            peer: Peer {
                client: "10.0.0.1:1".parse().unwrap(),
                server: "[fe80::1]:2".parse().unwrap(),
                connection: 7,
                secured: true,
            },
            moment: Duration::from_millis(3_000_004),
            took: Duration::from_micros(4),
            line,
            fields,
            status: 206,
            sent: 5,
            received: None,
        }
    }

    fn visitor<'a>(entry: &Entry<'a>) -> Noted<'a> {
        Noted::Visitor(Visitor {
            client: entry.peer.client.ip(),
            server: entry.peer.server.ip(),
            secured: entry.peer.secured,
            fields: entry.fields,
        })
    }

    fn answered<'a>(entry: &Entry<'a>) -> Noted<'a> {
        Noted::Answered(Answered {
            moment: 3_000_004_000,
            took: 4,
            connection: 7,
            line: entry.line,
            status: entry.status,
            sent: 5,
            received: None,
        })
    }

    #[test]
    fn lines_come_back_as_they_were_and_each_visitor_once() {
        let some = Fields {
            host: Some(b"a.example"),
            agent: Some(b""),
            authorization: Some(b"Basic \xff"),
            ..Fields::default()
        };
        let all = Fields {
            referer: Some(b"r"),
            cookie: Some(b"c=d"),
            ..some
        };
        let one = entry(READ, some);
        let mut other = entry(READ, some);
        other.peer.connection = 7;
        other.peer.client.set_port(9);
        let silent = entry(Line::Refused(b"\x16\x03"), Fields::default());
        let empty = entry(Line::Refused(b""), Fields::default());
        let last = entry(READ, all);
        let mut elsewhere = last.clone();
        elsewhere.peer.secured = false;
        let expected = [
            visitor(&one),
            answered(&one),
            answered(&other),
            visitor(&silent),
            answered(&silent),
            answered(&empty),
            visitor(&last),
            answered(&last),
            visitor(&elsewhere),
            answered(&elsewhere),
        ];
        let mut batch = Batch::default();
        for _ in 0..2 {
            for entry in [&one, &other, &silent, &empty, &last, &elsewhere] {
                batch.add(entry);
            }
            assert_eq!(batch.noted().collect::<Vec<_>>(), expected);
            assert!(batch.bytes() > 6 * size_of::<Row>());
            batch.clear(0);
            assert!(batch.is_empty() && batch.bytes() == 0);
        }
    }

    #[test]
    fn of_a_long_value_the_beginning_stays_and_the_others_stay_whole() {
        let long = vec![b'x'; 70_000];
        let mut batch = Batch::default();
        let fields = Fields {
            referer: Some(&long),
            cookie: Some(b"c"),
            ..Fields::default()
        };
        batch.add(&entry(Line::Refused(&long), fields));
        batch.add(&entry(READ, fields));
        let noted: Vec<_> = batch.noted().collect();
        let Some(Noted::Visitor(visitor)) = noted.first() else {
            panic!("{noted:?}");
        };
        assert_eq!(visitor.fields.referer.unwrap().len(), 65_534);
        assert_eq!(visitor.fields.cookie, Some(&b"c"[..]));
        let Some(Noted::Answered(first)) = noted.get(1) else {
            panic!("{noted:?}");
        };
        assert_eq!(first.line, Line::Refused(&long[..65_534]));
        assert_eq!(noted.last(), Some(&answered(&entry(READ, fields))));
    }

    #[test]
    fn a_user_who_was_refused_is_not_named() {
        let fields = Fields {
            authorization: Some(b"Basic YW5uOmI="),
            ..Fields::default()
        };
        let mut batch = Batch::default();
        batch.add(&Entry {
            status: 401,
            ..entry(READ, fields)
        });
        batch.add(&entry(READ, fields));
        let named = batch.noted().filter_map(|noted| match noted {
            Noted::Visitor(visitor) => Some(visitor.fields.authorization.is_some()),
            Noted::Answered(_) => None,
        });
        assert_eq!(named.collect::<Vec<_>>(), [false, true]);
    }
}
