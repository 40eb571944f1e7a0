//! From what a component answered to a response.

use ::http::StatusCode;
use ::http::header::{CONTENT_TYPE, LOCATION};
use tessera_engine::{Answer, AnswerBody, RawData};

use super::charset;
use super::text_type::TextType;
use crate::http::{Body, Reject, Response};
use crate::settings::Responses;

/// Makes the response. A component that sent nothing answers 200 without a body.
pub fn from_answer(answer: Answer, settings: &Responses) -> Response {
    let mut response = Response::default();
    *response.headers_mut() = answer.headers;
    *response.status_mut() = answer.status.unwrap_or(StatusCode::OK);
    match answer.body {
        // The file is put in where files are known.
        AnswerBody::Empty | AnswerBody::File(_) => {}
        AnswerBody::Text { text, content_type } => {
            // The header that the component set, else the type that came with the text, else that of HTML.
            let given = response.headers_mut().remove(CONTENT_TYPE).or(content_type);
            let text_type = TextType::of(given, settings.charset);
            let extended = settings.extended_characters;
            let encoded = charset::encode(text, text_type.charset, text_type.markup, extended);
            *response.body_mut() = Body::from(encoded);
            response.headers_mut().insert(CONTENT_TYPE, text_type.value);
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
        AnswerBody::Raw(raw) => {
            *response.status_mut() = raw.status(answer.status);
            RawData::put_into(raw.headers, response.headers_mut());
            *response.body_mut() = Body::from(raw.body);
        }
        AnswerBody::Unsent(length) => *response.body_mut() = Body::unsent(length),
        AnswerBody::Stream(stream) => *response.body_mut() = Body::streamed(stream),
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
pub fn from_refusal(answer: Answer, settings: &Responses) -> Response {
    let status = match &answer.body {
        AnswerBody::Raw(raw) => {
            Some(raw.status(Some(answer.status.unwrap_or(StatusCode::UNAUTHORIZED))))
        }
        _ => answer.status,
    };
    let is_silent = matches!(answer.body, AnswerBody::Empty);
    let is_redirect = matches!(answer.body, AnswerBody::Redirect(_));
    let mut response = from_answer(answer, settings);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Charset;
    use ::http::HeaderValue;
    use http_body_util::BodyExt;

    fn answer(body: AnswerBody) -> Answer {
        let mut answer = Answer::default();
        answer.body = body;
        answer
    }

    fn from_answer(answer: Answer) -> Response {
        super::from_answer(answer, &Responses::default())
    }

    fn from_refusal(answer: Answer) -> Response {
        super::from_refusal(answer, &Responses::default())
    }

    fn text(text: &str) -> AnswerBody {
        AnswerBody::Text {
            text: text.into(),
            content_type: None,
        }
    }

    #[tokio::test]
    async fn a_text_is_in_the_character_set_that_it_says() {
        let settings = Responses {
            charset: Charset::Iso8859_9,
            extended_characters: true,
            ..Responses::default()
        };
        for (set, expected, bytes) in [
            (None, "text/html; charset=ISO-8859-9", &b"\xfe"[..]),
            (
                Some("text/plain"),
                "text/plain; charset=ISO-8859-9",
                b"\xfe",
            ),
            (
                Some("text/plain; charset=utf-8"),
                "text/plain; charset=utf-8",
                b"\xc5\x9f",
            ),
            (
                Some("text/plain; charset=latin1"),
                "text/plain; charset=latin1",
                b"?",
            ),
        ] {
            let mut answer = answer(text("ş"));
            if let Some(set) = set {
                answer
                    .headers
                    .insert(CONTENT_TYPE, HeaderValue::from_static(set));
            }
            let response = super::from_answer(answer, &settings);
            assert_eq!(response.headers()[CONTENT_TYPE], expected);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, bytes, "{expected}");
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
        assert_eq!(response.headers()["cache-control"], "no-store");

        let response = from_refusal(answer(text("log in")));
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.body().length(), Some(6));

        let redirect = AnswerBody::Redirect(HeaderValue::from_static("/login"));
        assert_eq!(from_refusal(answer(redirect)).status(), StatusCode::FOUND);
    }

    #[test]
    fn silence_is_an_empty_page() {
        let response = from_answer(Answer::default());
        assert_eq!(
            (response.status(), response.body().length()),
            (StatusCode::OK, Some(0))
        );
    }
}
