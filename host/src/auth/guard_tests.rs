//! Tests of what is let in by which credentials.

use ::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const HERE: &str = "192.0.2.1";

struct Try {
    guard: Guard,
    settings: Authentication,
    has_hook: bool,
    _site: tempfile::TempDir,
}

impl Try {
    fn new(mode: Mode, users: &[(&str, &str)], has_hook: bool) -> Self {
        let site = tempfile::tempdir().unwrap();
        let mut table = crate::auth::UserTable::default();
        for (name, password) in users {
            table.add(name, password).unwrap();
        }
        table.save(site.path()).unwrap();
        Self {
            guard: Guard::new(site.path()).unwrap(),
            settings: Authentication {
                mode,
                realm: "shop".to_owned(),
                users_file: !users.is_empty(),
            },
            has_hook,
            _site: site,
        }
    }

    async fn ask(&self, from: &str, field: &str) -> Result<Admission, Refused> {
        let mut headers = HeaderMap::new();
        if !field.is_empty() {
            headers.insert(AUTHORIZATION, field.parse().unwrap());
        }
        let asked = Asked {
            server: "shop",
            client: from.parse().unwrap(),
            method: &Method::GET,
            uri: &Uri::from_static("/a?b=c"),
            headers: &headers,
            has_hook: self.has_hook,
        };
        self.guard.admit(&self.settings, asked).await
    }

