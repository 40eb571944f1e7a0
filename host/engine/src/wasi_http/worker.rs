//! A web process that goes on behind its answer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use super::head::BodyPlace;
use super::run::{Left, drain};
use crate::cpu::CpuMeter;
use crate::due::Due;
use crate::ended::Ended;
use crate::error::ProcessError;

/// A web process at work.
pub(crate) type Work = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// What is known of a web process beside its work.
#[derive(Clone)]
pub(super) struct Circumstances {
    pub(super) component: Arc<str>,
    pub(super) request: u64,
    pub(super) due: Due,
    /// What counts the guest's time, and says when it must make room for others.
    pub(super) meter: Arc<CpuMeter>,
    /// The threads for those.
    pub(super) background: Handle,
}

/// A web process in a task of its own, which ends when nobody waits for it any more.
pub(super) struct Worker {
    task: Option<JoinHandle<()>>,
    outcome: oneshot::Receiver<Told>,
    /// What it told before it was asked.
    left: Option<Left>,
}

/// What was left of the body when the guest ended, or why it ended badly.
type Told = Result<Left, ProcessError>;

impl Worker {
    /// On the threads of the caller, until it is slow.
    pub(super) fn begin(work: Work, body: BodyPlace, circumstances: Circumstances) -> Self {
        let (outcome, receiver) = oneshot::channel();
        let task = tokio::spawn(async move {
            let background = circumstances.background.clone();
            if let Some((work, outcome)) = on(work, outcome, &body, &circumstances, false).await {
                let task = background.spawn(async move {
                    on(work, outcome, &body, &circumstances, true).await;
                });
                AbortOnDrop(task).wait().await;
            }
        });
        Self {
            task: Some(task),
            outcome: receiver,
            left: None,
        }
    }

    /// On the threads for those that take long.
    pub(super) fn begin_slow(work: Work, body: BodyPlace, circumstances: Circumstances) -> Self {
        let (outcome, receiver) = oneshot::channel();
        let background = circumstances.background.clone();
        let task = background.spawn(async move {
            on(work, outcome, &body, &circumstances, true).await;
        });
        Self {
            task: Some(task),
            outcome: receiver,
            left: None,
        }
    }

    /// How it ended. Not to be asked again once it has been told.
    pub(super) fn poll_outcome(&mut self, context: &mut Context<'_>) -> Poll<Told> {
        if let Some(left) = self.left.take() {
            return Poll::Ready(Ok(left));
        }
        let outcome = Pin::new(&mut self.outcome).poll(context);
        outcome.map(|told| told.unwrap_or_else(|_| Err(vanished())))
    }

    /// It is done, and this is what it left.
    pub(super) fn is_done_with(&mut self, left: Left) {
        self.left = Some(left);
    }

    /// The fault it ended with, if it has ended with one.
    pub(super) fn fault(&mut self) -> Option<ProcessError> {
        match self.outcome.try_recv() {
            Ok(Err(fault)) => Some(fault),
            Ok(Ok(left)) => {
                self.left = Some(left);
                None
            }
            Err(oneshot::error::TryRecvError::Empty) => None,
            // Told already.
            Err(oneshot::error::TryRecvError::Closed) if self.left.is_some() => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(vanished()),
        }
    }

    /// Leaves it to its deadline.
    pub(super) fn let_go(mut self) {
        self.task = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

fn vanished() -> ProcessError {
    ProcessError::Trap {
        hook: "the host",
        message: "the web process ended unexpectedly".into(),
    }
}

type Outcome = oneshot::Sender<Told>;

/// Works until the end or the deadline, and says which. Gives the work back if it is slow before that, unless it is
/// `patient`: then the time that it takes is counted.
async fn on(
    mut work: Work,
    outcome: Outcome,
    body: &BodyPlace,
    circumstances: &Circumstances,
    patient: bool,
) -> Option<(Work, Outcome)> {
    let meter = &circumstances.meter;
    let step = poll_fn(|context| {
        let polled = match patient {
            true => meter.during(|| work.as_mut().poll(context)),
            false => work.as_mut().poll(context),
        };
        match polled {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if !patient && meter.is_slow() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    let due = &circumstances.due;
    let stepped = {
        let mut step = pin!(step);
        loop {
            match timeout_at(due.now().at.into(), &mut step).await {
                Err(_) if !due.has_passed() => {} // It has been put off.
                stepped => break stepped,
            }
        }
    };
    let ended = match stepped {
        Ok(Some(ended)) => Some(ended),
        Ok(None) => return Some((work, outcome)),
        Err(_) => None,
    };
    // Told before the instance is gone: that ends the body, and then it must be known why.
    match ended {
        Some(mut ended) => {
            let left = ended.take_result().map(|()| drain(body));
            if left.as_ref().is_ok_and(|left| left.end.is_err()) {
                // What left its answer half done does not serve again.
                ended.retire();
            }
            tell(outcome, left, circumstances);
            ended.settle();
        }
        None => {
            tell(
                outcome,
                Err(ProcessError::Deadline(due.now().after)),
                circumstances,
            );
            drop(work);
        }
    }
    None
}

fn tell(outcome: Outcome, told: Told, circumstances: &Circumstances) {
    if let Err(Err(error)) = outcome.send(told) {
        let request = format_args!("{:016x}", circumstances.request);
        let component = &*circumstances.component;
        tracing::warn!(component, %request, "{component}, request {request}, after its answer: {error}");
    }
}

/// A task that ends with whoever waits for it.
struct AbortOnDrop(JoinHandle<()>);

impl AbortOnDrop {
    async fn wait(mut self) {
        // A task that panicked has told nobody its outcome, which is told enough.
        let _ = (&mut self.0).await;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
