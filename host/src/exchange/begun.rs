//! Requests for a component that are begun before they are read: the head of a plain GET is all there is of it. Most are
//! answered by the time the call returns; for what takes longer the whole request is read, and goes on from here.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::admit::Visit;
use super::authentication;
use super::dynamic::{self, Job, Outcome, Work};
use super::{Decided, concluded, logged};
use crate::http::{Peer, PlainGet, ReadyMade, Reject, Request, Response};
use crate::metrics::Answered;
use crate::response::{self, Asked};
use crate::route::Special;
use crate::server::{Receiver, WebServer};
use crate::traces::Answering;

/// What came of asking for an answer at once.
pub enum AtOnce {
    /// This is it.
    Made(ReadyMade),
    /// A component is at it.
    Begun(Box<Begun>),
    /// Nothing was done: it takes the whole request.
    Nothing,
}

impl AtOnce {
    fn begun(visit: Visit, began: Instant, trace: Option<Box<Answering>>, state: State) -> Self {
        Self::Begun(Box::new(Begun {
            visit,
            began,
            trace,
            state,
        }))
    }
}

/// A request that a component is at.
pub struct Begun {
    visit: Visit,
    began: Instant,
    trace: Option<Box<Answering>>,
    state: State,
}

/// How far it has come.
enum State {
    Running {
        server: Arc<WebServer>,
        work: Work,
        process: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    },
    /// It has failed, or its answer is one of an error, whose form is for the request to say.
    Ended {
        server: Arc<WebServer>,
        work: Work,
        outcome: Outcome,
    },
    /// There is no place for it.
    Refused(Reject),
    /// The response is finished, but too large or too slow to be sent at once.
    Finished(Response),
}

/// Calls the component that answers the request, if one does and nothing else has a say in it.
pub(super) fn begin(
    receiver: &Receiver,
    visit: Visit,
    special: Option<Special>,
    request: &PlainGet<'_>,
    peer: Peer,
    began: Instant,
) -> AtOnce {
    if visit.serving.legacy.is_some() {
        // It has to be found out whose turn it is, which may take a while.
        return AtOnce::Nothing;
    }
    let Some(job) = job(&visit, special) else {
        return AtOnce::Nothing;
    };
    if authentication::asks(&visit) {
        return AtOnce::Nothing;
    }
    let sessions = visit
        .serving
        .sessions
        .as_ref()
        .filter(|_| request.has_cookie);
    if sessions.is_some_and(|sessions| sessions.may_be_due(request.fields)) {
        return AtOnce::Nothing;
    }
    let server = job.server.clone();
    let traces = receiver.exchange.traces();
    let mut trace = traces.and_then(|traces| traces.begin_plain(request, peer, began));
    let started = dynamic::begin_plain(receiver, &visit, request, peer, job, trace.as_deref());
    let (work, process) = match started {
        Ok(started) => started,
        Err(reject) => return AtOnce::begun(visit, began, trace, State::Refused(reject)),
    };
    let mut process = Box::pin(process);
    // Whoever goes on with it waits for it: nobody has to be woken for this look.
    let mut context = Context::from_waker(Waker::noop());
    let state = match process.as_mut().poll(&mut context) {
        Poll::Pending => State::Running {
            server,
            work,
            process,
        },
        Poll::Ready(Ok(answer)) if answer.status.is_none_or(|status| status.as_u16() < 400) => {
            let response = dynamic::answered(receiver, &visit, &server, work, Ok(answer));
            let asked = Asked::of_get(request.codings);
            let decided = Decided {
                trace: trace.take(),
                ..Decided::nothing(began, Answered::Component)
            };
            let response = concluded(receiver, asked, &visit, peer, response, decided);
            match ReadyMade::of(&response) {
                Some(made) => {
                    let told = (response.status().as_u16(), made.body.len());
                    logged::at_once(&visit, request, peer, told, began, Instant::now);
                    return AtOnce::Made(made);
                }
                None => State::Finished(response),
            }
        }
        Poll::Ready(outcome) => State::Ended {
            server,
            work,
            outcome,
        },
    };
    AtOnce::begun(visit, began, trace, state)
}

fn job(visit: &Visit, special: Option<Special>) -> Option<Job> {
    match special {
        None | Some(Special::Cgi) => dynamic::connection(visit).ok(),
        Some(Special::Action { method, parameter }) => {
            dynamic::method(visit, &method, parameter).ok()
        }
        Some(_) => None,
    }
}

/// Goes on with what was begun, now that the whole request is there.
pub async fn go_on(
    receiver: &Receiver,
    mut request: Request,
    peer: Peer,
    begun: Box<Begun>,
) -> Response {
    let mut asked = Asked::of(&request);
    asked.note_form(request.headers());
    let Begun {
        visit,
        began,
        trace,
        state,
    } = *begun;
    let mut log = logged::begin(&visit.serving, &mut request, peer);
    if let Some(log) = &mut log {
        log.began_at(began);
    }
    let decided = |log| Decided {
        log,
        trace,
        ..Decided::nothing(began, Answered::Component)
    };
    let (server, mut work, outcome) = match state {
        State::Finished(mut response) => {
            logged::attach(log, &mut response);
            return response;
        }
        State::Refused(reject) => {
            let response = response::from_reject(reject, None);
            return concluded(receiver, asked, &visit, peer, response, decided(log));
        }
        State::Running {
            server,
            work,
            process,
        } => (server, work, process.await),
        State::Ended {
            server,
            work,
            outcome,
        } => (server, work, outcome),
    };
    work.request.uri = request.uri().clone();
    let response = dynamic::answered(receiver, &visit, &server, work, outcome);
    concluded(receiver, asked, &visit, peer, response, decided(log))
}