    fn challenges(&self, admission: Option<&Admission>) -> Vec<String> {
        let mut headers = HeaderMap::new();
        self.guard
            .challenge(&self.settings, admission, &mut headers);
        let all = headers.get_all(WWW_AUTHENTICATE).iter();
        all.map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn the_table_of_the_documents_holds_for_basic() {
    let (file, hook) = (&[("ann", "correct horse")][..], true);
    // Whether there is a users file and a hook; who comes; what becomes of it, and which password is handed over.
    for (users, has_hook, sent, expected) in [
        (file, hook, basic("ann", "correct horse"), Ok((true, ""))),
        (file, hook, basic("ann", "wrong"), Err(Refused::Challenged)),
        (file, hook, basic("eve", "secret"), Ok((false, "secret"))),
        (file, hook, String::new(), Ok((false, ""))),
        (file, false, basic("ann", "correct horse"), Ok((true, ""))),
        (file, false, basic("ann", "wrong"), Err(Refused::Challenged)),
        (
            file,
            false,
            basic("eve", "secret"),
            Err(Refused::Challenged),
        ),
        (file, false, String::new(), Err(Refused::Challenged)),
        (&[], hook, basic("ann", "anything"), Ok((false, "anything"))),
        (&[], hook, String::new(), Ok((false, ""))),
        (
            &[],
            false,
            basic("ann", "anything"),
            Err(Refused::Challenged),
        ),
    ] {
        let guarded = Try::new(Mode::Basic, users, has_hook);
        let admission = guarded.ask(HERE, &sent).await;
        let found = admission
            .as_ref()
            .map(|it| (it.is_known, &*it.credentials.password));
        assert_eq!(
            found.map_err(|it| *it),
            expected,
            "{users:?} {has_hook} {sent}"
        );
    }
}

#[tokio::test]
async fn guesses_are_held_back_and_right_ones_from_elsewhere_are_not() {
    let guarded = Try::new(Mode::Basic, &[("ann", "correct horse")], true);
    for number in 0..11 {
        let refused = guarded
            .ask(HERE, &basic("ann", &format!("guess {number}")))
            .await;
        assert_eq!(refused.err(), Some(Refused::Challenged), "{number}");
    }
    let right = basic("ann", "correct horse");
    let held = guarded.ask(HERE, &right).await.err();
    assert!(matches!(held, Some(Refused::Later(_))), "{held:?}");
    assert!(guarded.ask("192.0.2.2", &right).await.is_ok());
    // Of whoever tries nothing, nothing is held.
    assert!(guarded.ask(HERE, "").await.is_ok());
}

#[tokio::test]
async fn what_a_hook_accepted_is_no_attempt_the_next_time() {
    let guarded = Try::new(Mode::Basic, &[], true);
    for user in 0..100 {
        let sent = basic(&format!("user{user}"), "secret");
        let admission = guarded.ask(HERE, &sent).await.unwrap();
        guarded.guard.settle(&guarded.settings, &admission, false);
    }
    // All of them at once.
    for user in 0..100 {
        let sent = basic(&format!("user{user}"), "secret");
        assert!(guarded.ask(HERE, &sent).await.is_ok(), "{user}");
    }
}

/// What a client makes of a challenge.
fn digest(challenge: &str, count: u32, password: &str, uri: &str) -> String {
    let nonce = challenge
        .split("nonce=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let hash = |text: String| {
        use sha2::{Digest, Sha256};
        let hash = Sha256::digest(text);
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let secret = hash(format!("ann:shop:{password}"));
    let about = hash(format!("GET:{uri}"));
    let response = hash(format!("{secret}:{nonce}:{count:08x}:c:auth:{about}"));
    format!(
        "Digest username=\"ann\", realm=\"shop\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=SHA-256, \
         qop=auth, nc={count:08x}, cnonce=\"c\", response=\"{response}\""
    )
}

#[tokio::test]
async fn a_digest_is_right_once_for_its_target_and_its_user() {
    let guarded = Try::new(Mode::Digest, &[], true);
    let nothing = guarded.ask(HERE, "").await.unwrap();
    assert_eq!(
        (&*nothing.credentials.user, nothing.digest.is_none()),
        ("", true)
    );
    let challenges = guarded.challenges(Some(&nothing));
    assert_eq!(challenges.len(), 2);
    let check = async |field: &str, user: &str, password: &str| {
        let admission = guarded.ask(HERE, field).await.unwrap();
        assert_eq!(admission.credentials.password, "");
        let is_right = admission
            .digest
            .as_ref()
            .unwrap()
            .is_made_with(user, password);
        guarded
            .guard
            .settle(&guarded.settings, &admission, !is_right);
        let is_stale = guarded.challenges(Some(&admission))[0].contains("stale=true");
        (is_right, is_stale)
    };
    let sent = digest(&challenges[0], 1, "secret", "/a?b=c");
    assert_eq!(check(&sent, "ann", "other").await, (false, false));
    assert_eq!(check(&sent, "bob", "secret").await, (false, false));
    assert_eq!(check(&sent, "ann", "secret").await, (true, false));
    assert_eq!(
        check(&sent, "ann", "secret").await,
        (false, true),
        "a replay"
    );
    let next = digest(&challenges[0], 2, "secret", "/a?b=c");
    assert_eq!(check(&next, "ann", "secret").await, (true, false));
    for uri in ["/a", "/a?b=d", "/"] {
        let elsewhere = digest(&challenges[0], 3, "secret", uri);
        assert_eq!(
            check(&elsewhere, "ann", "secret").await,
            (false, false),
            "{uri}"
        );
    }
    // A nonce of somebody else, or of the process before: no new password is needed.
    let foreign = digest("nonce=\"abc\"", 1, "secret", "/a?b=c");
    assert_eq!(check(&foreign, "ann", "secret").await, (false, true));
}

#[tokio::test]
async fn a_component_may_ask_twice_about_one_request() {
    let guarded = Try::new(Mode::Digest, &[], true);
    let challenge = guarded.challenges(None).remove(0);
    let sent = digest(&challenge, 1, "secret", "/a?b=c");
    let admission = guarded.ask(HERE, &sent).await.unwrap();
    let digest = admission.digest.as_ref().unwrap();
    assert!(!digest.is_made_with("ann", "old"));
    assert!(digest.is_made_with("ann", "secret"));
    assert!(digest.is_made_with("ann", "secret"));
}

#[tokio::test]
async fn guesses_of_digests_are_held_back() {
    let guarded = Try::new(Mode::Digest, &[], true);
    let challenge = guarded.challenges(None).remove(0);
    // All were let in before the first was found to be wrong.
    let mut let_in = Vec::new();
    for count in 1..40 {
        let sent = digest(&challenge, count, &format!("guess {count}"), "/a?b=c");
        let_in.push(guarded.ask(HERE, &sent).await.unwrap());
    }
    let right = digest(&challenge, 99, "secret", "/a?b=c");
    let_in.push(guarded.ask(HERE, &right).await.unwrap());
    for admission in &let_in {
        let digest = admission.digest.as_ref().unwrap();
        assert!(!digest.is_made_with("ann", "secret"));
        guarded.guard.settle(&guarded.settings, admission, true);
    }
    let held = guarded.ask(HERE, &right).await.err();
    assert!(matches!(held, Some(Refused::Later(_))), "{held:?}");
}

#[test]
fn a_target_is_compared_as_it_was_received() {
    for (text, uri, expected) in [
        ("/a", "/a", true),
        ("/a?b=c", "/a?b=c", true),
        ("/a", "/a?b=c", false),
        ("/%61", "/a", false),
        ("http://h/a", "http://h/a", true),
        ("/a", "http://h/a", true),
        ("http://h/a", "/a", false),
    ] {
        assert_eq!(
            is_target(text, &uri.parse().unwrap()),
            expected,
            "{text} {uri}"
        );
    }
}
