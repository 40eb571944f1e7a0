//! Responses that go out while they are made: streams of bytes, and server-sent events.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::time::Duration;

use crate::error::Error;
use crate::reply::Reply;
use crate::response;
use crate::types::ResponseError;

/// Makes a reply whose body is written piece by piece: each piece goes to the client at once.
///
/// The type is a media type. The head goes out before the function runs, with the status and header fields that were set by then
/// and those of [`Streamed::header`]; after that the response can only break off. So what may be refused is looked at before.
/// A client that goes ends the web process.
///
/// ```
/// use std::io::Write;
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// fn report() -> impl Reply {
///     stream("text/csv", |out| {
///         writeln!(out, "number,square")?;
///         for number in 1..=3 {
///             writeln!(out, "{number},{}", number * number)?;
///         }
///         Ok(())
///     })
///     .header("Content-Disposition", "attachment; filename=\"squares.csv\"")
/// }
///
/// let response = test::get("/").connect(report);
/// assert_eq!(response.header("content-type"), Some("text/csv"));
/// assert_eq!(response.text(), "number,square\n1,1\n2,4\n3,9\n");
/// ```
pub fn stream<F>(content_type: impl Into<String>, write: F) -> Streamed<F>
where
    F: FnOnce(&mut Stream) -> Result<(), Error>,
{
    Streamed {
        head: Head::new(content_type.into()),
        write,
    }
}

/// Makes a reply of server-sent events (`text/event-stream`), for an `EventSource` in a page.
///
/// The function ends the response by returning; the browser then asks again. As long as it runs it takes one of the server's
/// web processes: until the client goes, for `[limits] stream_time` at most, and with no more than `[limits] deadline`
/// between two events.
///
/// ```
/// use std::time::Duration;
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// fn clock() -> impl Reply {
///     events(|out| {
///         out.retry(Duration::from_secs(1))?;
///         for second in 1..=2 {
///             out.send(Event::new(second).name("tick"))?;
///         }
///         Ok(())
///     })
/// }
///
/// let response = test::get("/").connect(clock);
/// assert_eq!(response.header("content-type"), Some("text/event-stream"));
/// assert_eq!(response.text(), "retry: 1000\n\nevent: tick\ndata: 1\n\nevent: tick\ndata: 2\n\n");
/// ```
pub fn events<F>(send: F) -> Streamed<impl FnOnce(&mut Stream) -> Result<(), Error>>
where
    F: FnOnce(&mut Events<'_>) -> Result<(), Error>,
{
    stream("text/event-stream", |out| send(&mut Events(out)))
        .header("Cache-Control", "no-store")
        // Reverse proxies would else collect events before they pass them on.
        .header("X-Accel-Buffering", "no")
}

/// A reply that is written piece by piece; made by [`stream`] and [`events`].
#[derive(Debug)]
pub struct Streamed<F> {
    head: Head,
    write: F,
}

impl<F> Streamed<F> {
    /// Adds a header field. `with_header` comes too late for these replies: the head has gone by then.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.add(name, value);
        self
    }
}

impl<F: FnOnce(&mut Stream) -> Result<(), Error>> Reply for Streamed<F> {
    fn send(self) -> Result<(), Error> {
        let mut out = Stream::open(self.head)?;
        (self.write)(&mut out)
    }
}

/// The head of a stream, until it goes out.
#[derive(Debug)]
struct Head {
    text: String,
    refused: Option<ResponseError>,
}

impl Head {
    fn new(content_type: String) -> Self {
        let mut head = Self {
            text: String::new(),
            refused: None,
        };
        head.add("Content-Type", &content_type);
        head
    }

    fn add(&mut self, name: &str, value: &str) {
        let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
        if name.is_empty() || name.contains(':') || breaks(name) || breaks(value) {
            self.refused = Some(ResponseError::Invalid(format!("header {name}: {value}")));
        }
        // Writing into a text cannot fail.
        let _ = write!(self.text, "{name}: {value}\r\n");
    }
}

/// A response body that goes out as it is written.
///
/// Each call of `write` is one piece for the client and one call of the host: small ones are better collected by
/// `std::io::BufWriter`.
#[derive(Debug)]
pub struct Stream(());

