//! Who tries passwords is slowed down, and who knows one is not kept out.

use super::{ask, basic, called_with, challenges, site};

/// Lets fields say who the client is, so that there are several.
const SEVERAL: &str = "[proxy]\ntrusted = ['127.0.0.1']\nheader = 'x-forwarded-for'\n";

async fn from(
    server: &tessera_tests::Server,
    address: &str,
    credentials: &str,
) -> tessera_tests::Reply {
    let request = http::Request::get("/doorman/x")
        .header("x-forwarded-for", address)
        .header("authorization", credentials);
    server
        .send(request.body(bytes::Bytes::new()).unwrap())
        .await
}

#[tokio::test]
async fn an_address_that_guesses_has_to_wait_and_no_other_has() {
    for mode in ["mode = 'basic'", "mode = 'basic'\nusers_file = true"] {
        let server = site(mode).settings(SEVERAL).start().await;
        for number in 0..11 {
            let refused = from(
                &server,
                "192.0.2.1",
                &basic("ann", &format!("guess {number}")),
            )
            .await;
            assert_eq!(
                (refused.status.as_u16(), challenges(&refused).len()),
                (401, 1),
                "{number}"
            );
        }
        let right = basic("ann", "secret");
        // The account's owner, from elsewhere, while the one who guesses has to wait.
        let owner = from(&server, "198.51.100.7", &right).await;
        assert_eq!(owner.status.as_u16(), 200);
        let held = from(&server, "192.0.2.1", &basic("ann", "guess 99")).await;
        // A slow machine may have let the first second go by.
        if held.status == 429 {
            let seconds: u32 = held.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds), "{seconds}");
            assert_eq!((called_with(&held), challenges(&held).len()), (None, 0));
        }
        server
            .wait_for_log(&["wrong credentials again and again"])
            .await;
        // Files and whoever does not try are served as ever.
        assert_eq!(ask(&server, "/doorman/file.txt", "").await.status, 200);
        assert_eq!(ask(&server, "/doorman/open", "").await.status, 200);
    }
}

#[tokio::test]
async fn the_same_mistake_again_is_no_guess() {
    let server = site("mode = 'basic'").start().await;
    for _ in 0..50 {
        let refused = ask(&server, "/doorman/x", &basic("ann", "mistyped")).await;
        assert_eq!(refused.status.as_u16(), 401);
    }
    assert_eq!(
        ask(&server, "/doorman/x", &basic("ann", "secret"))
            .await
            .status,
        200
    );
}
