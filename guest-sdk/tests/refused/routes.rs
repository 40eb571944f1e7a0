//! Routes that can never fit, and what is no function of a route.
#![allow(unused, reason = "only what is wrong is to be told")]
use tessera_guest::prelude::*;

mod patterns {
    use super::*;
    fn shop(call: &WebCall) -> impl Reply {
        routes!(call,
            get "/" => || "page",
            GET "orders" => || "page",
            GET "/a{id}" => |id: u32| "page",
            GET "/{rest*}/a" => |rest: &str| "page",
            GET "/a?b=c" => || "page",
        )
    }
}

mod functions {
    use super::*;
    fn shop(call: &WebCall) -> impl Reply {
        routes!(call, GET "/" => "page")
    }
}

fn main() {}
