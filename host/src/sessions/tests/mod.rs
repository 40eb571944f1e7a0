//! What sessions promise, whatever store they are in.

mod bounds;

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use tessera_engine::{Call, Peer, Session, SessionError, SessionExpected, SessionValue, Sessions};

use super::*;
use crate::settings::{SessionCookie, StoreKind};

fn settings(store: StoreKind) -> settings::Sessions {
    settings::Sessions {
        enabled: true,
        store,
        bytes_max: 1 << 20,
        session_bytes_max: 4096,
        roles: [
            ("reader".to_owned(), Vec::new()),
            ("editor".to_owned(), vec!["reader".to_owned()]),
        ]
        .into(),
        cookie: SessionCookie {
            domain: None,
            path: "/".to_owned(),
            same_site: "Strict",
        },
    }
}

/// The sessions of a server named shop, in each store that needs no other process, and the folder of the file.
fn homes() -> (Vec<Arc<ServerSessions>>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let stores = SessionStores::new(folder.path().to_owned());
    let home = |kind| ServerSessions::new("shop".into(), &settings(kind), &stores, None).unwrap();
    (vec![home(StoreKind::Memory), home(StoreKind::File)], folder)
}

fn call(url: &str, cookie: Option<&str>) -> Call {
    let mut headers = HeaderMap::new();
    if let Some(cookie) = cookie {
        headers.insert("cookie", HeaderValue::from_str(cookie).unwrap());
    }
    let here = [127, 0, 0, 1].into();
    let peer = Peer {
        client: here,
        server: here,
        secured: false,
    };
    Call::get(1, url.to_owned(), headers.into(), peer, "shop".into())
}

fn begin(home: &Arc<ServerSessions>, cookie: Option<&str>) -> Box<dyn Session> {
    home.clone().begin(&call("/", cookie))
}

/// The cookie that a client sends after a response with this one.
fn sent_back(session: &mut Box<dyn Session>) -> Option<String> {
    let cookie = session.take_cookie()?;
    let text = cookie.to_str().unwrap();
    Some(text.split(';').next().unwrap().to_owned())
}

async fn set(session: &mut Box<dyn Session>, key: &str, value: &'static str) -> u64 {
    let value = Bytes::from_static(value.as_bytes());
    session
        .set(key.to_owned(), value, SessionExpected::Any)
        .await
        .unwrap()
}

async fn value(session: &mut Box<dyn Session>, key: &str) -> Option<String> {
    let stored = session.get(key.to_owned()).await.unwrap()?;
    Some(String::from_utf8(stored.value.to_vec()).unwrap())
}

/// What lies in the store of a server.
async fn entries(home: &ServerSessions) -> usize {
    home.vault.keys(None).await.unwrap().keys.len()
}

#[tokio::test]
async fn a_session_begins_when_something_is_written() {
    let (homes, _folder) = homes();
    for home in homes {
        let mut guest = begin(&home, None);
        assert!(!guest.is_ready());
        guest.ready().await.unwrap();
        let id = guest.id();
        assert_eq!(value(&mut guest, "a").await, None);
        assert_eq!(guest.keys().await.unwrap(), [""; 0]);
        guest
            .remove("a".into(), SessionExpected::Any)
            .await
            .unwrap();
        guest.clear_privileges().await.unwrap();
        guest
            .set_privileges(vec!["unknown".into()], None)
            .await
            .unwrap();
        guest.close().await.unwrap();
        assert_eq!((sent_back(&mut guest), entries(&home).await), (None, 0));
        assert_eq!(set(&mut guest, "a", "1").await, 1);
        assert_eq!(guest.id(), id, "it is the one that it would have been");
        let cookie = sent_back(&mut guest).unwrap();
        assert!(!cookie.contains(&id), "the identifier is not the secret");

        let mut next = begin(&home, Some(&cookie));
        assert_eq!(value(&mut next, "a").await.as_deref(), Some("1"));
        assert_eq!(set(&mut next, "b", "2").await, 2);
        assert_eq!(next.id(), id);
        assert_eq!(sent_back(&mut next), None, "the client has it already");
        assert_eq!(next.keys().await.unwrap(), ["a", "b"]);
        next.close().await.unwrap();
        assert_eq!(sent_back(&mut next).unwrap(), "4DSID_shop=");
        assert_eq!(
            value(&mut next, "a").await.as_deref(),
            Some("1"),
            "until it is answered"
        );
        let late = next
            .set("c".into(), Bytes::new(), SessionExpected::Any)
            .await;
        assert_eq!(late, Err(SessionError::Ended));
        assert_eq!(entries(&home).await, 0);
        let mut gone = begin(&home, Some(&cookie));
        assert_eq!(value(&mut gone, "a").await, None);
        assert_ne!(gone.id(), id);
    }
}

