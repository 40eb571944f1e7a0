//! One request of a component of `wasi:http`: from its call to the head of its answer.
//!
//! It begins where the request was read, and most are done before anything else is. One that has more to send than fits
//! between guest and client goes on in a task of its own, and so does one that takes long, on threads for those.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use tokio::task::coop::unconstrained;
use wasmtime_wasi_http::WasiBody;

use super::head::{self, Answered, BodyPlace, Head, HeadReceiver};
use super::stream::{AnswerStream, Limits, Source, too_large};
use super::worker::{Circumstances, Work, Worker};
use crate::answer::{Answer, AnswerBody};
use crate::call::Deadline;
use crate::cpu::CpuMeter;
use crate::due::{Due, in_time};
use crate::ended::Ended;
use crate::error::ProcessError;
use crate::generation::Generation;

/// Pieces that together are at most this long become one: their length is then known, and they may be compressed.
const JOINED_BYTES_MAX: usize = 64 * 1024;

/// What of a request decides about its answer.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) id: u64,
    pub(crate) is_head: bool,
    /// When there must be an answer.
    pub(crate) deadline: Deadline,
    /// When the rest of it must have come.
    pub(crate) due: Due,
    /// Whether the hooks of `tessera:web` make it, whose errors are answers like others.
    pub(crate) is_raw: bool,
}

/// How far a web process came before its client could be answered.
enum Step {
    Ended(Box<Ended>),
    Head(Head),
    Slow,
}

/// Runs `work` until there is an answer. What it does from then on goes on behind the answer's body.
pub(crate) async fn answer(
    mut work: Work,
    (mut head, body): (HeadReceiver, BodyPlace),
    meter: Arc<CpuMeter>,
    generation: &Generation,
    asked: Asked,
) -> Result<Answer, ProcessError> {
    let limits = Limits {
        due: asked.due.clone(),
        bytes_max: generation.limits.response_size,
    };
    let circumstances = Circumstances {
        component: generation.profile.component.clone(),
        request: asked.id,
        due: asked.due.clone(),
        meter,
        background: generation.engine.background().clone(),
    };
    let first_step = first_step(&mut work, &mut head, &circumstances);
    let step = in_time(asked.deadline, first_step).await?;
    let (head, worker) = match step {
        Step::Ended(ended) => return whole(*ended, (head, body), limits, &asked),
        Step::Head(head) => (head, Worker::begin(work, body.clone(), circumstances)),
        Step::Slow => {
            let mut worker = Worker::begin_slow(work, body.clone(), circumstances);
            let head = in_time(asked.deadline, head_of(&mut worker, &mut head)).await??;
            (head, worker)
        }
    };
    let is_whole = matches!(head, Ok(Answered::Whole(_)));
    let mut answer = head::begin(head, asked.is_head)?;
    if is_whole {
        worker.let_go();
        return Ok(answer);
    }
    if matches!(answer.body, AnswerBody::Unsent(_)) {
        return Ok(answer);
    }
    let length = length(&answer, &limits)?;
    let stream = AnswerStream::new(Source::Worker { body, worker }, length, limits);
    answer.body = AnswerBody::Stream(Box::new(stream));
    Ok(answer)
}

async fn first_step(
    work: &mut Work,
    head: &mut HeadReceiver,
    circumstances: &Circumstances,
) -> Step {
    let mut may_answer = true;
    poll_fn(|context| {
        if let Poll::Ready(ended) = work.as_mut().poll(context) {
            return Poll::Ready(Step::Ended(Box::new(ended)));
        }
        if may_answer && let Poll::Ready(told) = Pin::new(&mut *head).poll(context) {
            match told {
                Ok(head) => return Poll::Ready(Step::Head(head)),
                // It dropped what it should have set; how it ends will tell.
                Err(_) => may_answer = false,
            }
        }
        match circumstances.meter.is_slow() {
            true => Poll::Ready(Step::Slow),
            false => Poll::Pending,
        }
    })
    .await
}

/// The head that a web process on other threads sends, or how it ended without.
async fn head_of(worker: &mut Worker, head: &mut HeadReceiver) -> Result<Head, ProcessError> {
    let mut may_answer = true;
    poll_fn(|context| {
        if may_answer && let Poll::Ready(told) = Pin::new(&mut *head).poll(context) {
            match told {
                Ok(head) => return Poll::Ready(Ok(head)),
                Err(_) => may_answer = false,
            }
        }
        match worker.poll_outcome(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // Both may have come since the head was looked for.
            Poll::Ready(Ok(left)) => {
                worker.is_done_with(left);
                Poll::Ready(match may_answer.then(|| head.try_recv()) {
                    Some(Ok(head)) => Ok(head),
                    _ => Err(head::no_answer()),
                })
            }
        }
    })
    .await
}

/// The answer of a guest that is done: all of its body is there.
fn whole(
    mut ended: Ended,
    (mut head, body): (HeadReceiver, BodyPlace),
    limits: Limits,
    asked: &Asked,
) -> Result<Answer, ProcessError> {
    let is_too_large = ended.is_body_too_large();
    let result = ended.take_result();
    let answer = match (result, head.try_recv()) {
        // Nothing was sent yet: better an error than half of an answer.
        (Err(error), _) => Err(error),
        (Ok(()), Err(_)) if is_too_large => Err(ProcessError::BodyTooLarge),
        (Ok(()), Err(_)) => Err(head::no_answer()),
        (Ok(()), Ok(head)) => whole_body(head, &body, limits, asked.is_head),
    };
    if answer.is_err() && !asked.is_raw {
        // An instance that left something half done does not serve again.
        ended.retire();
    }
    ended.settle();
    answer
}

