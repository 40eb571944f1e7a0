//! Addresses of On Web Connection, and the functions that answer them.

use std::borrow::Cow;

use crate::argument::{Arguments, Parameter};
use crate::error::Error;
use crate::reply::{Reply, Status};
use crate::types::{Value, WebCall};
use crate::{percent, request, response};

/// Answers a call by the function of the first route that fits it.
///
/// A route is a verb in upper case, or `ANY`, a pattern and a function or closure. A pattern begins with `/`; a segment in braces, `{name}`,
/// stands for any one segment that is not empty, and `{name*}` at the end for all the rest, slashes included. What they
/// stood for is given to the function, percent-decoded and in order, as its first [`Parameter`]s; after
/// them come [`Form`](crate::Form), [`Json`](crate::Json) and other [`FromRequest`](crate::FromRequest)s. A segment that does not fit its
/// parameter (`abc` for a `u32`) means that there is no such page: 404.
///
/// The value is a [`Reply`]: what the function answered; 404 if no pattern fits; 405 with `Allow` if one does, but for another
/// verb. `GET` answers `HEAD`, too.
///
/// ```
/// use serde::Deserialize;
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// #[derive(Deserialize)]
/// struct Order { article: String }
///
/// fn home() -> &'static str { "<h1>Shop</h1>" }
///
/// fn order(number: u32) -> Result<impl Reply, Error> {
///     let article = ["pen", "ink"].get(number as usize).or_refuse(404, "no such order")?;
///     Ok(html(format!("<p>{article}")))
/// }
///
/// fn create(form: Form<Order>) -> impl Reply {
///     redirect(format!("/orders/{}", form.article.len())).see_other()
/// }
///
/// #[on_web_connection]
/// fn shop(call: &WebCall) -> impl Reply {
///     routes!(call,
///         GET "/" => home,
///         GET "/orders/{number}" => order,
///         POST "/orders" => create,
///         ANY "/echo/{rest*}" => |rest: &str| text(rest.to_owned()),
///     )
/// }
///
/// assert_eq!(test::get("/").connect(shop).text(), "<h1>Shop</h1>");
/// assert_eq!(test::get("/orders/1").connect(shop).text(), "<p>ink");
/// assert_eq!(test::get("/orders/7").connect(shop).text(), "no such order");
/// assert_eq!(test::get("/orders/x").connect(shop).status, 404);
/// assert_eq!(test::post("/orders").form([("article", "p")]).connect(shop).status, 303);
/// assert_eq!(test::get("/echo/a%20b/c").connect(shop).text(), "a b/c");
/// let refused = test::get("/orders").connect(shop);
/// assert_eq!((refused.status, refused.header("allow")), (405, Some("POST")));
/// ```
#[macro_export]
macro_rules! routes {
    ($call:expr, $($verb:ident $pattern:literal => $function:expr),+ $(,)?) => {{
        let mut __tessera_routes = $crate::__private::Routes::new(&$call);
        '__tessera_found: {
            $(
                const _: () = $crate::__private::check_route(stringify!($verb), $pattern);
                if let Some(mut __tessera_values) = __tessera_routes.find(stringify!($verb), $pattern) {
                    break '__tessera_found $crate::__private::routed(&mut __tessera_values, $function);
                }
            )+
            __tessera_routes.missed()
        }
    }};
}

/// What the routes came to; made by [`routes!`].
#[derive(Debug)]
pub struct Routed(Result<Value, Error>);

impl Reply for Routed {
    fn send(self) -> Result<(), Error> {
        // On Web Connection gives nothing to a page.
        self.0.and_then(|value| value.send())
    }

    fn give(self) -> Result<Value, Error> {
        self.0
    }
}

/// The routes of one call, tried in turn.
#[doc(hidden)]
pub struct Routes<'a> {
    path: &'a str,
    verb: String,
    allowed: Vec<&'static str>,
}

