//! What a test runs: one function, or the component as the host would.

use super::request::Request;
use super::response::Response;
use crate::argument::{Arguments, Parameter};
use crate::export::{self, Hook};
use crate::extract::{HookParameter, Taken};
use crate::memory::{self, form};
use crate::reply::{Reply, Verdict};
use crate::types::{Value, WebCall};

/// Where a component's methods begin.
const METHOD_PREFIX: &str = "/4DACTION/";

impl Request {
    /// Runs a function as On Web Connection; the same as [`connect`](Self::connect).
    pub fn call<P>(self, handler: impl Handler<P>) -> Response {
        self.connect(handler)
    }

    /// Runs a function as On Web Connection.
    pub fn connect<P>(self, handler: impl Handler<P>) -> Response {
        let call = self.web_call();
        self.run(|_| handler.handle(call).map(|()| Value::Null))
    }

    /// Runs a function as On Web Authentication. An error refuses too; its text is returned.
    pub fn authenticate<P>(self, hook: impl Decide<P>) -> Result<bool, String> {
        let call = self.web_call();
        memory::run(self.exchange, || hook.decide(call)).1
    }

    /// Runs a function as a method, with the arguments that were added.
    pub fn method<P>(self, method: impl Method<P>) -> Response {
        self.run(|arguments| method.call(arguments))
    }

    fn run(
        mut self,
        function: impl FnOnce(Arguments<'static>) -> Result<Value, String>,
    ) -> Response {
        // A function may borrow from its arguments in what it returns; a test leaves them to the process's end.
        let arguments = Vec::leak(std::mem::take(&mut self.arguments));
        let (exchange, returned) =
            memory::run(self.exchange, || function(Arguments::new(arguments)));
        Response::of(exchange, returned)
    }

    /// Runs the crate's component as the host would: On Web Authentication, COMPILER_WEB, then the method that
    /// the URL names or On Web Connection.
    ///
    /// # Panics
    ///
    /// If the crate has two functions for the same hook, or two methods of the same name.
    #[track_caller]
    pub fn send(self) -> Response {
        let component = Component::of_this_crate();
        let call = self.web_call();
        if let Some(authenticate) = component.authenticate {
            let (exchange, verdict) = memory::run(self.exchange, || authenticate(call.clone()));
            return match verdict {
                Ok(true) => component.answer(exchange, call),
                Ok(false) => Response::of(exchange, Ok(Value::Null)).replaced_by(401),
                Err(error) => Response::of(exchange, Err(error)).replaced_by(401),
            };
        }
        component.answer(self.exchange, call)
    }

    /// Runs the crate's On Web Close Process, if it has one, in the session of this request.
    #[track_caller]
    pub fn close_process(self) -> Response {
        let component = Component::of_this_crate();
        let (exchange, ()) = memory::run(self.exchange, || {
            if let Some(end) = component.end_session {
                end();
            }
        });
        Response::of(exchange, Ok(Value::Null))
    }
}

/// The hooks of the crate under test.
#[derive(Default)]
struct Component {
    authenticate: Option<fn(WebCall) -> Result<bool, String>>,
    connect: Option<fn(WebCall) -> Result<(), String>>,
    compile: Option<fn()>,
    end_session: Option<fn()>,
}

impl Component {
    #[track_caller]
    fn of_this_crate() -> Self {
        let mut component = Self::default();
        for hook in inventory::iter::<Hook> {
            let (attribute, is_second) = match *hook {
                Hook::Authentication(hook) => (
                    "on_web_authentication",
                    component.authenticate.replace(hook).is_some(),
                ),
                Hook::Connection(hook) => (
                    "on_web_connection",
                    component.connect.replace(hook).is_some(),
                ),
                Hook::Compiler(hook) => ("compiler_web", component.compile.replace(hook).is_some()),
                Hook::SessionEnd(hook) => (
                    "on_web_close_process",
                    component.end_session.replace(hook).is_some(),
                ),
            };
            assert!(!is_second, "two functions are #[{attribute}]: remove one");
        }
        for method in inventory::iter::<export::Method> {
            let same = inventory::iter::<export::Method>
                .into_iter()
                .filter(|other| other.name.eq_ignore_ascii_case(method.name));
            assert_eq!(
                same.count(),
                1,
                "two methods are named {}: rename one",
                method.name
            );
        }
        component
    }