fn whole_body(
    head: Head,
    body: &BodyPlace,
    limits: Limits,
    is_head: bool,
) -> Result<Answer, ProcessError> {
    let (is_whole, is_pieces) = match &head {
        Ok(Answered::Whole(_)) => (true, false),
        Ok(Answered::Pieces(_)) => (false, true),
        _ => (false, false),
    };
    let mut answer = head::begin(head, is_head)?;
    if is_whole || matches!(answer.body, AnswerBody::Unsent(_)) {
        return Ok(answer);
    }
    let length = length(&answer, &limits)?;
    let left = drain(body);
    let frames = left.frames;
    // Of a head's body nothing would be sent, and it need not be there.
    if !is_head {
        left.end?;
    }
    if !is_pieces {
        return assembled(answer, frames, length, limits);
    }
    check_size(&frames, &limits)?;
    // They stay what the guest made of them.
    let stream = AnswerStream::new(Source::Ready(frames), None, limits);
    answer.body = AnswerBody::Stream(Box::new(stream));
    Ok(answer)
}

fn check_size(frames: &VecDeque<Frame<Bytes>>, limits: &Limits) -> Result<usize, ProcessError> {
    let data = frames.iter().filter_map(Frame::data_ref);
    let bytes = data.map(Bytes::len).sum();
    match bytes as u64 > limits.bytes_max {
        true => Err(too_large(limits.bytes_max)),
        false => Ok(bytes),
    }
}

/// An answer with all of its body: one piece, unless that would be a large one.
pub(super) fn assembled(
    mut answer: Answer,
    frames: VecDeque<Frame<Bytes>>,
    length: Option<u64>,
    limits: Limits,
) -> Result<Answer, ProcessError> {
    let bytes = check_size(&frames, &limits)?;
    let data = frames.iter().filter_map(Frame::data_ref);
    let has_trailers = frames.iter().any(Frame::is_trailers);
    let joined = match data.clone().count() {
        _ if has_trailers => None,
        0 => return Ok(answer),
        1 => data.clone().next().cloned(),
        _ if bytes > JOINED_BYTES_MAX => None,
        _ => {
            let mut joined = BytesMut::with_capacity(bytes);
            data.clone().for_each(|data| joined.extend_from_slice(data));
            Some(joined.freeze())
        }
    };
    answer.body = match joined {
        Some(data) => AnswerBody::Blob {
            data,
            content_type: None,
        },
        None => {
            // Without trailers, and with all there, the length is known as well.
            let length = length.or_else(|| (!has_trailers).then_some(bytes as u64));
            let stream = AnswerStream::new(Source::Ready(frames), length, limits);
            AnswerBody::Stream(Box::new(stream))
        }
    };
    Ok(answer)
}

/// What a guest has left of a body.
pub(super) struct Left {
    pub(super) frames: VecDeque<Frame<Bytes>>,
    /// Whether that is all of it.
    pub(super) end: Result<(), ProcessError>,
}

/// Takes what is left of the body of a guest that is done, but still there.
pub(super) fn drain(body: &BodyPlace) -> Left {
    let mut frames = VecDeque::new();
    let Some(mut body) = body.lock().take() else {
        // It had been sent.
        return Left {
            frames,
            end: Ok(()),
        };
    };
    let end = match there(&mut body, &mut frames) {
        Poll::Ready(end) => end,
        Poll::Pending => Err(head::failed(
            "it ended without finishing the body of its answer",
        )),
    };
    Left { frames, end }
}

/// Takes what is there of a body, and tells how that ends if it does.
pub(super) fn there(
    body: &mut WasiBody,
    frames: &mut VecDeque<Frame<Bytes>>,
) -> Poll<Result<(), ProcessError>> {
    let all = poll_fn(|context| {
        loop {
            match ready!(Pin::new(&mut *body).poll_frame(context)) {
                Some(Ok(frame)) => frames.push_back(frame),
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(head::broken_off(&error))),
            }
        }
    });
    // A task that has had its share of turns is told to wait for what is there, and nobody comes back here.
    let all = pin!(unconstrained(all));
    all.poll(&mut Context::from_waker(Waker::noop()))
}

/// What the header says of the body's length, held to its limit before any of it is sent.
pub(super) fn length(answer: &Answer, limits: &Limits) -> Result<Option<u64>, ProcessError> {
    let length = head::length(answer);
    match length {
        Some(length) if length > limits.bytes_max => Err(too_large(limits.bytes_max)),
        length => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::BodyExt;
    use parking_lot::Mutex;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use tokio::task::coop::has_budget_remaining;

    use super::*;

    /// What a guest has sent to a channel.
    struct Sent(UnboundedReceiver<Frame<Bytes>>);

    impl Body for Sent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let frame = self.0.poll_recv(context);
            frame.map(|frame| frame.map(Ok))
        }
    }

    #[tokio::test]
    async fn a_whole_body_is_seen_by_a_task_that_has_had_its_share_of_turns() {
        let (sender, receiver) = unbounded_channel();
        for _ in 0..1000 {
            sender.send(Frame::data(Bytes::from_static(b"a"))).unwrap();
        }
        drop(sender);
        let mut body = Sent(receiver);
        let mut taken = 0;
        while has_budget_remaining() {
            body.frame().await.unwrap().unwrap();
            taken += 1;
        }
        let body = body.map_err(|never| match never {}).boxed_unsync();
        let left = drain(&BodyPlace::new(Mutex::new(Some(body))));
        assert!(left.end.is_ok(), "{:?}", left.end);
        assert_eq!(left.frames.len(), 1000 - taken);
    }
}
