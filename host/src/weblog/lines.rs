//! Lines of the access log, made of what was noted of requests.

use std::net::IpAddr;

use jiff::tz::TimeZone;

use super::batch::{Answered, Noted, Visitor};
use super::entry::Line;
use super::escape::{Place, add, add_number, add_or_dash};
use super::format::{Common, Form, Own, Part};
use super::line;
use super::stamp::Stamp;
use crate::settings::AccessFormat;

/// Makes the lines of a log, one after the other.
pub(super) struct Lines<'a> {
    parts: &'a [Part],
    server: &'a str,
    format: AccessFormat,
    zone: &'a TimeZone,
    visitor: Option<Visitor<'a>>,
    stamp: Stamp,
    /// What the next lines have in common, one part behind the other: it is made once for all of them.
    common: Vec<u8>,
    /// Where each of those parts ends.
    ends: Vec<usize>,
    /// They are those of the visitor.
    is_made: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        parts: &'a [Part],
        server: &'a str,
        format: AccessFormat,
        zone: &'a TimeZone,
    ) -> Self {
        Self {
            parts,
            server,
            format,
            zone,
            visitor: None,
            stamp: Stamp::default(),
            common: Vec::new(),
            ends: Vec::new(),
            is_made: false,
        }
    }

    /// Adds the line of a request, or is told whose requests come next.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, noted: Noted<'a>) {
        match noted {
            Noted::Visitor(visitor) => {
                self.visitor = Some(visitor);
                self.is_made = false;
            }
            Noted::Answered(answered) => self.line(out, &answered),
        }
    }

    fn line(&mut self, out: &mut Vec<u8>, answered: &Answered<'_>) {
        let Some(visitor) = self.visitor else {
            return;
        };
        let is_new_second = self.stamp.set(answered.moment, self.format, self.zone);
        if is_new_second || !self.is_made {
            self.make_common(&visitor);
        }
        let mut ends = self.ends.iter();
        let mut start = 0;
        for part in self.parts {
            match part {
                Part::Common(_) => {
                    let end = ends.next().copied().unwrap_or(start);
                    out.extend_from_slice(self.common.get(start..end).unwrap_or_default());
                    start = end;
                }
                Part::Own(part) => own(out, *part, answered, &visitor),
            }
        }
    }

    fn make_common(&mut self, visitor: &Visitor<'_>) {
        self.common.clear();
        self.ends.clear();
        for part in self.parts {
            let Part::Common(parts) = part else {
                continue;
            };
            for part in parts {
                common(&mut self.common, *part, visitor, self.server, &self.stamp);
            }
            self.ends.push(self.common.len());
        }
        self.is_made = true;
    }
}

fn common(out: &mut Vec<u8>, part: Common, visitor: &Visitor<'_>, server: &str, stamp: &Stamp) {
    let fields = &visitor.fields;
    match part {
        Common::Text(text) => out.extend_from_slice(text.as_bytes()),
        Common::Server => add(out, server.as_bytes(), Place::Quoted),
        Common::Date => out.extend_from_slice(stamp.date.as_bytes()),
        Common::Time => out.extend_from_slice(stamp.time.as_bytes()),
        Common::Client => address(out, visitor.client),
        Common::ServerIp => address(out, visitor.server),
        Common::User(form) => value(out, fields.user().as_deref(), form),
        Common::Host(form) => value(out, fields.host, form),
        Common::Referer(form) => value(out, fields.referer, form),
        Common::Agent(form) => value(out, fields.agent, form),
        Common::Cookie(form) => value(out, fields.cookie, form),
        Common::Scheme => out.extend_from_slice(scheme(visitor).as_bytes()),
    }
}

fn own(out: &mut Vec<u8>, part: Own, answered: &Answered<'_>, visitor: &Visitor<'_>) {
    let (method, target, version) = match answered.line {
        Line::Read {
            method,
            target,
            version,
        } => (Some(method), Some(target), Some(version)),
        Line::Refused(_) => (None, None, None),
    };
    match part {
        Own::Milliseconds => {
            let milliseconds = answered.moment / 1000 % 1000;
            for unit in [100, 10, 1] {
                add_number(out, milliseconds / unit % 10);
            }
        }
        Own::Request(place) => request(out, answered.line, place),
        Own::Method(form) => value(out, method, form),
        Own::Target(form) => match (target, answered.line, form) {
            (None, Line::Refused(bytes), Form::Json) => value(out, Some(bytes), form),
            _ => value(out, target, form),
        },
        Own::Stem(form) => value(out, target.map(line::stem), form),
        Own::Query(form) => value(out, target.and_then(line::query), form),
        Own::Arguments(form) => value(out, target.and_then(line::path_arguments), form),
        Own::Version(form) => {
            let version = version.map(line::version);
            value(out, version.map(str::as_bytes), form);
        }
        Own::Status => add_number(out, answered.status.into()),
        Own::Sent => add_number(out, answered.sent),
        Own::Received => match answered.received {
            Some(bytes) => add_number(out, bytes),
            None => out.push(b'-'),
        },
        Own::TookMilliseconds => add_number(out, answered.took / 1000),
        Own::TookMicroseconds => add_number(out, answered.took),
        Own::Connection => add_number(out, answered.connection),
        Own::Url(place) => match (visitor.fields.host, target) {
            (Some(host), Some(target)) => {
                out.extend_from_slice(scheme(visitor).as_bytes());
                out.extend_from_slice(b"://");
                add(out, host, place);
                add(out, target, place);
            }
            _ => out.push(b'-'),
        },
    }
}

fn value(out: &mut Vec<u8>, value: Option<&[u8]>, form: Form) {
    match (form, value) {
        (Form::Dash(place), value) => add_or_dash(out, value, place),
        (Form::Json, Some(value)) => {
            out.push(b'"');
            add(out, value, Place::Quoted);
            out.push(b'"');
        }
        (Form::Json, None) => out.extend_from_slice(b"null"),
    }
}

fn request(out: &mut Vec<u8>, line: Line<'_>, place: Place) {
    match line {
        Line::Read {
            method,
            target,
            version,
        } => {
            add(out, method, place);
            out.push(b' ');
            add(out, target, place);
            out.push(b' ');
            out.extend_from_slice(line::version(version).as_bytes());
        }
        Line::Refused(bytes) => add_or_dash(out, Some(bytes), place),
    }
}

fn scheme(visitor: &Visitor<'_>) -> &'static str {
    match visitor.secured {
        true => "https",
        false => "http",
    }
}

fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            add_number(out, a.into());
            for part in [b, c, d] {
                out.push(b'.');
                add_number(out, part.into());
            }
        }
        IpAddr::V6(address) => out.extend_from_slice(address.to_string().as_bytes()),
    }
}
