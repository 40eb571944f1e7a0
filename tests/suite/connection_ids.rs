//! Which requests came by the same connection, as the access log tells it.

use bytes::Bytes;
use http::Request;
use tessera_tests::{Client, Site};

const SETTINGS: &str =
    "logRecording = 4\n[weblog]\nfields = [\"CONNECTION_ID\", \"CS_URI_QUERY\"]\n";

#[tokio::test]
async fn requests_of_one_connection_have_its_number_and_no_other_has() {
    let site = Site::new().settings(SETTINGS).page("a.txt", "alpha");
    let server = site.start().await;
    let ask = async |client: &mut Client, query: &str| {
        let request = Request::get(format!("/a.txt?{query}")).body(Bytes::new());
        assert_eq!(client.send(request.unwrap()).await.unwrap().status, 200);
    };
    let mut first = Client::http1(server.address).await.unwrap();
    ask(&mut first, "one").await;
    let mut second = Client::http2(server.address).await.unwrap();
    ask(&mut second, "two").await;
    ask(&mut first, "three").await;
    ask(&mut second, "four").await;
    let (exit, site) = server.stop().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let log = site.read("Logs/logweb.txt");
    let number = |query: &str| -> u64 {
        let line = log
            .lines()
            .find(|line| line.ends_with(&format!("\t{query}")));
        let number = line.and_then(|line| line.split('\t').next());
        number.unwrap_or_else(|| panic!("{log}")).parse().unwrap()
    };
    let (one, two) = (number("one"), number("two"));
    assert!(one > 0 && two > one, "{log}");
    assert_eq!((number("three"), number("four")), (one, two), "{log}");
}
