//! The example with a login: roles, a cart, a logout, and what a session that somebody planted is worth.

use bytes::Bytes;
use http::Request;
use tessera_tests::{Reply, Server, Site, component, repository};

/// A browser with one cookie and without JavaScript.
#[derive(Default)]
struct Browser {
    cookie: Option<String>,
}

impl Browser {
    async fn get(&mut self, server: &Server, path: &str) -> Reply {
        self.ask(server, Request::get(path), "").await
    }

    async fn post(&mut self, server: &Server, path: &str, form: &str) -> Reply {
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.ask(server, request, form).await
    }

    async fn ask(
        &mut self,
        server: &Server,
        mut request: http::request::Builder,
        form: &str,
    ) -> Reply {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let reply = server
            .send(
                request
                    .body(Bytes::copy_from_slice(form.as_bytes()))
                    .unwrap(),
            )
            .await;
        if let Some(set) = reply.header("set-cookie") {
            for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
                assert!(set.contains(part), "{set}");
            }
            let pair = set.split(';').next().unwrap();
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        reply
    }

    async fn log_in(&mut self, server: &Server, name: &str, password: &str, next: &str) -> Reply {
        let form = format!("name={name}&password={password}&next={next}");
        self.post(server, "/store/login", &form).await
    }
}

async fn shop() -> Server {
    let example = repository().join("examples/shop");
    let site = Site::copy_of(&example);
    site.write(
        "components/store/store.wasm",
        std::fs::read(component("store")).unwrap(),
    );
    site.start().await
}

fn location(reply: &Reply) -> (u16, Option<&str>) {
    (reply.status.as_u16(), reply.header("location"))
}

#[tokio::test]
async fn a_customer_buys_and_a_clerk_sees_it() {
    let server = shop().await;
    let mut ann = Browser::default();
    let page = ann.get(&server, "/store/").await;
    assert_eq!(
        (page.status.as_u16(), &ann.cookie),
        (200, &None),
        "who only looks gets no session"
    );
    let put = ann
        .post(&server, "/store/cart", "article=ink&pieces=3")
        .await;
    assert_eq!(location(&put), (303, Some("./")));
    for page in ["checkout", "orders"] {
        let away = ann.get(&server, &format!("/store/{page}")).await;
        assert_eq!(location(&away), (303, Some(&*format!("login?next={page}"))));
    }
    let form = ann.get(&server, "/store/login?next=checkout").await;
    assert!(
        form.text().contains("name=\"next\" value=\"checkout\""),
        "{form:?}"
    );

    let wrong = ann.log_in(&server, "ann", "wrong", "checkout").await;
    assert_eq!(wrong.status, 401);
    assert_eq!(ann.get(&server, "/store/checkout").await.status, 303);
    let right = ann
        .log_in(&server, "ann", "correct+horse", "checkout")
        .await;
    assert_eq!(location(&right), (303, Some("checkout")));
    // The cart came along.
    let checkout = ann.get(&server, "/store/checkout").await;
    assert!(
        checkout.text().contains("3 &#215; ink") && checkout.text().contains("13.50"),
        "{checkout:?}"
    );
    assert_eq!(ann.get(&server, "/store/orders").await.status, 403);
    assert_eq!(ann.post(&server, "/store/checkout", "").await.status, 200);
    // A second click buys nothing.
    assert_eq!(ann.post(&server, "/store/checkout", "").await.status, 409);

    let mut carl = Browser::default();
    let link = carl
        .log_in(&server, "carl", "battery+staple", "https://evil.example/")
        .await;
    assert_eq!(location(&link), (303, Some("./")));
    let orders = carl.get(&server, "/store/orders").await;
    assert!(
        orders.text().contains("ann") && orders.text().contains("3 &#215; ink"),
        "{orders:?}"
    );
    assert_eq!(
        carl.get(&server, "/store/checkout").await.status,
        200,
        "a clerk is a customer, too"
    );

    let before = ann.cookie.clone();
    assert_eq!(
        location(&ann.post(&server, "/store/logout", "").await),
        (303, Some("./"))
    );
    ann.cookie = before;
    let away = ann.get(&server, "/store/checkout").await;
    assert_eq!(away.status, 303, "the session has ended on the server, too");
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_worth_nothing_after_the_login() {
    let server = shop().await;
    // The attacker begins a session and gives it to the victim.
    let mut attacker = Browser::default();
    attacker
        .post(&server, "/store/cart", "article=pen&pieces=1")
        .await;
    let planted = attacker.cookie.clone().unwrap();
    let mut victim = Browser {
        cookie: Some(planted.clone()),
    };
    assert_eq!(
        victim
            .log_in(&server, "carl", "battery+staple", "orders")
            .await
            .status,
        303
    );
    assert_ne!(victim.cookie.as_ref(), Some(&planted));
    assert_eq!(victim.get(&server, "/store/orders").await.status, 200);
    attacker.cookie = Some(planted);
    let away = attacker.get(&server, "/store/orders").await;
    assert_eq!(location(&away), (303, Some("login?next=orders")));
    // One that nobody ever began is no way in either.
    let mut invented = Browser {
        cookie: Some(format!("4DSID_store={}", "A".repeat(32))),
    };
    assert_eq!(invented.get(&server, "/store/orders").await.status, 303);
}

#[tokio::test]
async fn carts_of_one_visitor_in_two_windows_are_both_kept() {
    let server = shop().await;
    let mut ann = Browser::default();
    ann.post(&server, "/store/cart", "article=ink&pieces=1")
        .await;
    let cookie = ann.cookie.clone();
    let window = async |form: &'static str| {
        let mut window = Browser {
            cookie: cookie.clone(),
        };
        for _ in 0..20 {
            assert_eq!(window.post(&server, "/store/cart", form).await.status, 303);
        }
    };
    tokio::join!(
        window("article=paper&pieces=2"),
        window("article=pen&pieces=3")
    );
    ann.log_in(&server, "ann", "correct+horse", "").await;
    let page = ann.get(&server, "/store/checkout").await;
    for part in ["1 &#215; ink", "2 &#215; paper", "3 &#215; pen"] {
        assert!(page.text().contains(part), "{part}: {page:?}");
    }
}
