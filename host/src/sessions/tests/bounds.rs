//! How large sessions may be, how long they live, and what operators see of them.

use super::*;

#[tokio::test]
async fn a_session_has_its_limits() {
    let (homes, _folder) = homes();
    for home in homes {
        let mut session = begin(&home, None);
        let large = Bytes::from(vec![b'x'; 4096]);
        let any = SessionExpected::Any;
        let too_large = Err(SessionError::TooLarge);
        assert_eq!(session.set("a".into(), large.clone(), any).await, too_large);
        assert_eq!((sent_back(&mut session), entries(&home).await), (None, 0));
        session
            .set("a".into(), large.slice(..2000), any)
            .await
            .unwrap();
        assert_eq!(
            session.set("b".into(), large.slice(..2100), any).await,
            too_large
        );
        assert_eq!(session.keys().await.unwrap(), ["a"]);
        assert_eq!(
            session.set("k".repeat(257), Bytes::new(), any).await,
            too_large
        );
        let long_name = Some("u".repeat(257));
        let named = session.set_privileges(Vec::new(), long_name).await;
        assert_eq!(named, Err(SessionError::TooLarge));
        session.set_idle_timeout(5).await.unwrap();
        assert_eq!(session.idle_timeout(), 60);
        session.set_idle_timeout(90).await.unwrap();
        assert_eq!(begin(&home, None).idle_timeout(), 60);
        assert_eq!(session.idle_timeout(), 90);
        // After the head there is no place for a cookie.
        let mut late = begin(&home, None);
        late.head_is_sent();
        let written = late.set("a".into(), Bytes::new(), any).await;
        assert_eq!(written, Err(SessionError::Late));
    }
}

#[tokio::test]
async fn all_sessions_together_have_a_limit() {
    let stores = SessionStores::new(std::env::temp_dir());
    let small = settings::Sessions {
        bytes_max: 1000,
        ..settings(StoreKind::Memory)
    };
    let home = ServerSessions::new("small".into(), &small, &stores, None).unwrap();
    let mut first = begin(&home, None);
    set(&mut first, "a", "1").await;
    let mut made = 1;
    let refused = loop {
        let mut next = begin(&home, None);
        match next
            .set("a".into(), Bytes::new(), SessionExpected::Any)
            .await
        {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
        assert!(made < 20, "there is no limit");
    };
    assert_eq!(refused, SessionError::Unavailable);
    set(&mut first, "a", "2").await;
    first.close().await.unwrap();
    set(&mut begin(&home, None), "a", "1").await;
}

#[tokio::test]
async fn a_session_is_renewed_in_time_and_seldom() {
    let (homes, _folder) = homes();
    for home in homes {
        let mut first = begin(&home, None);
        set(&mut first, "a", "1").await;
        let cookie = sent_back(&mut first).unwrap();
        let headers = call("/", Some(&cookie)).headers;
        assert!(
            home.renewal(headers.map(), false).is_none(),
            "just looked up"
        );
        assert!(home.renewal(&HeaderMap::new(), false).is_none());
        // As if a minute had passed, for the session and for the host.
        let token = Token::parse(cookie.split('=').nth(1).unwrap().as_bytes()).unwrap();
        let age = async || {
            let held = home.load(&token).await.unwrap().unwrap();
            let record = Record {
                renewed: held.record.renewed - 60_000,
                ..held.record.clone()
            };
            assert!(
                home.swap(&token, Some(&held), Some(&Held::new(record)))
                    .await
                    .unwrap()
            );
            home.renewed.forget(&token);
        };
        age().await;
        let renewal = home.renewal(headers.map(), true).unwrap();
        let renewed = renewal.renew().await.unwrap();
        let renewed = renewed.to_str().unwrap();
        assert!(
            renewed.starts_with(&cookie) && renewed.ends_with("Max-Age=3600; Secure"),
            "{renewed}"
        );
        assert!(home.renewal(headers.map(), true).is_none());
        age().await;
        let mut next = begin(&home, Some(&cookie));
        next.ready().await.unwrap();
        assert_eq!(sent_back(&mut next), Some(cookie.clone()));
        assert!(home.renewal(headers.map(), true).is_none());
        next.close().await.unwrap();
        home.renewed.forget(&token);
        let renewal = home.renewal(headers.map(), true).unwrap();
        assert_eq!(renewal.renew().await, None, "it has ended");
    }
}

#[tokio::test]
async fn operators_see_sessions_without_secrets() {
    let (homes, _folder) = homes();
    for home in homes {
        let mut ann = begin(&home, None);
        ann.set_privileges(vec!["editor".into()], Some("ann".into()))
            .await
            .unwrap();
        set(&mut ann, "card", "number of the card").await;
        let cookie = sent_back(&mut ann).unwrap();
        set(&mut begin(&home, None), "a", "1").await;
        ann.create_otp(None).await.unwrap();
        let all = home.list(None, 1_000, None).await.unwrap().unwrap();
        assert_eq!((all.sessions.len(), all.next.as_deref()), (2, None));
        // One at a time, each is listed once.
        let one = home.list(None, 1, None).await.unwrap().unwrap();
        let other = home
            .list(None, 1, one.next.as_deref())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (one.sessions.len(), other.sessions.len(), other.next),
            (1, 1, None)
        );
        assert_ne!(one.sessions[0]["id"], other.sessions[0]["id"]);
        assert!(
            home.list(None, 1, Some("nonsense"))
                .await
                .unwrap()
                .is_none()
        );
        let ours = home
            .list(Some("ann"), 9, None)
            .await
            .unwrap()
            .unwrap()
            .sessions;
        assert_eq!(ours.len(), 1);
        assert_eq!(ours[0]["id"], ann.id());
        assert_eq!(
            ours[0]["privileges"],
            serde_json::json!(["editor", "reader"])
        );
        assert_eq!(ours[0]["keys"], 1);
        let text = format!("{all:?}");
        let secret = cookie.split('=').nth(1).unwrap();
        assert!(
            !text.contains(secret) && !text.contains("number of the card"),
            "{text}"
        );
        for wrong in ["", "x", "../x", &ann.id()[1..], &"0".repeat(32)] {
            assert!(!home.drop_session(wrong).await.unwrap(), "{wrong}");
        }
        assert!(home.drop_session(&ann.id()).await.unwrap());
        let mut gone = begin(&home, Some(&cookie));
        gone.ready().await.unwrap();
        assert_eq!(gone.user_name(), "");
        assert_eq!(
            home.list(None, 9, None)
                .await
                .unwrap()
                .unwrap()
                .sessions
                .len(),
            1
        );
    }
}