impl<'a> Routes<'a> {
    /// Begins with the first.
    pub fn new(call: &'a WebCall) -> Self {
        Self {
            path: call.path(),
            verb: request::method(),
            allowed: Vec::new(),
        }
    }

    /// What the pattern's names stand for, if the route fits.
    pub fn find(&mut self, verb: &'static str, pattern: &str) -> Option<Vec<Value>> {
        let values = fit(pattern, self.path)?;
        let is_wanted = verb == "ANY"
            || self.verb.eq_ignore_ascii_case(verb)
            || (verb == "GET" && self.verb == "HEAD");
        if is_wanted {
            return Some(values);
        }
        if !self.allowed.contains(&verb) {
            self.allowed.push(verb);
        }
        None
    }

    /// The answer if none fits.
    pub fn missed(self) -> Routed {
        if self.allowed.is_empty() {
            return Routed(Status(404).give());
        }
        let mut allowed = self.allowed;
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        let set = response::set_header("Allow", &allowed.join(", "));
        Routed(set.map_err(Error::from).and_then(|()| Status(405).give()))
    }
}

/// The values of the names of a pattern that fits the path.
fn fit(pattern: &str, path: &str) -> Option<Vec<Value>> {
    // An empty vector takes no memory, so a route that does not fit costs a comparison.
    let mut values = Vec::new();
    let (mut pattern, mut path) = (pattern.strip_prefix('/')?, path.strip_prefix('/')?);
    loop {
        let (wanted, pattern_rest) = segment(pattern);
        let (given, path_rest) = segment(path);
        let name = wanted
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        match name {
            Some(name) if name.ends_with('*') => {
                values.push(Value::Text(percent::decode(path).into_owned()));
                return Some(values);
            }
            Some(_) if given.is_empty() => return None,
            Some(_) => values.push(Value::Text(percent::decode(given).into_owned())),
            None if wanted != given && Cow::Borrowed(wanted) != percent::decode(given) => {
                return None;
            }
            None => {}
        }
        match (pattern_rest, path_rest) {
            (None, None) => return Some(values),
            (Some(pattern_rest), Some(path_rest)) => (pattern, path) = (pattern_rest, path_rest),
            _ => return None,
        }
    }
}

/// The text up to the next slash, and what is behind that.
fn segment(text: &str) -> (&str, Option<&str>) {
    match text.split_once('/') {
        Some((segment, rest)) => (segment, Some(rest)),
        None => (text, None),
    }
}

/// Refuses a route that can never fit, when the component is compiled.
#[doc(hidden)]
pub const fn check_route(verb: &str, pattern: &str) {
    let verb = verb.as_bytes();
    let mut at = 0;
    while at < verb.len() {
        assert!(
            verb[at].is_ascii_uppercase(),
            "a route begins with a verb in upper case, or ANY: `GET \"/path\" => function`"
        );
        at += 1;
    }
    let pattern = pattern.as_bytes();
    assert!(
        !pattern.is_empty() && pattern[0] == b'/',
        "the pattern of a route begins with `/`"
    );
    let mut at = 0;
    while at < pattern.len() {
        let byte = pattern[at];
        assert!(
            byte != b'?' && byte != b'#',
            "the pattern of a route is a path: take the query by `Form<T>`"
        );
        let opens = byte == b'{';
        assert!(
            !opens || pattern[at - 1] == b'/',
            "a name in braces is a whole segment of the pattern: `/orders/{{number}}`"
        );
        let closes = byte == b'}';
        let is_last = at + 1 == pattern.len();
        assert!(
            !closes || is_last || pattern[at + 1] == b'/',
            "a name in braces is a whole segment of the pattern: `/orders/{{number}}`"
        );
        let is_rest = closes && pattern[at - 1] == b'*';
        assert!(
            !is_rest || is_last,
            "`{{name*}}` takes all the rest, so it ends the pattern"
        );
        at += 1;
    }
}

/// Calls the function of a route, and sends what it answers.
#[doc(hidden)]
pub fn routed<'a, P>(values: &'a mut [Value], function: impl RouteFunction<'a, P>) -> Routed {
    Routed(function.answer(Arguments::of_path(values)))
}

