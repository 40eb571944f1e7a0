//! On Web Authentication that decides nothing.
#![allow(unused, reason = "only what is wrong is to be told")]
use tessera_guest::prelude::*;

mod returns {
    use super::*;
    #[on_web_authentication]
    fn admit(call: &WebCall) -> String {
        String::new()
    }
}

mod returns_nothing {
    use super::*;
    #[on_web_authentication]
    fn admit(call: &WebCall) {}
}

fn main() {}
