//! What a handler may take: the call, and what is made of the request.

use std::cell::{Cell, OnceCell};

use crate::error::Error;
use crate::types::WebCall;

/// What can be made of the current request: [`Form`](crate::Form), [`Json`](crate::Json), or a type of your own.
///
/// Hooks, methods and routes take any number of them. If one fails the function is not called, and the error is the
/// answer; a function that takes `Result<T, Error>` is called and sees the error.
///
/// ```
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// /// The token that programs send.
/// struct Token(String);
///
/// impl FromRequest for Token {
///     fn from_request() -> Result<Self, Error> {
///         let token = request::header("x-token").or_refuse(401, "send X-Token")?;
///         Ok(Self(token))
///     }
/// }
///
/// fn api(call: &WebCall, token: Token) -> impl Reply {
///     text(format!("{} for {}", call.path(), token.0))
/// }
///
/// assert_eq!(test::get("/a").header("X-Token", "abc").connect(api).text(), "/a for abc");
/// assert_eq!(test::get("/a").connect(api).status, 401);
/// ```
pub trait FromRequest: Sized {
    /// Makes it of the request that is being answered.
    fn from_request() -> Result<Self, Error>;
}

impl<T: FromRequest> FromRequest for Result<T, Error> {
    fn from_request() -> Result<Self, Error> {
        Ok(T::from_request())
    }
}

/// The call of a hook, of which its parameters are taken.
#[doc(hidden)]
pub struct Taken {
    call: Cell<Option<WebCall>>,
    lent: OnceCell<WebCall>,
}

impl Taken {
    /// Keeps the call until it is taken.
    pub fn new(call: WebCall) -> Self {
        Self {
            call: Cell::new(Some(call)),
            lent: OnceCell::new(),
        }
    }

    fn lend(&self) -> &WebCall {
        self.lent
            .get_or_init(|| self.call.take().unwrap_or_default())
    }
}

/// A parameter of On Web Connection or On Web Authentication: `WebCall`, `&WebCall`, or what is made of the request.
#[diagnostic::on_unimplemented(
    message = "a hook cannot take `{Self}`",
    label = "take `WebCall`, `&WebCall`, `Form<T>`, `Json<T>`, or a type that implements `FromRequest`"
)]
pub trait HookParameter<'a>: Sized {
    #[doc(hidden)]
    fn take(from: &'a Taken) -> Result<Self, Error>;
}

impl<'a> HookParameter<'a> for &'a WebCall {
    fn take(from: &'a Taken) -> Result<Self, Error> {
        Ok(from.lend())
    }
}

impl<'a> HookParameter<'a> for WebCall {
    fn take(from: &'a Taken) -> Result<Self, Error> {
        // Moved out where it can be: its header is long.
        Ok(match from.call.take() {
            Some(call) => call,
            None => from.lend().clone(),
        })
    }
}

impl<'a, T: FromRequest> HookParameter<'a> for T {
    fn take(_: &'a Taken) -> Result<Self, Error> {
        T::from_request()
    }
}