impl Stream {
    fn open(head: Head) -> Result<Self, ResponseError> {
        if let Some(refused) = head.refused {
            return Err(refused);
        }
        let head = head.text + "\r\n";
        response::send_raw_chunk(head.as_bytes())?;
        Ok(Self(()))
    }
}

impl Write for Stream {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if !piece.is_empty() {
            response::send_raw_chunk(piece).map_err(io::Error::other)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Server-sent events that go to one client; made by [`events`].
#[derive(Debug)]
pub struct Events<'a>(&'a mut Stream);

impl Events<'_> {
    /// Sends one event.
    pub fn send(&mut self, event: Event) -> Result<(), Error> {
        self.piece(event.fields)
    }

    /// Says after how long a client that lost the connection asks again, in whole milliseconds.
    pub fn retry(&mut self, after: Duration) -> Result<(), Error> {
        self.piece(format!("retry: {}\n", after.as_millis()))
    }

    /// Sends what clients pass over, so that proxies see that the connection lives.
    pub fn keep_alive(&mut self) -> Result<(), Error> {
        self.piece(":\n".to_owned())
    }

    fn piece(&mut self, mut fields: String) -> Result<(), Error> {
        fields.push('\n');
        Ok(self.0.write_all(fields.as_bytes())?)
    }
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an event goes out by `out.send(event)?`"]
pub struct Event {
    fields: String,
}

impl Event {
    /// Makes an event of its data, which may have several lines.
    pub fn new(data: impl Display) -> Self {
        let mut event = Self {
            fields: String::new(),
        };
        let data = data.to_string();
        // A line break of any kind ends a field.
        for line in data.replace("\r\n", "\n").split(['\n', '\r']) {
            event.field("data", line);
        }
        event
    }

    /// Makes an event of JSON.
    #[cfg(feature = "json")]
    pub fn json(data: &impl serde::Serialize) -> Result<Self, Error> {
        Ok(Self::new(serde_json::to_string(data)?))
    }

    /// Names it, for `addEventListener`; without a name it is a `message`.
    pub fn name(mut self, name: &str) -> Self {
        let data = std::mem::take(&mut self.fields);
        self.field("event", name);
        self.fields += &data;
        self
    }

    /// Gives it an identifier, which a client that asks again sends as `Last-Event-ID`.
    pub fn id(mut self, id: impl Display) -> Self {
        self.field("id", &id.to_string());
        self
    }

    fn field(&mut self, name: &str, value: &str) {
        let value = value.replace(['\n', '\r', '\0'], " ");
        for part in [name, ": ", &value, "\n"] {
            self.fields.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test;

    #[test]
    fn no_field_of_an_event_can_begin_another() {
        let event = Event::new("a\nb\r\nc\rd").name("x\ndata: y").id("1\r2");
        assert_eq!(
            event.fields,
            "event: x data: y\ndata: a\ndata: b\ndata: c\ndata: d\nid: 1 2\n"
        );
        assert_eq!(Event::new("").fields, "data: \n");
    }

    #[test]
    fn a_head_that_is_none_is_refused_before_anything_goes_out() {
        for (name, value) in [("X", "a\r\nb"), ("", "x"), ("X: y", "z")] {
            let response = test::get("/").connect(|| {
                stream("text/plain", |out| Ok(out.write_all(b"body")?)).header(name, value)
            });
            let told = response.error.unwrap_or_default();
            assert!(told.contains("refused: header"), "{name}: {told}");
            assert!(response.body.is_empty());
        }
    }

    #[test]
    fn a_status_that_was_set_holds() {
        let response = test::get("/").connect(|| stream("text/plain", |_| Ok(())).with_status(202));
        assert_eq!(response.status, 202);
        assert_eq!(response.header("content-type"), Some("text/plain"));
    }

    #[test]
    fn what_went_out_stays_when_the_function_fails() {
        let response = test::get("/").connect(|| {
            stream("text/plain", |out| {
                out.write_all(b"half")?;
                Err(Error::refused(400, "too late"))
            })
        });
        assert_eq!((response.status, response.text()), (200, "half"));
        assert!(response.error.unwrap_or_default().contains("too late"));
    }
}
