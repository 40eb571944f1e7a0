//! A clock: one event each second, for as long as somebody looks at it.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tessera_guest::prelude::*;

/// Before its deadline a stream is ended in good order.
const REST: Duration = Duration::from_secs(2);
const SECOND: u128 = 1000;

#[on_web_connection]
fn clock(call: &WebCall) -> impl Reply {
    routes!(call,
        GET "/now" => || text(now().to_string()),
        GET "/ticks" => ticks,
    )
}

/// An event `tick` at the beginning of each second, with the milliseconds since 1970 as its data.
fn ticks() -> impl Reply {
    events(|out| {
        // The browser asks again a second after a stream has ended.
        out.retry(Duration::from_secs(1))?;
        for number in 1u64.. {
            if request::remaining_time() <= REST {
                break;
            }
            out.send(Event::new(now()).name("tick").id(number))?;
            let rest = SECOND - now() % SECOND;
            #[expect(
                clippy::disallowed_methods,
                reason = "the instance is this request's alone, and the host sees that it waits"
            )]
            thread::sleep(Duration::from_millis(rest as u64));
        }
        Ok(())
    })
}

fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_guest::test;

    #[test]
    fn ticks_until_the_time_is_nearly_over() {
        let request = test::get("/ticks").remaining_time(REST);
        let response = request.connect(clock);
        assert_eq!(response.header("content-type"), Some("text/event-stream"));
        assert_eq!(response.text(), "retry: 1000\n\n");
        let now: u128 = test::get("/now").connect(clock).text().parse().unwrap();
        assert!(now > 1_700_000_000_000);
    }
}