#[tokio::test]
async fn a_login_gets_a_new_secret_and_the_old_one_is_worth_nothing() {
    let (homes, _folder) = homes();
    for home in homes {
        let mut guest = begin(&home, None);
        set(&mut guest, "cart", "1").await;
        let (before, old_id) = (sent_back(&mut guest).unwrap(), guest.id());
        // Another request of the same client, that began before.
        let mut other = begin(&home, Some(&before));
        other.ready().await.unwrap();

        let mut login = begin(&home, Some(&before));
        login
            .set_privileges(vec!["reader".into()], Some("ann".into()))
            .await
            .unwrap();
        let after = sent_back(&mut login).unwrap();
        assert_ne!(before, after);
        assert_ne!(login.id(), old_id);
        assert!(login.has_privilege("reader") && !login.has_privilege("editor"));
        assert_eq!(value(&mut login, "cart").await.as_deref(), Some("1"));
        let late = other
            .set("cart".into(), Bytes::new(), SessionExpected::Any)
            .await;
        assert_eq!(
            late,
            Err(SessionError::Ended),
            "what began before gains nothing"
        );
        let mut attacker = begin(&home, Some(&before));
        attacker.ready().await.unwrap();
        assert!(attacker.privileges().is_empty() && attacker.user_name().is_empty());
        assert_eq!(value(&mut attacker, "cart").await, None);

        let mut more = begin(&home, Some(&after));
        more.set_privileges(vec!["editor".into()], None)
            .await
            .unwrap();
        let most = sent_back(&mut more).unwrap();
        assert_ne!(after, most, "more than before");
        assert_eq!(more.privileges(), ["editor", "reader"]);
        let mut less = begin(&home, Some(&most));
        less.set_privileges(vec!["reader".into()], None)
            .await
            .unwrap();
        assert_eq!(sent_back(&mut less), None, "less than before");
        assert_eq!(
            (less.user_name().as_str(), less.privileges().len()),
            ("ann", 1)
        );
        less.clear_privileges().await.unwrap();
        assert_eq!(
            (less.user_name().as_str(), less.privileges().len()),
            ("", 0)
        );
        assert_eq!(value(&mut less, "cart").await.as_deref(), Some("1"));
        assert_eq!(entries(&home).await, 1);
    }
}

