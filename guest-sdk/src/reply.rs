//! What a handler may return: a text, a page, bytes, a file, a redirection, a status, or a failure.

use std::borrow::Cow;
use std::fmt::Display;

use crate::cookie::Cookie;
use crate::error::Error;
use crate::response;
use crate::types::Value;

/// What On Web Connection or a method answers with.
///
/// | returned | sent |
/// |---|---|
/// | `()` | nothing: the function calls [`response`](crate::response) itself, or the answer is an empty 200 |
/// | `&str`, `String`, [`Html`] | a page |
/// | [`Text`] | plain text |
/// | [`Json`](crate::Json) | JSON |
/// | [`Blob`] | bytes |
/// | [`File`] | a file of the HTML root |
/// | [`Template`](crate::Template) | a page of the HTML root, with values for its tags |
/// | [`Streamed`](crate::Streamed) | bytes or events that go out as they are made |
/// | [`Routed`](crate::Routed) | what the route's function answered |
/// | [`Boxed`] | any of these |
/// | [`Redirect`] | a redirection |
/// | [`Status`], `(Status, R)` | a status, alone or with a reply |
/// | `Option<R>` | 404 if there is none |
/// | `Result<R, E>` | on an [`Error`] that is a refusal its status and text, else 500, and the text goes to the host's log |
/// | [`Value`], `bool`, `f64`, `i32`, `u32` | by a method, to the page whose tag called it; to a URL nothing. By On Web Connection, as text |
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no reply",
    label = "return a text, `html(...)`, `text(...)`, `json(...)`, `blob(...)`, `redirect(...)`, `status(...)`, or a `Result` of one"
)]
pub trait Reply: Sized {
    /// Sends it as the response of the current request.
    fn send(self) -> Result<(), Error>;

    /// Sends it as the response of a method, unless it is a value for the page whose tag called the method.
    fn give(self) -> Result<Value, Error> {
        self.send()?;
        Ok(Value::Null)
    }

    /// The same reply with a status, 200 to 599.
    fn with_status(self, code: u16) -> (Status, Self) {
        (Status(code), self)
    }

    /// The same reply with one more header field.
    fn with_header<'a>(
        self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
    ) -> WithHeader<'a, Self> {
        WithHeader {
            reply: self,
            name: name.into(),
            value: value.into(),
        }
    }

    /// The same reply with a cookie that the client is to keep.
    fn with_cookie(self, cookie: Cookie<'_>) -> WithCookie<'_, Self> {
        WithCookie {
            reply: self,
            cookie,
        }
    }

    /// The same reply in a box, where a function answers now with one type and now with another.
    ///
    /// ```
    /// use tessera_guest::prelude::*;
    ///
    /// fn page(call: &WebCall) -> impl Reply {
    ///     match call.path() {
    ///         "/old" => redirect("/new").permanent().boxed(),
    ///         _ => html("<h1>New</h1>").boxed(),
    ///     }
    /// }
    /// ```
    fn boxed<'a>(self) -> Boxed<'a>
    where
        Self: 'a,
    {
        Boxed(Box::new(move |way| match way {
            Way::Send => self.send().map(|()| Value::Null),
            Way::Give => self.give(),
        }))
    }
}

impl Reply for () {
    fn send(self) -> Result<(), Error> {
        Ok(())
    }
}

impl Reply for &str {
    fn send(self) -> Result<(), Error> {
        Ok(response::send_html(self)?)
    }
}

impl Reply for String {
    fn send(self) -> Result<(), Error> {
        self.as_str().send()
    }
}

impl Reply for Cow<'_, str> {
    fn send(self) -> Result<(), Error> {
        self.as_ref().send()
    }
}

/// A page.
#[derive(Clone, Debug)]
pub struct Html<T>(pub T);

/// Makes a page of a text. What comes from a visitor belongs through [`escape`](crate::escape) first.
pub fn html<T: AsRef<str>>(page: T) -> Html<T> {
    Html(page)
}

impl<T: AsRef<str>> Reply for Html<T> {
    fn send(self) -> Result<(), Error> {
        self.0.as_ref().send()
    }
}

/// Plain text.
#[derive(Clone, Debug)]
pub struct Text<T>(pub T);

/// Makes a reply of plain text.
pub fn text<T: AsRef<str>>(text: T) -> Text<T> {
    Text(text)
}

impl<T: AsRef<str>> Reply for Text<T> {
    fn send(self) -> Result<(), Error> {
        Ok(response::send_text(self.0.as_ref(), "text/plain")?)
    }
}

/// Bytes, with their media type.
#[derive(Clone, Debug)]
pub struct Blob<'a, T> {
    data: T,
    content_type: Cow<'a, str>,
}

/// Makes a reply of bytes. The type is a media type or a file extension (`.png`); if it is empty the client guesses.
pub fn blob<'a, T: AsRef<[u8]>>(data: T, content_type: impl Into<Cow<'a, str>>) -> Blob<'a, T> {
    Blob {
        data,
        content_type: content_type.into(),
    }
}

impl<T: AsRef<[u8]>> Reply for Blob<'_, T> {
    fn send(self) -> Result<(), Error> {
        Ok(response::send_blob(self.data.as_ref(), &self.content_type)?)
    }
}

/// A file of the HTML root.
#[derive(Clone, Debug)]
pub struct File<'a>(Cow<'a, str>);

/// Makes a reply of a file; the path is relative to the HTML root.
pub fn file<'a>(path: impl Into<Cow<'a, str>>) -> File<'a> {
    File(path.into())
}

