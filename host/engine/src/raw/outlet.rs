//! `send-raw-data` as the guest calls it: what it sends is kept, or goes out piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use wasmtime::StoreContextMut;
use wasmtime::component::WasmList;
use wasmtime_wasi_http::Error;

use super::head::RawData;
use crate::answer::AnswerBody;
use crate::call::Deadline;
use crate::due::Due;
use crate::generation::InstanceLimits;
use crate::state::{Exchange, State};
use crate::wasi_http::Responder;
use crate::wit::ResponseError;

/// Bytes of one piece, and pieces that may wait for the client: what one response holds in memory.
const PIECE_BYTES_MAX: usize = 64 * 1024;
const PIECES_MAX: usize = 4;

type Done = Result<(), ResponseError>;

/// Where raw data goes.
pub(crate) struct Outlet {
    stage: Stage,
    due: Due,
    /// The time that the next piece may take.
    piece_time: Duration,
    /// That all of them may take together.
    stream_time: Duration,
    /// When that is over, once the first has gone out.
    end: Deadline,
    /// Bytes of pieces so far.
    sent: usize,
}

/// How far it came.
enum Stage {
    /// On Web Authentication may still refuse the request: nothing goes out, pieces are put together.
    Guarded {
        is_gathering: bool,
        responder: Option<Responder>,
    },
    /// The next piece would be the first to go out.
    Ready(Option<Responder>),
    /// Pieces go out.
    Open(mpsc::Sender<Bytes>),
    /// The web process has ended.
    Closed,
}

impl Outlet {
    /// For a web process that must have begun its answer before `due`. It is `guarded` where On Web Authentication comes first.
    pub(super) fn new(
        responder: Responder,
        due: Due,
        guarded: bool,
        limits: &InstanceLimits,
    ) -> Self {
        let end = due.now();
        let responder = Some(responder);
        Self {
            stage: match guarded {
                true => Stage::Guarded {
                    is_gathering: false,
                    responder,
                },
                false => Stage::Ready(responder),
            },
            due,
            piece_time: limits.deadline,
            stream_time: limits.stream_time,
            end,
            sent: 0,
        }
    }

    /// The request was accepted.
    pub(crate) fn accepted(&mut self) {
        if let Stage::Guarded { responder, .. } = &mut self.stage {
            self.stage = Stage::Ready(responder.take());
        }
    }

    /// When the web process must have ended, or sent its next piece.
    pub(crate) fn deadline(&self) -> Deadline {
        self.due.now()
    }

    /// Whether pieces go out.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Nothing more comes. Gives back what an answer that did not go out is to be sent by.
    pub(super) fn close(&mut self) -> Option<Responder> {
        match std::mem::replace(&mut self.stage, Stage::Closed) {
            Stage::Guarded { responder, .. } | Stage::Ready(responder) => responder,
            Stage::Open(_) | Stage::Closed => None,
        }
    }

    /// The guest has the time for one more piece.
    fn put_off(&self) {
        self.due.put_off(self.piece_time, self.end);
    }
}

/// Sends what the guest gave.
pub(crate) async fn send(
    mut store: StoreContextMut<'_, State>,
    data: WasmList<u8>,
    chunked: bool,
) -> wasmtime::Result<Done> {
    let state = store.data_mut();
    let max = state.profile.response_bytes_max;
    let exchange = &mut state.exchange;
    // None where nobody waits for pieces: outside of a request.
    let stage = exchange.outlet.as_mut().map(|outlet| &mut outlet.stage);
    match stage {
        Some(Stage::Open(pieces)) => {
            let pieces = pieces.clone();
            pass(&mut store, &pieces, &data, 0).await
        }
        Some(Stage::Ready(_)) if chunked && !exchange.answer.is_redirect() => {
            let bytes = data.as_le_slice(&store);
            // The head is at the beginning.
            let start = bytes.get(..2 * PIECE_BYTES_MAX).unwrap_or(bytes);
            let raw = match RawData::read(Bytes::copy_from_slice(start)) {
                Ok(raw) => raw,
                Err(error) => return Ok(Err(error)),
            };
            let head_bytes = start.len() - raw.body.len();
            match open(&mut store.data_mut().exchange, raw) {
                Some(pieces) => pass(&mut store, &pieces, &data, head_bytes).await,
                None => Ok(Err(ResponseError::AlreadySent)),
            }
        }
        _ => {
            let bytes = data.as_le_slice(&store);
            if bytes.len() > max {
                return Ok(Err(ResponseError::TooLarge));
            }
            let bytes = Bytes::copy_from_slice(bytes);
            Ok(keep(&mut store.data_mut().exchange, bytes, chunked, max))
        }
    }
}

/// Keeps all of a response, or one more piece of it.
fn keep(exchange: &mut Exchange, data: Bytes, chunked: bool, max: usize) -> Done {
    let stage = exchange.outlet.as_mut().map(|outlet| &mut outlet.stage);
    let Some(Stage::Guarded { is_gathering, .. }) = stage else {
        return exchange.answer.send_raw(RawData::read(data)?);
    };
    if let (true, AnswerBody::Raw(raw)) = (*is_gathering, &mut exchange.answer.body) {
        if raw.body.len() + data.len() > max {
            return Err(ResponseError::TooLarge);
        }
        raw.body = [&raw.body[..], &data].concat().into();
        return Ok(());
    }
    *is_gathering = chunked;
    exchange.answer.send_raw(RawData::read(data)?)
}

/// Sends the head, and makes the way for pieces.
fn open(exchange: &mut Exchange, raw: RawData) -> Option<mpsc::Sender<Bytes>> {
    let outlet = exchange.outlet.as_mut()?;
    let responder = outlet.close()?;
    let (pieces, body) = mpsc::channel(PIECES_MAX);
    let after = outlet.stream_time;
    outlet.end = Deadline {
        at: Instant::now() + after,
        after,
    };
    outlet.put_off();
    outlet.stage = Stage::Open(pieces.clone());
    let mut response = Response::new(Pieces(body).boxed_unsync());
    *response.status_mut() = raw.status(exchange.answer.status);
    *response.headers_mut() = exchange.answer.take_headers();
    RawData::put_into(raw.headers, response.headers_mut());
    responder.send_pieces(response);
    Some(pieces)
}

/// Passes on what the guest gave from `at` on, as fast as the client takes it.
async fn pass(
    store: &mut StoreContextMut<'_, State>,
    pieces: &mpsc::Sender<Bytes>,
    data: &WasmList<u8>,
    mut at: usize,
) -> wasmtime::Result<Done> {
    let max = store.data().profile.response_bytes_max;
    let length = data.as_le_slice(&*store).len().saturating_sub(at);
    let Some(outlet) = &mut store.data_mut().exchange.outlet else {
        return Ok(Err(ResponseError::AlreadySent));
    };
    if outlet.sent.saturating_add(length) > max {
        return Ok(Err(ResponseError::TooLarge));
    }
    outlet.sent += length;
    loop {
        let rest = data.as_le_slice(&*store).get(at..).unwrap_or_default();
        let piece = rest.get(..PIECE_BYTES_MAX).unwrap_or(rest);
        if piece.is_empty() {
            return Ok(Ok(()));
        }
        let piece = Bytes::copy_from_slice(piece);
        at += piece.len();
        if pieces.send(piece).await.is_err() {
            // The client is gone, and with it the reason for this web process: it is about to be dropped.
            std::future::pending::<()>().await;
        }
        if let Some(outlet) = &store.data().exchange.outlet {
            outlet.put_off();
        }
    }
}

/// The pieces, as the body of a response.
struct Pieces(mpsc::Receiver<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
