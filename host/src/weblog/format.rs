//! What a line of the access log consists of in each of its formats.

use super::entry::Wanted;
use super::escape::Place;
use crate::settings::{AccessField, AccessFormat};

/// Parts of a line that follow one another.
#[derive(Debug)]
pub(super) enum Part {
    /// What is the same for all requests of a visitor within a second.
    Common(Vec<Common>),
    /// What each request has for itself.
    Own(Own),
}

/// What requests of a visitor have in common.
#[derive(Clone, Copy, Debug)]
pub(super) enum Common {
    Text(&'static str),
    /// The name of the web server.
    Server,
    Date,
    Time,
    Client,
    /// The address that the client came to.
    ServerIp,
    User(Form),
    Host(Form),
    Referer(Form),
    Agent(Form),
    Cookie(Form),
    /// `http` or `https`.
    Scheme,
}

/// What a request has for itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Own {
    /// Three digits.
    Milliseconds,
    /// Its first line.
    Request(Place),
    Method(Form),
    Target(Form),
    Stem(Form),
    Query(Form),
    Arguments(Form),
    Version(Form),
    Status,
    Sent,
    Received,
    TookMilliseconds,
    TookMicroseconds,
    Connection,
    Url(Place),
}

/// How a value is written, and what stands for one that is not there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// `-` where there is none or an empty one.
    Dash(Place),
    /// In quotes, or `null`. What has to be escaped in JSON, the percent-encoding takes care of.
    Json,
}

/// The parts of a line.
pub(super) fn parts(format: AccessFormat, fields: &[AccessField]) -> Vec<Part> {
    let mut parts = Parts::default();
    match format {
        AccessFormat::Clf => {
            parts.common_log();
            parts.text("\r\n");
        }
        AccessFormat::Dlf => {
            parts.common_log();
            let form = Form::Dash(Place::Quoted);
            parts.text(" \"");
            parts.common(Common::Referer(form));
            parts.text("\" \"");
            parts.common(Common::Agent(form));
            parts.text("\"\r\n");
        }
        AccessFormat::Elf | AccessFormat::Wlf => {
            let place = match format {
                AccessFormat::Wlf => Place::Tabbed,
                _ => Place::Bare,
            };
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    parts.text(separator(format));
                }
                parts.chosen(*field, place);
            }
            parts.text("\r\n");
        }
        AccessFormat::Json => parts.json(),
    }
    parts.0
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn common(&mut self, part: Common) {
        match self.0.last_mut() {
            Some(Part::Common(parts)) => parts.push(part),
            _ => self.0.push(Part::Common(vec![part])),
        }
    }

    fn text(&mut self, text: &'static str) {
        self.common(Common::Text(text));
    }

    fn own(&mut self, part: Own) {
        self.0.push(Part::Own(part));
    }

    /// `host rfc931 user [date] "request" state length`.
    fn common_log(&mut self) {
        self.common(Common::Client);
        self.text(" - ");
        self.common(Common::User(Form::Dash(Place::Name)));
        self.text(" [");
        self.common(Common::Date);
        self.text("] \"");
        self.own(Own::Request(Place::Quoted));
        self.text("\" ");
        self.own(Own::Status);
        self.text(" ");
        self.own(Own::Sent);
    }

    fn chosen(&mut self, field: AccessField, place: Place) {
        let form = Form::Dash(place);
        match field {
            AccessField::BytesReceived => self.own(Own::Received),
            AccessField::BytesSent => self.own(Own::Sent),
            AccessField::ClientDns | AccessField::ClientIp => self.common(Common::Client),
            AccessField::ConnectionId => self.own(Own::Connection),
            AccessField::Cookie => self.common(Common::Cookie(form)),
            AccessField::Host => self.common(Common::Host(form)),
            AccessField::Referer => self.common(Common::Referer(form)),
            AccessField::UserAgent => self.common(Common::Agent(form)),
            AccessField::ServerIp => self.common(Common::ServerIp),
            AccessField::Uri => self.own(Own::Target(form)),
            AccessField::UriQuery => self.own(Own::Query(form)),
            AccessField::UriStem => self.own(Own::Stem(form)),
            AccessField::Date => self.common(Common::Date),
            AccessField::Method => self.own(Own::Method(form)),
            AccessField::PathArgs => self.own(Own::Arguments(form)),
            AccessField::Status => self.own(Own::Status),
            AccessField::Time => self.common(Common::Time),
            AccessField::TransferTime => self.own(Own::TookMilliseconds),
            AccessField::User => self.common(Common::User(Form::Dash(Place::Name))),
            AccessField::Url => self.own(Own::Url(place)),
        }
    }

    /// One object, each member of which is there in each line.
    fn json(&mut self) {
        self.text("{\"time\":\"");
        self.common(Common::Date);
        self.text(".");
        self.own(Own::Milliseconds);
        self.text("Z\",\"client\":\"");
        self.common(Common::Client);
        self.text("\",\"server\":\"");
        self.common(Common::Server);
        self.text("\",\"user\":");
        self.common(Common::User(Form::Json));
        self.text(",\"method\":");
        self.own(Own::Method(Form::Json));
        self.text(",\"target\":");
        self.own(Own::Target(Form::Json));
        self.text(",\"version\":");
        self.own(Own::Version(Form::Json));
        self.text(",\"host\":");
        self.common(Common::Host(Form::Json));
        self.text(",\"referer\":");
        self.common(Common::Referer(Form::Json));
        self.text(",\"agent\":");
        self.common(Common::Agent(Form::Json));
        self.text(",\"scheme\":\"");
        self.common(Common::Scheme);
        self.text("\",\"status\":");
        self.own(Own::Status);
        self.text(",\"bytes\":");
        self.own(Own::Sent);
        self.text(",\"microseconds\":");
        self.own(Own::TookMicroseconds);
        self.text("}\n");
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
