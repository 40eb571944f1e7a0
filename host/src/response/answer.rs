//! From what a component answered to a response.

use ::http::header::{CONTENT_TYPE, LOCATION};
use ::http::{HeaderValue, StatusCode};
use tessera_engine::{Answer, AnswerBody};

use crate::http::{Body, Reject, Response};

const DEFAULT_TEXT_TYPE: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Makes the response. A component that sent nothing answers 200 without a body.
pub fn from_answer(answer: Answer) -> Response {
    let mut response = Response::default();
    *response.headers_mut() = answer.headers;
    *response.status_mut() = answer.status.unwrap_or(StatusCode::OK);
    match answer.body {
        AnswerBody::Empty => {}
        AnswerBody::Text { text, content_type } => {
            set_text_type(&mut response, content_type);
            *response.body_mut() = Body::from(text);
        }
        AnswerBody::Blob { data, content_type } => {
            if let Some(content_type) = content_type {
                response
                    .headers_mut()
                    .entry(CONTENT_TYPE)
                    .or_insert(content_type);
            }
            *response.body_mut() = Body::from(data);
        }
        AnswerBody::Redirect(location) => {
            if !response.status().is_redirection() {
                *response.status_mut() = StatusCode::FOUND;
            }
            response.headers_mut().insert(LOCATION, location);
        }
    }
    response
}

/// The response to a request that On Web Authentication refused: 401 with what the hook set and sent (a challenge, a
/// page to log in on, a redirect to one), else with the built-in page.
pub fn from_refusal(answer: Answer) -> Response {
    let status = answer.status;
    let is_silent = matches!(answer.body, AnswerBody::Empty);
    let is_redirect = matches!(answer.body, AnswerBody::Redirect(_));
    let mut response = from_answer(answer);
    if is_silent {
        let mut page = super::from_reject(Reject::Unauthorized, None);
        page.headers_mut().extend(response.headers_mut().drain());
        response = page;
    }
    if !is_redirect {
        *response.status_mut() = status.unwrap_or(StatusCode::UNAUTHORIZED);
    }
    response
}

/// The header that the component set, else the type that came with the text, else that of HTML.
fn set_text_type(response: &mut Response, content_type: Option<HeaderValue>) {
    let headers = response.headers_mut();
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(
            CONTENT_TYPE,
            content_type.map_or(DEFAULT_TEXT_TYPE, with_charset),
        );
    }
}

/// Says which character set the text is encoded in, for the types that have one.
fn with_charset(content_type: HeaderValue) -> HeaderValue {
    let Ok(text) = content_type.to_str() else {
        return content_type;
    };
    if !text.starts_with("text/") || text.contains("charset") {
        return content_type;
    }
    HeaderValue::try_from(format!("{text}; charset=utf-8")).unwrap_or(content_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: AnswerBody) -> Answer {
        let mut answer = Answer::default();
        answer.body = body;
        answer
    }

    #[test]
    fn a_text_says_its_character_set() {
        for (given, expected) in [
            (None, "text/html; charset=utf-8"),
            (Some("text/plain"), "text/plain; charset=utf-8"),
            (
                Some("text/plain; charset=iso-8859-1"),
                "text/plain; charset=iso-8859-1",
            ),
            (Some("application/json"), "application/json"),
        ] {
            let body = AnswerBody::Text {
                text: "x".into(),
                content_type: given.map(HeaderValue::from_static),
            };
            assert_eq!(from_answer(answer(body)).headers()[CONTENT_TYPE], expected);
        }
    }

    #[test]
    fn a_redirect_keeps_its_own_status() {
        let location = || AnswerBody::Redirect(HeaderValue::from_static("/x"));
        assert_eq!(from_answer(answer(location())).status(), StatusCode::FOUND);
        let mut moved = answer(location());
        moved.status = Some(StatusCode::MOVED_PERMANENTLY);
        let response = from_answer(moved);
        assert_eq!(response.status(), StatusCode::MOVED_PERMANENTLY);
        assert_eq!(response.headers()[LOCATION], "/x");
    }

    #[test]
    fn a_refusal_keeps_what_the_hook_set() {
        let mut silent = Answer::default();
        silent
            .headers
            .insert("www-authenticate", HeaderValue::from_static("Basic"));
        let response = from_refusal(silent);
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["www-authenticate"], "Basic");
        assert!(response.body().length() > 0);

        let text = AnswerBody::Text {
            text: "log in".into(),
            content_type: None,
        };
        let response = from_refusal(answer(text));
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.body().length(), 6);

        let redirect = AnswerBody::Redirect(HeaderValue::from_static("/login"));
        assert_eq!(from_refusal(answer(redirect)).status(), StatusCode::FOUND);
    }

    #[test]
    fn silence_is_an_empty_page() {
        let response = from_answer(Answer::default());
        assert_eq!(
            (response.status(), response.body().length()),
            (StatusCode::OK, 0)
        );
    }
}
