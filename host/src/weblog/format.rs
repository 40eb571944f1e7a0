//! A line of the access log in each of its formats.

use std::net::IpAddr;

use super::entry::{Entry, Line, Wanted};
use super::escape::{Place, add, add_number, add_or_dash};
use super::line;
use super::stamp::Stamp;
use crate::settings::{AccessField, AccessFormat};

/// Adds the line of a request.
pub(super) fn write(
    out: &mut Vec<u8>,
    format: AccessFormat,
    fields: &[AccessField],
    server: &str,
    entry: &Entry<'_>,
    stamp: &Stamp,
) {
    match format {
        AccessFormat::Clf => {
            common(out, entry, stamp);
            out.extend_from_slice(b"\r\n");
        }
        AccessFormat::Dlf => {
            common(out, entry, stamp);
            for value in [entry.fields.referer, entry.fields.agent] {
                out.extend_from_slice(b" \"");
                add_or_dash(out, value, Place::Quoted);
                out.push(b'"');
            }
            out.extend_from_slice(b"\r\n");
        }
        AccessFormat::Elf => chosen(out, fields, entry, stamp, b' ', Place::Bare),
        AccessFormat::Wlf => chosen(out, fields, entry, stamp, b'\t', Place::Tabbed),
        AccessFormat::Json => json(out, server, entry, stamp),
    }
}

/// Fields of requests that its lines have.
pub(super) fn wanted(format: AccessFormat, fields: &[AccessField]) -> Wanted {
    let visitor = Wanted::REFERER.and(Wanted::AGENT);
    match format {
        AccessFormat::Clf => Wanted::AUTHORIZATION,
        AccessFormat::Dlf => Wanted::AUTHORIZATION.and(visitor),
        AccessFormat::Json => Wanted::AUTHORIZATION.and(visitor).and(Wanted::HOST),
        AccessFormat::Elf | AccessFormat::Wlf => {
            let one = |field: &AccessField| match field {
                AccessField::Cookie => Wanted::COOKIE,
                AccessField::Host | AccessField::Url => Wanted::HOST,
                AccessField::Referer => Wanted::REFERER,
                AccessField::UserAgent => Wanted::AGENT,
                AccessField::User => Wanted::AUTHORIZATION,
                _ => Wanted::NONE,
            };
            fields.iter().map(one).fold(Wanted::NONE, Wanted::and)
        }
    }
}

/// What stands at the beginning of a file, and before the lines of each start.
pub(super) fn header(format: AccessFormat, fields: &[AccessField]) -> Vec<u8> {
    let names: Vec<&str> = match format {
        AccessFormat::Elf => fields.iter().map(|field| field.w3c()).collect(),
        AccessFormat::Wlf => fields.iter().map(|field| field.token()).collect(),
        _ => return Vec::new(),
    };
    let (software, separator) = (env!("CARGO_PKG_VERSION"), separator(format));
    format!(
        "#Version: 1.0\r\n#Software: Tessera/{software}\r\n#Fields:{separator}{}\r\n",
        names.join(separator)
    )
    .into_bytes()
}

fn separator(format: AccessFormat) -> &'static str {
    match format {
        AccessFormat::Wlf => "\t",
        _ => " ",
    }
}

/// `host rfc931 user [date] "request" state length`.
fn common(out: &mut Vec<u8>, entry: &Entry<'_>, stamp: &Stamp) {
    address(out, entry.peer.client.ip());
    out.extend_from_slice(b" - ");
    add_or_dash(out, entry.user().as_deref(), Place::Name);
    out.extend_from_slice(b" [");
    out.extend_from_slice(stamp.date.as_bytes());
    out.extend_from_slice(b"] \"");
    request(out, entry.line, Place::Quoted);
    out.extend_from_slice(b"\" ");
    add_number(out, entry.status.into());
    out.push(b' ');
    add_number(out, entry.sent);
}

fn request(out: &mut Vec<u8>, line: Line<'_>, place: Place) {
    match line {
        Line::Read {
            method,
            target,
            version,
        } => {
            add(out, method.as_bytes(), place);
            out.push(b' ');
            add(out, target.as_bytes(), place);
            out.push(b' ');
            out.extend_from_slice(line::version(version).as_bytes());
        }
        Line::Refused(bytes) => add_or_dash(out, Some(bytes), place),
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

/// A line of the fields that were chosen.
fn chosen(
    out: &mut Vec<u8>,
    fields: &[AccessField],
    entry: &Entry<'_>,
    stamp: &Stamp,
    separator: u8,
    place: Place,
) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(separator);
        }
        one(out, *field, entry, stamp, place);
    }
    out.extend_from_slice(b"\r\n");
}