    /// Runs COMPILER_WEB and then what the URL names.
    fn answer(&self, exchange: memory::Exchange, call: WebCall) -> Response {
        let refuse = |exchange, status| Response::of(exchange, Ok(Value::Null)).replaced_by(status);
        let Some((name, param)) = action(call.path()) else {
            let Some(connect) = self.connect else {
                return refuse(exchange, 404);
            };
            return self.run(exchange, || connect(call).map(|()| Value::Null));
        };
        let Some(method) = export::method(&form::decode(name)) else {
            return refuse(exchange, 404);
        };
        if !method.available {
            return refuse(exchange, 403);
        }
        let mut arguments = Vec::new();
        if !param.is_empty() {
            arguments.push(form::decode(param).into());
        }
        self.run(exchange, || (method.call)(Arguments::new(&mut arguments)))
    }

    fn run(
        &self,
        exchange: memory::Exchange,
        function: impl FnOnce() -> Result<Value, String>,
    ) -> Response {
        let (exchange, returned) = memory::run(exchange, || {
            if let Some(compile) = self.compile {
                compile();
            }
            function()
        });
        Response::of(exchange, returned)
    }
}

/// Method and parameter of a path like `/4DACTION/Method/Param`.
fn action(path: &str) -> Option<(&str, &str)> {
    let prefix = path.get(..METHOD_PREFIX.len())?;
    if !prefix.eq_ignore_ascii_case(METHOD_PREFIX) {
        return None;
    }
    let rest = &path[METHOD_PREFIX.len()..];
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

/// A function that can be On Web Connection.
pub trait Handler<P> {
    /// Runs it.
    fn handle(self, call: WebCall) -> Result<(), String>;
}

/// A function that can be On Web Authentication.
pub trait Decide<P> {
    /// Runs it.
    fn decide(self, call: WebCall) -> Result<bool, String>;
}

macro_rules! hook_of {
    ($($parameter:ident)*) => {
        impl<F, R, $($parameter),*> Handler<($($parameter,)*)> for F
        where
            F: FnOnce($($parameter),*) -> R,
            R: Reply,
            $($parameter: HookParameter<'static>,)*
        {
            #[allow(unused_variables, reason = "without parameters")]
            fn handle(self, call: WebCall) -> Result<(), String> {
                let taken = leaked(call);
                export::answer(|| Ok(self($(export::taken::<$parameter>(taken)?),*)))
            }
        }

        impl<F, V, $($parameter),*> Decide<($($parameter,)*)> for F
        where
            F: FnOnce($($parameter),*) -> V,
            V: Verdict,
            $($parameter: HookParameter<'static>,)*
        {
            #[allow(unused_variables, reason = "without parameters")]
            fn decide(self, call: WebCall) -> Result<bool, String> {
                let taken = leaked(call);
                export::decide(|| Ok(self($(export::taken::<$parameter>(taken)?),*)))
            }
        }
    };
}

hook_of!();
hook_of!(A);
hook_of!(A B);
hook_of!(A B C);
hook_of!(A B C D);

/// The reply may borrow from the call; a test leaves it to the process's end.
fn leaked(call: WebCall) -> &'static Taken {
    Box::leak(Box::new(Taken::new(call)))
}

/// A function that can be a method.
pub trait Method<P> {
    /// Runs it.
    fn call(self, arguments: Arguments<'static>) -> Result<Value, String>;
}

macro_rules! method_of {
    ($($parameter:ident)*) => {
        impl<F, R, $($parameter),*> Method<($($parameter,)*)> for F
        where
            F: FnOnce($($parameter),*) -> R,
            R: Reply,
            $($parameter: Parameter<'static>,)*
        {
            #[allow(unused_mut, unused_variables, reason = "without parameters")]
            fn call(self, mut arguments: Arguments<'static>) -> Result<Value, String> {
                export::give(|| Ok(self($(arguments.take::<$parameter>()?),*)))
            }
        }
    };
}

method_of!();
method_of!(A);
method_of!(A B);
method_of!(A B C);
method_of!(A B C D);
