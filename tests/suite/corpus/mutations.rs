//! Good requests with faults put into them, the same in every run: no answer is one of the library's own, or an error of ours.

use tessera_tests::RawClient;

use super::{LAST, get, post, server};

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[tokio::test]
async fn whatever_is_sent_the_answers_are_ours() {
    let server = server().await;
    let mut random = Random(11);
    let good = [
        get("X: y\r\n"),
        post("Content-Length: 3\r\n", "abc"),
        post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    ]
    .concat();
    for number in 0..400 {
        let mut sent = good.clone().into_bytes();
        for _ in 0..=random.below(3) {
            let at = random.below(sent.len());
            match random.below(3) {
                0 => sent[at] = u8::try_from(random.below(256)).unwrap(),
                1 => drop(sent.remove(at)),
                _ => sent.insert(at, b"\r\n \t\0:;,0#@"[random.below(11)]),
            }
        }
        sent.extend_from_slice(LAST.as_bytes());
        let shown = format!("{number}: {}", sent.escape_ascii());
        let mut client = RawClient::connect(server.address).await;
        let _ = client.try_send(&sent).await;
        // A body that lost its end is waited for.
        client.finish().await;
        let answer = client.read_to_end().await;
        let count = |text: &str| answer.matches(text).count();
        assert_eq!(
            count("HTTP/1.1 ") - count("HTTP/1.1 100 "),
            count("\r\nserver: Tessera/"),
            "{shown}\n{answer}"
        );
        assert_eq!(
            count("HTTP/1.1 500 ") + count("HTTP/1.1 503 "),
            0,
            "{shown}\n{answer}"
        );
    }
    assert_eq!(server.get("/a.txt").await.text(), "text");
}
