//! One request of a component of `wasi:http` 0.3: from its call to the head of its answer.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Instant;

use http::Response;
use tokio::time::timeout_at;

use super::head::{self, Answered};
use super::request;
use super::run::{Asked, length};
use super::service::{Service, process_error};
use super::stream::{AnswerStream, Limits, Source};
use super::ticket::{Client, Ticket};
use crate::answer::{Answer, AnswerBody};
use crate::clock::TICK;
use crate::error::ProcessError;
use crate::generation::Generation;
use crate::state::Exchange;

/// Runs a request on an instance that may have others as well.
pub(crate) async fn answer(
    generation: &Generation,
    service: &Service,
    mut exchange: Box<Exchange>,
    asked: Asked,
) -> Result<Answer, ProcessError> {
    let limits = Limits {
        due: asked.due,
        bytes_max: generation.limits.response_size,
    };
    let ticket = Ticket::new(
        exchange.origin(),
        asked.deadline,
        exchange.call.permit.take(),
    );
    let client = Client(ticket.clone());
    let body = request::body(&mut exchange);
    let request = request::request(&exchange.call, body)
        .map_err(|error| ProcessError::Instantiate(format!("{error:#}")))?;
    let is_slow = generation.pace.is_slow();
    let threads = match is_slow {
        true => generation.engine.background(),
        false => generation.engine.shared(),
    };
    let began = Instant::now();
    let mut handling = pin!(service.handler().handle(ticket.clone(), request));
    // Instances are tasks of whoever needs one first.
    let handling = poll_fn(|context| {
        let _here = threads.enter();
        handling.as_mut().poll(context)
    });
    let response = timeout_at(asked.deadline.at.into(), handling)
        .await
        .map_err(|_| ProcessError::Deadline(asked.deadline.after))?;
    let told = exchange.too_large.as_ref();
    let is_too_large = told.is_some_and(|told| told.load(Ordering::Relaxed));
    let response = match response {
        Ok(response) => response,
        Err(_) if is_too_large => return Err(ProcessError::BodyTooLarge),
        Err(error) => return Err(process_error(&error, &ticket)),
    };
    if is_slow && began.elapsed() < TICK {
        generation.pace.quick();
    }
    let (parts, body) = response.into_parts();
    let head = Response::from_parts(parts, ());
    let mut answer = head::begin(Ok(Answered::Http(head)), asked.is_head)?;
    if matches!(answer.body, AnswerBody::Unsent(_)) {
        return Ok(answer);
    }
    let length = length(&answer, &limits)?;
    let stream = AnswerStream::new(Source::Shared { body, client }, length, limits);
    answer.body = AnswerBody::Stream(Box::new(stream));
    Ok(answer)
}