impl Reply for File<'_> {
    fn send(self) -> Result<(), Error> {
        Ok(response::send_file(&self.0)?)
    }
}

/// A redirection.
#[derive(Clone, Debug)]
pub struct Redirect<'a> {
    url: Cow<'a, str>,
    status: Option<u16>,
}

/// Makes a redirection, with status 302. The URL is percent-encoded where needed.
pub fn redirect<'a>(url: impl Into<Cow<'a, str>>) -> Redirect<'a> {
    Redirect {
        url: url.into(),
        status: None,
    }
}

impl Redirect<'_> {
    /// Makes it one that clients may remember, with status 308.
    pub fn permanent(mut self) -> Self {
        self.status = Some(308);
        self
    }

    /// Makes it one that is followed by GET, as after a form was posted, with status 303.
    pub fn see_other(mut self) -> Self {
        self.status = Some(303);
        self
    }
}

impl Reply for Redirect<'_> {
    fn send(self) -> Result<(), Error> {
        if let Some(status) = self.status {
            response::set_status(status)?;
        }
        Ok(response::redirect(&self.url)?)
    }
}

/// A status without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

/// Makes a status, 200 to 599: a reply without a body, or the first half of `(status(404), html("..."))`.
pub fn status(code: u16) -> Status {
    Status(code)
}

impl Reply for Status {
    fn send(self) -> Result<(), Error> {
        Ok(response::set_status(self.0)?)
    }
}

impl<R: Reply> Reply for (Status, R) {
    fn send(self) -> Result<(), Error> {
        self.0.send()?;
        self.1.send()
    }

    fn give(self) -> Result<Value, Error> {
        self.0.send()?;
        self.1.give()
    }
}

/// A reply with one more header field; made by [`Reply::with_header`].
#[derive(Clone, Debug)]
pub struct WithHeader<'a, R> {
    reply: R,
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

// The inner reply first: fields keep the order they were written in, and a failed reply sets none.
impl<R: Reply> Reply for WithHeader<'_, R> {
    fn send(self) -> Result<(), Error> {
        self.reply.send()?;
        Ok(response::add_header(&self.name, &self.value)?)
    }

    fn give(self) -> Result<Value, Error> {
        let value = self.reply.give()?;
        response::add_header(&self.name, &self.value)?;
        Ok(value)
    }
}

/// A reply of any type; made by [`Reply::boxed`].
pub struct Boxed<'a>(Box<dyn FnOnce(Way) -> Result<Value, Error> + 'a>);

/// What becomes of a reply in a box.
enum Way {
    Send,
    Give,
}

impl Reply for Boxed<'_> {
    fn send(self) -> Result<(), Error> {
        (self.0)(Way::Send).map(|_| ())
    }

    fn give(self) -> Result<Value, Error> {
        (self.0)(Way::Give)
    }
}

/// A reply with a cookie; made by [`Reply::with_cookie`].
#[derive(Clone, Debug)]
pub struct WithCookie<'a, R> {
    reply: R,
    cookie: Cookie<'a>,
}

impl<R: Reply> Reply for WithCookie<'_, R> {
    fn send(self) -> Result<(), Error> {
        self.reply.send()?;
        Ok(self.cookie.set()?)
    }

    fn give(self) -> Result<Value, Error> {
        let value = self.reply.give()?;
        self.cookie.set()?;
        Ok(value)
    }
}

impl<R: Reply> Reply for Option<R> {
    fn send(self) -> Result<(), Error> {
        match self {
            Some(reply) => reply.send(),
            None => Status(404).send(),
        }
    }

    fn give(self) -> Result<Value, Error> {
        match self {
            Some(reply) => reply.give(),
            None => Status(404).give(),
        }
    }
}

impl<R: Reply, E: Display + 'static> Reply for Result<R, E> {
    fn send(self) -> Result<(), Error> {
        self.map_err(Error::of)?.send()
    }

    fn give(self) -> Result<Value, Error> {
        self.map_err(Error::of)?.give()
    }
}

impl Reply for Value {
    fn send(self) -> Result<(), Error> {
        match self {
            Self::Null => Ok(()),
            Self::Boolean(value) => Text(if value { "true" } else { "false" }).send(),
            Self::Number(value) => Text(value.to_string()).send(),
            Self::Text(value) => Text(value).send(),
            Self::Json(value) => Ok(response::send_text(&value, "application/json")?),
        }
    }

    fn give(self) -> Result<Value, Error> {
        Ok(self)
    }
}

macro_rules! reply_as_value {
    ($($of:ty),*) => {$(
        impl Reply for $of {
            fn send(self) -> Result<(), Error> {
                Text(self.to_string()).send()
            }

            fn give(self) -> Result<Value, Error> {
                Ok(self.into())
            }
        }
    )*};
}

reply_as_value!(bool, f64, i32, u32);

/// What On Web Authentication decides: `bool`, or a `Result` of it, whose error refuses and goes to the host's log.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not decide",
    label = "return `bool` or `Result<bool, _>`"
)]
pub trait Verdict {
    /// Whether the request may run.
    fn decide(self) -> Result<bool, Error>;
}

impl Verdict for bool {
    fn decide(self) -> Result<bool, Error> {
        Ok(self)
    }
}

impl<E: Display + 'static> Verdict for Result<bool, E> {
    fn decide(self) -> Result<bool, Error> {
        self.map_err(Error::of)
    }
}
