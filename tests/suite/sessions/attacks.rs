//! What attackers try with sessions, and what they get.

use serde_json::json;
use tessera_tests::{Server, Site};

use super::{Browser, ROLES, cookies};

async fn site() -> Server {
    let settings = format!("[sessions]\nstore = 'memory'\n{ROLES}");
    Site::new()
        .guest_with("session", &settings)
        .guest_as_with("session", "other", &settings)
        .start()
        .await
}

async fn ann(server: &Server) -> Browser {
    let mut ann = Browser::default();
    ann.ask(server, "login/ann/editor").await;
    ann
}

#[tokio::test]
async fn a_session_that_was_known_before_a_login_is_not_the_one_after_it() {
    let server = site().await;
    // The attacker has the victim use a session whose cookie the attacker knows, or made up.
    let mut attacker = Browser::default();
    attacker.ask(&server, "count/trap").await;
    let mut victim = attacker.clone();
    victim.ask(&server, "login/ann/editor").await;
    assert_eq!(attacker.ask(&server, "info").await["guest"], true);
    assert_eq!(
        attacker.ask(&server, "get/trap").await,
        json!(null),
        "the old one is gone"
    );
    let made_up = "A".repeat(32);
    let mut fixed = Browser::with(&format!("4DSID_session={made_up}"));
    fixed.ask(&server, "login/bob/editor").await;
    assert_ne!(fixed.secret(), made_up);
}

#[tokio::test]
async fn what_is_no_secret_of_this_server_is_a_guest() {
    let server = site().await;
    let mut victim = ann(&server).await;
    // The cookie of another server, under its name and under this one's.
    let mut stranger = Browser::default();
    let reply = stranger
        .get(&server, "/other/4DACTION/login/eve/editor")
        .await;
    assert_eq!(reply.json()["user"], "eve");
    let secret = stranger.secret().to_owned();
    let told = stranger.ask(&server, "info").await;
    assert_eq!((&told["user"], &told["guest"]), (&json!(""), &json!(true)));
    let id = victim.ask(&server, "info").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let unpadded = victim.secret().to_owned();
    for value in [
        secret.as_str(),
        "",
        &id,
        &unpadded[1..],
        &format!("{unpadded}="),
        &format!("\"{unpadded}\""),
        &format!("{unpadded}%0d%0aSet-Cookie:x"),
        &"x".repeat(4000),
        "../../../etc/passwd",
    ] {
        let mut made = Browser::with(&format!("4DSID_session={value}"));
        let told = made.ask(&server, "info").await;
        assert_eq!(
            (&told["user"], &told["guest"]),
            (&json!(""), &json!(true)),
            "{value}"
        );
    }
}

#[tokio::test]
async fn a_one_time_token_is_good_once_and_on_its_server() {
    let server = site().await;
    let mut victim = ann(&server).await;
    // In the URL before any code runs.
    let otp = victim
        .ask(&server, "otp/30")
        .await
        .as_str()
        .unwrap()
        .to_owned();
    let mut phone = Browser::default();
    let told = phone
        .get(&server, &format!("/session/x?$4DSID={otp}"))
        .await
        .json();
    assert_eq!(told["user"], "ann");
    assert_eq!(phone.secret(), victim.secret());
    let mut thief = Browser::default();
    let told = thief
        .get(&server, &format!("/session/x?$4DSID={otp}"))
        .await
        .json();
    assert_eq!((&told["user"], thief.cookie.is_none()), (&json!(""), true));
    assert_eq!(thief.ask(&server, &format!("restore/{otp}")).await, false);
    let otp = victim
        .ask(&server, "otp/")
        .await
        .as_str()
        .unwrap()
        .to_owned();
    let reply = thief
        .get(&server, &format!("/other/4DACTION/restore/{otp}"))
        .await;
    assert_eq!(reply.json(), false, "it is of another server");
    assert_eq!(thief.ask(&server, &format!("restore/{otp}")).await, true);
    assert_eq!(thief.ask(&server, "info").await["user"], "ann");
}

#[tokio::test]
async fn line_breaks_in_names_and_values_make_no_fields() {
    let server = site().await;
    // Through what a component takes from the URL.
    let mut browser = Browser::default();
    let reply = browser
        .get(
            &server,
            "/session/4DACTION/cookie/a%0D%0ASet-Cookie:%20evil=1",
        )
        .await;
    assert_eq!(reply.json(), json!([true, false]), "{reply:?}");
    assert!(
        cookies(&reply)
            .iter()
            .all(|it| it.starts_with("4DSID_session=")),
        "{reply:?}"
    );
    let told = browser
        .ask(&server, "login/a%0D%0ASet-Cookie:%20evil=1/reader")
        .await;
    assert_eq!(told["user"], "a\r\nSet-Cookie: evil=1");
    // A web process that traps gives nothing away, and its session is nobody's.
    let reply = Browser::default()
        .get(&server, "/session/4DACTION/trap")
        .await;
    assert_eq!((reply.status.as_u16(), cookies(&reply).len()), (500, 0));
}
