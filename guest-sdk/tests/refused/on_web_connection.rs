//! On Web Connection with what it cannot take, return or be.
#![allow(unused, reason = "only what is wrong is to be told")]
use tessera_guest::prelude::*;

mod takes {
    use super::*;
    #[on_web_connection]
    fn shop(number: u32) -> &'static str {
        "page"
    }
}

mod returns {
    use super::*;
    #[on_web_connection]
    fn shop(call: &WebCall) -> Vec<u8> {
        Vec::new()
    }
}

mod is {
    use super::*;
    #[on_web_connection(fast)]
    async fn shop<T>(call: &WebCall, again: WebCall, other: T) -> &'static str {
        "page"
    }
}

mod is_none {
    use super::*;
    #[on_web_connection]
    struct Shop;
}

fn main() {}
