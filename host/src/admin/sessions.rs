//! The sessions of a web server: listed, and ended. Nothing of this tells a secret.

use hyper::Uri;
use serde_json::{Value, json};

use super::problem::Problem;
use super::query;
use super::route::Action;
use crate::server::WebServer;
use crate::sessions::Listed;

/// Lists the sessions of a web server as the query says; none where it keeps none.
pub(super) async fn list(server: &WebServer, uri: &Uri) -> Result<Value, Problem> {
    let user = query::text(uri, query::USER)?;
    let after = query::text(uri, query::AFTER)?;
    let max = query::limit(uri, Action::Sessions)?;
    let (user, after) = (user.as_deref(), after.as_deref());
    let serving = server.serving();
    let kinds = serving.as_ref().map(|it| (&it.sessions, &it.legacy));
    let listed = match kinds {
        Some((Some(sessions), _)) => {
            let listed = sessions.list(user, max, after).await;
            listed.map_err(|_| Problem::no_session_store())?
        }
        Some((None, Some(sessions))) => sessions.list(user, max, after),
        _ => Some(Listed::default()),
    };
    let listed =
        listed.ok_or_else(|| Problem::bad_body("after in the query must be `next` of a list"))?;
    Ok(json!({"sessions": listed.sessions, "more": listed.next.is_some(), "next": listed.next}))
}

/// Ends a session.
pub(super) async fn end(server: &WebServer, id: &str) -> Result<Value, Problem> {
    let serving = server.serving();
    let kinds = serving.as_ref().map(|it| (&it.sessions, &it.legacy));
    let is_ended = match kinds {
        Some((Some(sessions), _)) => {
            let ended = sessions.drop_session(id).await;
            ended.map_err(|_| Problem::no_session_store())?
        }
        Some((None, Some(sessions))) => sessions.drop_session(id),
        _ => false,
    };
    match is_ended {
        true => Ok(json!({"success": true})),
        false => Err(Problem::unknown_session(id)),
    }
}

/// The schema of [`list`].
pub(super) fn schema() -> Value {
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    let time = |about: &str| json!({"type": "string", "format": "date-time", "description": about});
    let text = |about: &str| json!({"type": "string", "description": about});
    let session = json!({
        "type": "object",
        "required": ["id", "userName", "isGuest", "privileges", "created", "expirationDate"],
        "properties": {
            "id": text("The identifier that the component sees; not the value of the cookie."),
            "userName": text("Empty while nobody has logged in."),
            "isGuest": {"type": "boolean", "description": "Whether it has no privilege."},
            "privileges": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Inherited ones included.",
            },
            "created": time("When something was first written into it."),
            "expirationDate": time("When it ends without another request, up to two minutes later."),
            "idleTimeout": count("Minutes without a request after which it ends."),
            "keys": count("Values in its storage."),
            "size": count("Bytes that it takes in the store; of a legacy session, the memory of its instance."),
            "hasProcess": {
                "type": "boolean",
                "description": "Of a legacy session only: whether it keeps an instance.",
            },
            "address": text("Of a legacy session only: the address that it began from."),
            "requests": count("Of a legacy session only: its requests so far."),
        },
    });
    json!({
        "type": "object",
        "required": ["sessions", "more", "next"],
        "properties": {
            "sessions": {"type": "array", "maxItems": crate::sessions::SESSIONS_LISTED_MAX, "items": session},
            "more": {"type": "boolean", "description": "Whether there are sessions that are not listed."},
            "next": {"type": ["string", "null"], "description": "For `after`, to list them."},
        },
    })
}