fn one(out: &mut Vec<u8>, field: AccessField, entry: &Entry<'_>, stamp: &Stamp, place: Place) {
    let (method, target) = match entry.line {
        Line::Read { method, target, .. } => (Some(method), Some(target)),
        Line::Refused(_) => (None, None),
    };
    let mut text = |value: Option<&str>| add_or_dash(out, value.map(str::as_bytes), place);
    match field {
        AccessField::BytesReceived => match entry.received {
            Some(bytes) => add_number(out, bytes),
            None => out.push(b'-'),
        },
        AccessField::BytesSent => add_number(out, entry.sent),
        AccessField::ClientDns | AccessField::ClientIp => address(out, entry.peer.client.ip()),
        AccessField::ConnectionId => add_number(out, entry.peer.connection),
        AccessField::Cookie => add_or_dash(out, entry.fields.cookie, place),
        AccessField::Host => add_or_dash(out, entry.fields.host, place),
        AccessField::Referer => add_or_dash(out, entry.fields.referer, place),
        AccessField::UserAgent => add_or_dash(out, entry.fields.agent, place),
        AccessField::ServerIp => address(out, entry.peer.server.ip()),
        AccessField::Uri => text(target),
        AccessField::UriQuery => text(target.and_then(line::query)),
        AccessField::UriStem => text(target.map(line::stem)),
        AccessField::Date => out.extend_from_slice(stamp.date.as_bytes()),
        AccessField::Method => text(method),
        AccessField::PathArgs => text(target.and_then(line::path_arguments)),
        AccessField::Status => add_number(out, entry.status.into()),
        AccessField::Time => out.extend_from_slice(stamp.time.as_bytes()),
        AccessField::TransferTime => {
            let milliseconds = entry.took.as_millis();
            add_number(out, u64::try_from(milliseconds).unwrap_or(u64::MAX));
        }
        AccessField::User => add_or_dash(out, entry.user().as_deref(), Place::Name),
        AccessField::Url => {
            let scheme: &[u8] = match entry.peer.secured {
                true => b"https://",
                false => b"http://",
            };
            match (entry.fields.host, target) {
                (Some(host), Some(target)) => {
                    out.extend_from_slice(scheme);
                    add(out, host, place);
                    add(out, target.as_bytes(), place);
                }
                _ => out.push(b'-'),
            }
        }
    }
}

/// One object, each member of which is there in each line.
fn json(out: &mut Vec<u8>, server: &str, entry: &Entry<'_>, stamp: &Stamp) {
    out.extend_from_slice(b"{\"time\":\"");
    out.extend_from_slice(stamp.date.as_bytes());
    out.push(b'.');
    for unit in [100, 10, 1] {
        add_number(out, (stamp.milliseconds / unit % 10).into());
    }
    out.extend_from_slice(b"Z\",\"client\":\"");
    address(out, entry.peer.client.ip());
    out.push(b'"');
    let mut member = |name: &str, value: Option<&[u8]>| {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        match value {
            // What has to be escaped in JSON, the percent-encoding takes care of.
            Some(value) => {
                out.push(b'"');
                add(out, value, Place::Quoted);
                out.push(b'"');
            }
            None => out.extend_from_slice(b"null"),
        }
    };
    member("server", Some(server.as_bytes()));
    member("user", entry.user().as_deref());
    match entry.line {
        Line::Read {
            method,
            target,
            version,
        } => {
            member("method", Some(method.as_bytes()));
            member("target", Some(target.as_bytes()));
            member("version", Some(line::version(version).as_bytes()));
        }
        Line::Refused(bytes) => {
            member("method", None);
            member("target", Some(bytes));
            member("version", None);
        }
    }
    member("host", entry.fields.host);
    member("referer", entry.fields.referer);
    member("agent", entry.fields.agent);
    let microseconds = u64::try_from(entry.took.as_micros()).unwrap_or(u64::MAX);
    let scheme: &[u8] = match entry.peer.secured {
        true => b"https",
        false => b"http",
    };
    member("scheme", Some(scheme));
    for (name, number) in [
        ("status", u64::from(entry.status)),
        ("bytes", entry.sent),
        ("microseconds", microseconds),
    ] {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        add_number(out, number);
    }
    out.extend_from_slice(b"}\n");
}