/// A function that can answer a route: it takes up to eight [`Parameter`]s and returns a [`Reply`].
#[diagnostic::on_unimplemented(
    message = "a route cannot be answered by this",
    label = "not a function of a route",
    note = "write a function or closure that takes up to eight parameters, first those that the pattern names, then `Form<T>`, `Json<T>` and the like, and returns a `Reply`"
)]
pub trait RouteFunction<'a, P> {
    #[doc(hidden)]
    fn answer(self, arguments: Arguments<'a>) -> Result<Value, Error>;
}

macro_rules! function_of {
    ($($parameter:ident)*) => {
        impl<'a, F, R, $($parameter),*> RouteFunction<'a, ($($parameter,)*)> for F
        where
            F: FnOnce($($parameter),*) -> R,
            R: Reply,
            $($parameter: Parameter<'a>,)*
        {
            #[allow(unused_mut, unused_variables, reason = "without parameters")]
            fn answer(self, mut arguments: Arguments<'a>) -> Result<Value, Error> {
                self($(arguments.take::<$parameter>()?),*).send().map(|()| Value::Null)
            }
        }
    };
}

function_of!();
function_of!(A);
function_of!(A B);
function_of!(A B C);
function_of!(A B C D);
function_of!(A B C D E);
function_of!(A B C D E G);
function_of!(A B C D E G H);
function_of!(A B C D E G H I);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::text;
    use crate::test;

    #[test]
    fn patterns_fit_whole_segments() {
        let check = |pattern: &str, path: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|values| {
                values
                    .iter()
                    .map(|&value| Value::from(value))
                    .collect::<Vec<_>>()
            });
            assert_eq!(fit(pattern, path), expected, "{pattern} {path}");
        };
        check("/", "/", Some(&[]));
        check("/", "/a", None);
        check("/a/b", "/a/b", Some(&[]));
        check("/a b", "/a%20b", Some(&[]));
        check("/a/b", "/a/b/", None);
        check("/a/b", "/a", None);
        check("/a", "/A", None);
        check("/{id}", "/", None);
        check("/{id}", "/7", Some(&["7"]));
        check("/{id}", "/a%2Fb", Some(&["a/b"]));
        check("/a/{id}/c/{x}", "/a/1/c/2", Some(&["1", "2"]));
        check("/a/{id}/c", "/a/1/d", None);
        check("/a/{rest*}", "/a/", Some(&[""]));
        check("/a/{rest*}", "/a/b/c/", Some(&["b/c/"]));
        check("/a/{rest*}", "/a", None);
        check("/a", "a", None);
    }

    #[test]
    fn the_first_route_that_fits_answers() {
        let call = |verb: &str, url: &str| {
            let moved = String::from("moved");
            test::request(verb, url).connect(move |call: &WebCall| {
                routes!(call,
                    GET "/a" => || text(moved),
                    GET "/a" => || text("never"),
                    PUT "/a" => || text(moved),
                    DELETE "/a/{id}" => |id: u8, more: Option<&str>| text(format!("{id} {more:?}")),
                    ANY "/b" => || Err::<(), _>("broken"),
                )
                .with_header("X-Routed", "1")
            })
        };
        assert_eq!(call("GET", "/a?b=c").text(), "moved");
        assert_eq!(call("HEAD", "/a").header("x-routed"), Some("1"));
        assert_eq!(call("PUT", "/a").text(), "moved");
        assert_eq!(call("DELETE", "/a/7").text(), "7 None");
        assert_eq!(call("DELETE", "/a/256").status, 404);
        assert_eq!(call("POST", "/b").error.as_deref(), Some("broken"));
        assert_eq!(call("GET", "/c").status, 404);
        let refused = call("PATCH", "/a");
        assert_eq!(refused.status, 405);
        assert_eq!(refused.header("allow"), Some("GET, PUT, HEAD"));
    }
}
