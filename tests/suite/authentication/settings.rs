//! What the settings of `[authentication]` do.

use serde_json::json;

use super::{ask, basic, called_with, challenges, site};

#[tokio::test]
async fn settings_of_authentication_change_at_once() {
    let server = site("").start().await;
    let path = "/doorman/x";
    let right = basic("ann", "secret");
    // Custom: the component sees what came, and asks for itself.
    let refused = ask(&server, path, "").await;
    assert_eq!(
        (refused.status.as_u16(), challenges(&refused).len()),
        (401, 0)
    );
    assert_eq!(ask(&server, path, &right).await.status, 200);

    server
        .admin
        .set("doorman", &json!({"authentication.mode": "basic"}))
        .await;
    let refused = ask(&server, path, "").await;
    assert_eq!(
        challenges(&refused),
        ["Basic realm=\"doorman\", charset=\"UTF-8\""]
    );
    server
        .admin
        .set("doorman", &json!({"authentication.realm": "The [shop]!"}))
        .await;
    let refused = ask(&server, path, "").await;
    assert_eq!(
        challenges(&refused),
        ["Basic realm=\"The [shop]!\", charset=\"UTF-8\""]
    );

    let user = server
        .cli(&[
            "user",
            "list",
            "--site",
            server.site.path().to_str().unwrap(),
        ])
        .await;
    assert_eq!((user.code, user.stdout.as_str()), (Some(0), ""));
    server
        .admin
        .set("doorman", &json!({"authentication.users_file": true}))
        .await;
    // Nobody is in the file: the hook is asked.
    assert_eq!(
        called_with(&ask(&server, path, &right).await),
        Some("user=ann password=secret")
    );

    let both = json!({"authentication.mode": "digest", "authentication.users_file": false});
    server.admin.set("doorman", &both).await;
    let refused = ask(&server, path, &right).await;
    assert_eq!(challenges(&refused).len(), 2);
    assert!(challenges(&refused)[0].starts_with("Digest realm=\"The [shop]!\", "));
}
