//! The head of an answer: from the guest to whoever waits for it.

use std::sync::Arc;

use http::{Response, StatusCode, header};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use wasmtime_wasi_http::WasiBody;

use crate::answer::{Answer, AnswerBody, HEADER_BYTES_MAX, HEADER_FIELDS_MAX};
use crate::error::ProcessError;
use crate::hooks;

/// What the guest answered, or why it did not.
pub(crate) type Head = Result<Answered, String>;

/// The head of an answer, and what there is of its body.
pub(crate) enum Answered {
    /// From `wasi:http`; the body is in its place.
    Http(Response<()>),
    /// From `send-raw-data`, which has put pieces in the place of the body.
    Pieces(Response<()>),
    /// All of it.
    Whole(Box<Answer>),
}

/// Where that is waited for.
pub(crate) type HeadReceiver = oneshot::Receiver<Head>;
/// The body that belongs to it. Who sends it and who ends the guest both look at it: the guest's end is not told from that
/// of the body by the body alone.
pub(crate) type BodyPlace = Arc<Mutex<Option<WasiBody>>>;

/// Where the guest puts its answer.
pub(crate) struct Responder {
    head: oneshot::Sender<Head>,
    body: BodyPlace,
}

/// The guest's end, the other end of the head, and the place of the body.
pub(crate) fn responder() -> (Responder, HeadReceiver, BodyPlace) {
    let (head, receiver) = oneshot::channel();
    let body = BodyPlace::default();
    let responder = Responder {
        head,
        body: body.clone(),
    };
    (responder, receiver, body)
}

impl Responder {
    pub(super) fn send(self, answer: Result<Response<WasiBody>, String>) {
        let head = answer.map(|response| Answered::Http(self.place(response)));
        // Nobody waits any more if the deadline passed.
        let _ = self.head.send(head);
    }

    /// Sends the head of a response whose body comes piece by piece.
    pub(crate) fn send_pieces(self, response: Response<WasiBody>) {
        let head = self.place(response);
        let _ = self.head.send(Ok(Answered::Pieces(head)));
    }

    /// Sends all of an answer.
    pub(crate) fn send_whole(self, answer: Answer) {
        let _ = self.head.send(Ok(Answered::Whole(Box::new(answer))));
    }

    fn place(&self, response: Response<WasiBody>) -> Response<()> {
        let (parts, body) = response.into_parts();
        *self.body.lock() = Some(body);
        Response::from_parts(parts, ())
    }
}

/// A failure of the handler, in words of our own.
pub(super) fn failed(message: impl Into<String>) -> ProcessError {
    ProcessError::Failed {
        hook: hooks::HTTP,
        message: message.into(),
    }
}

/// A body that the guest gave up.
pub(super) fn broken_off(error: &wasmtime_wasi_http::Error) -> ProcessError {
    failed(format!("it broke off the body of its answer: {error}"))
}

/// A handler that has ended without a word.
pub(super) fn no_answer() -> ProcessError {
    failed("it ended without an answer: response-outparam was never set")
}

/// The answer as far as its head tells it. `is_head` says that the request was one.
pub(super) fn begin(head: Head, is_head: bool) -> Result<Answer, ProcessError> {
    let head = head.map_err(|code| failed(format!("it answered with the error code {code}")))?;
    let response = match head {
        Answered::Http(response) => response,
        Answered::Pieces(response) => {
            let mut answer = Answer::default();
            answer.status = Some(response.status());
            answer.headers = response.into_parts().0.headers;
            return Ok(answer);
        }
        Answered::Whole(answer) => return Ok(*answer),
    };
    let (parts, ()) = response.into_parts();
    let bytes = parts.headers.iter();
    let bytes: usize = bytes
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > HEADER_BYTES_MAX || parts.headers.len() > HEADER_FIELDS_MAX {
        return Err(failed(format!(
            "the header of its answer has {} fields of {bytes} bytes; {HEADER_FIELDS_MAX} of {HEADER_BYTES_MAX} are allowed",
            parts.headers.len(),
        )));
    }
    if parts.status.is_informational() {
        return Err(failed(format!(
            "it answered with the status {}; it must be from 200 to 599",
            parts.status.as_u16()
        )));
    }
    let mut answer = Answer::default();
    answer.status = Some(parts.status);
    answer.headers = parts.headers;
    if is_head || parts.status == StatusCode::NOT_MODIFIED {
        // What a GET would have been sent; the guest knows it, or nobody does.
        if let Some(length) = length(&answer) {
            answer.body = AnswerBody::Unsent(length);
        }
    }
    Ok(answer)
}

/// What the header says of the body's length; the guest is held to it.
pub(super) fn length(answer: &Answer) -> Option<u64> {
    let value = answer.headers.get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(change: impl FnOnce(&mut Response<()>)) -> Head {
        let mut response = Response::new(());
        change(&mut response);
        Ok(Answered::Http(response))
    }

    #[test]
    fn a_head_is_held_to_what_clients_take() {
        let error = |head: Head| begin(head, false).map(drop).unwrap_err().to_string();
        let long = error(head(|response| {
            let value = "x".repeat(HEADER_BYTES_MAX).parse().unwrap();
            response.headers_mut().insert("x-long", value);
        }));
        assert!(long.contains("has 1 fields of 65542 bytes"), "{long}");
        let many = error(head(|response| {
            for _ in 0..=HEADER_FIELDS_MAX {
                let value = "x".parse().unwrap();
                response.headers_mut().append("x-many", value);
            }
        }));
        assert!(many.contains("has 129 fields"), "{many}");
        let early = error(head(|response| {
            *response.status_mut() = StatusCode::CONTINUE
        }));
        assert!(early.contains("the status 100"), "{early}");
        let code = error(Err("HttpProtocolError".into()));
        assert!(code.ends_with("error code HttpProtocolError"), "{code}");
    }

    #[test]
    fn a_length_without_a_body_is_kept_for_those_who_ask_for_the_head() {
        let sized = || {
            head(|response| {
                let length = "1000".parse().unwrap();
                response.headers_mut().insert("content-length", length);
            })
        };
        let answer = begin(sized(), true).unwrap();
        assert!(matches!(answer.body, AnswerBody::Unsent(1000)));
        let answer = begin(sized(), false).unwrap();
        assert!(matches!(answer.body, AnswerBody::Empty));
        assert_eq!(length(&answer), Some(1000));
    }
}
