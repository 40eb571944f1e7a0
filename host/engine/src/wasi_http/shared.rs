//! One request of a component of `wasi:http` 0.3: from its call to the head of its answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use tokio::runtime::Handle;
use wasmtime_wasi_http::WasiBody;

use super::head::{self, Answered, Head};
use super::request;
use super::run::{Asked, assembled, length, there};
use super::service::{Rest, Service, process_error};
use super::stream::{AnswerStream, Limits, Source};
use super::ticket::{Client, Ticket};
use crate::answer::{Answer, AnswerBody};
use crate::clock::TICK;
use crate::due::in_time;
use crate::error::ProcessError;
use crate::generation::Generation;
use crate::state::Exchange;

/// Runs a request on an instance that may have others as well.
pub(crate) async fn answer(
    generation: &Generation,
    service: &Arc<Service>,
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
    let began = Instant::now();
    let handled = in_time(asked.deadline, service.handle(&ticket, request)).await?;
    let told = exchange.too_large.as_ref();
    let is_too_large = told.is_some_and(|told| told.load(Ordering::Relaxed));
    let handled = match handled {
        Ok(handled) => handled,
        Err(_) if is_too_large => return Err(ProcessError::BodyTooLarge),
        Err(error) => return Err(process_error(&error, &ticket)),
    };
    if is_slow && began.elapsed() < TICK {
        generation.pace.quick();
    }
    drop(ticket);
    let (parts, mut body) = handled.response.into_parts();
    let head = Ok(Answered::Http(Response::from_parts(parts, ())));
    let mut frames = VecDeque::new();
    let end = match &handled.rest {
        Rest::AtWork => Poll::Pending,
        Rest::Idle(_) | Rest::Ended => there(&mut body, &mut frames),
    };
    let Poll::Ready(end) = end else {
        if let Rest::Idle(instance) = handled.rest {
            service.go_on(instance, &Handle::current(), false);
        }
        return begun(head, frames, body, client, limits, asked.is_head);
    };
    // A body ends alike if its guest does.
    let end = client.0.fault().map_or(end, Err);
    drop(body);
    client.complete();
    if let Rest::Idle(instance) = handled.rest {
        service.keep(instance);
    }
    whole(head, frames, end, limits, asked.is_head)
}

/// An answer whose instance still works on it.
fn begun(
    head: Head,
    frames: VecDeque<Frame<Bytes>>,
    body: WasiBody,
    client: Client,
    limits: Limits,
    is_head: bool,
) -> Result<Answer, ProcessError> {
    let mut answer = head::begin(head, is_head)?;
    if matches!(answer.body, AnswerBody::Unsent(_)) {
        return Ok(answer);
    }
    let length = length(&answer, &limits)?;
    let source = Source::Shared {
        frames,
        body,
        client,
    };
    answer.body = AnswerBody::Stream(Box::new(AnswerStream::new(source, length, limits)));
    Ok(answer)
}

/// An answer that is all there.
fn whole(
    head: Head,
    frames: VecDeque<Frame<Bytes>>,
    end: Result<(), ProcessError>,
    limits: Limits,
    is_head: bool,
) -> Result<Answer, ProcessError> {
    let answer = head::begin(head, is_head)?;
    if matches!(answer.body, AnswerBody::Unsent(_)) {
        return Ok(answer);
    }
    end?;
    let length = length(&answer, &limits)?;
    assembled(answer, frames, length, limits)
}