#[tokio::test]
async fn a_one_time_token_is_good_once_and_in_its_time() {
    let (homes, _folder) = homes();
    for home in homes {
        let mut first = begin(&home, None);
        set(&mut first, "a", "1").await;
        let cookie = sent_back(&mut first).unwrap();
        let otp = first.create_otp(None).await.unwrap();
        for wrong in ["", "x", &otp[1..], &otp.to_lowercase(), &cookie] {
            let mut other = begin(&home, None);
            assert!(!other.restore(wrong.to_owned()).await.unwrap(), "{wrong:?}");
            assert_eq!(sent_back(&mut other), None);
        }
        let mut other = begin(&home, None);
        assert!(other.restore(otp.clone()).await.unwrap());
        assert_eq!(value(&mut other, "a").await.as_deref(), Some("1"));
        assert_eq!(sent_back(&mut other).unwrap(), cookie);
        assert!(
            !begin(&home, None).restore(otp).await.unwrap(),
            "a second time"
        );

        // In a URL it is looked at before anything else; the cookie that came along is nobody's business then.
        let otp = first.create_otp(Some(1)).await.unwrap();
        let url = format!("/x?a=b&$4DSID={otp}");
        assert!(home.is_named_by(&url) && !home.is_named_by("/x?$4DSID=wrong"));
        let mut named = home.clone().begin(&call(&url, None));
        named.ready().await.unwrap();
        assert_eq!(value(&mut named, "a").await.as_deref(), Some("1"));

        // Late: as if its lifespan had passed.
        let otp = Token::new().unwrap();
        let token = Token::parse(cookie.split('=').nth(1).unwrap().as_bytes()).unwrap();
        let (sealed, soon) = (Bytes::from(otp.seal(&token)), Duration::from_millis(1));
        home.vault
            .swap(otp_key(&otp), None, Some(sealed), soon)
            .await
            .unwrap();
        while home.vault.read(otp_key(&otp)).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(!begin(&home, None).restore(otp.text()).await.unwrap());

        // A token of a session that has another secret since opens nothing.
        let otp = first.create_otp(None).await.unwrap();
        first
            .set_privileges(vec!["reader".into()], None)
            .await
            .unwrap();
        assert!(!begin(&home, None).restore(otp).await.unwrap());
    }
}

#[tokio::test]
async fn of_many_with_one_token_one_gets_the_session() {
    let (homes, _folder) = homes();
    for home in homes {
        let otp = begin(&home, None).create_otp(None).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (home, otp) = (home.clone(), otp.clone());
            tasks.spawn(async move { begin(&home, None).restore(otp).await.unwrap() });
        }
        let got = tasks
            .join_all()
            .await
            .into_iter()
            .filter(|got| *got)
            .count();
        assert_eq!(got, 1);
    }
}

#[tokio::test]
async fn none_of_many_changes_at_once_is_lost() {
    let (homes, _folder) = homes();
    for home in homes {
        let mut first = begin(&home, None);
        set(&mut first, "other", "x").await;
        let cookie = sent_back(&mut first).unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (home, cookie) = (home.clone(), cookie.clone());
            tasks.spawn(async move { add_one(&mut begin(&home, Some(&cookie))).await });
        }
        tasks.join_all().await;
        assert_eq!(value(&mut first, "sum").await.as_deref(), Some("64"));
    }
}

async fn add_one(session: &mut Box<dyn Session>) {
    let mut there = session.get("sum".into()).await.unwrap();
    loop {
        let sum =
            |stored: &SessionValue| std::str::from_utf8(&stored.value).unwrap().parse::<u32>();
        let sum = there.as_ref().map_or(0, |stored| sum(stored).unwrap()) + 1;
        let expected = there.map_or(SessionExpected::Absent, |stored| {
            SessionExpected::Version(stored.version)
        });
        match session
            .set("sum".into(), sum.to_string().into(), expected)
            .await
        {
            Ok(_) => return,
            Err(SessionError::Conflict(now)) => there = now,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn times_are_written_as_iso_8601() {
    for (milliseconds, expected) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_735_689_599_001, "2024-12-31T23:59:59.001Z"),
        (1_740_787_200_000, "2025-03-01T00:00:00.000Z"),
        (u64::MAX, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(iso_8601(milliseconds), expected);
    }
}

#[test]
fn only_the_reserved_parameter_is_a_token() {
    let token = Token::new().unwrap();
    let text = token.text();
    for (url, expected) in [
        (format!("/?$4DSID={text}"), true),
        (format!("/a?b=c&%244DSID={text}&d"), true),
        (format!("/$4DSID={text}"), false),
        (format!("/?4DSID={text}"), false),
        (format!("/?$4dsid={text}"), false),
        (format!("/?a$4DSID={text}"), false),
        ("/?$4DSID=".to_owned(), false),
        ("/?$4DSID".to_owned(), false),
        (format!("/?$4DSID={text}x"), false),
    ] {
        assert_eq!(otp_of(&url), expected.then_some(token), "{url}");
    }
}
