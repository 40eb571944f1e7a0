//! The course of a connection: it goes on until it ends by itself, is told to end, or is late.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use super::activity::{Activity, Verdict};
use super::gate::Door;
use super::pace::Pace;
use super::{Closing, Timeouts};

/// A connection that can be let end.
pub(super) trait Ends: Future {
    /// It is to end after the requests it is at.
    fn let_end(self: Pin<&mut Self>);
}

/// What a connection is held to.
pub(super) struct Course<'a, T> {
    pub(super) activity: &'a Activity,
    pub(super) door: &'a Door,
    /// As they are at the moment.
    pub(super) timeouts: T,
    /// Whether it should end.
    pub(super) closing: watch::Receiver<Closing>,
}

/// What happens to a connection.
enum Event<E> {
    /// It has ended.
    Ended(Result<(), E>),
    /// It is told to end, at once or in its time.
    Told { at_once: bool },
    /// It is time to look at it.
    Look,
}

impl<T: Fn() -> Timeouts> Course<'_, T> {
    /// Lets a connection take its course. An error is what ended it; `None` means that it was given up.
    pub(super) async fn run<E, C>(mut self, mut connection: Pin<&mut C>) -> Option<Result<(), E>>
    where
        C: Ends<Output = Result<(), E>>,
    {
        let mut next_look = pin!(tokio::time::sleep((self.timeouts)().shortest()));
        let mut pace = Pace::default();
        let mut ending = false;
        loop {
            let event = {
                let others = self.told_or_late(ending, next_look.as_mut());
                first(connection.as_mut(), pin!(others)).await
            };
            match event {
                Event::Ended(result) => return Some(result),
                Event::Told { at_once: true } => return None,
                Event::Told { at_once: false } => {
                    ending = true;
                    connection.as_mut().let_end();
                }
                Event::Look => {
                    let timeouts = (self.timeouts)();
                    let wait = match self.activity.judge(timeouts, &mut pace) {
                        Verdict::Wait(wait) => wait,
                        // It is told why, as soon as its turn comes.
                        Verdict::HeadIsLate if self.door.give_up_head() => timeouts.send,
                        Verdict::HeadIsLate | Verdict::NothingCame | Verdict::IsNotRead => {
                            return None;
                        }
                        Verdict::IsIdle if ending => return None,
                        Verdict::IsIdle => {
                            ending = true;
                            connection.as_mut().let_end();
                            timeouts.keep_alive
                        }
                    };
                    next_look.as_mut().reset(Instant::now() + wait);
                }
            }
        }
    }

    async fn told_or_late<E>(&mut self, ending: bool, next_look: Pin<&mut Sleep>) -> Event<E> {
        tokio::select! {
            changed = self.closing.wait_for(|closing| closing.is_news(ending)) => {
                // An error is a server that is gone: end as when told to.
                let is_now = changed.is_ok_and(|closing| *closing == Closing::Now);
                Event::Told { at_once: is_now || ending }
            }
            () = next_look => Event::Look,
        }
    }
}

/// Waits for the end of a connection, or for the other event. That is looked at only when it has something to say: a busy
/// connection is woken for each request, and should not have to ask every time.
async fn first<E, C>(
    mut connection: Pin<&mut C>,
    mut other: Pin<&mut impl Future<Output = Event<E>>>,
) -> Event<E>
where
    C: Ends<Output = Result<(), E>>,
{
    let bell = Arc::new(Bell::default());
    let ringing = Waker::from(bell.clone());
    let mut known: Option<Waker> = None;
    std::future::poll_fn(|context| {
        if let Poll::Ready(result) = connection.as_mut().poll(context) {
            return Poll::Ready(Event::Ended(result));
        }
        let is_known = known
            .as_ref()
            .is_some_and(|known| known.will_wake(context.waker()));
        if !is_known {
            known = Some(context.waker().clone());
            *bell.task.lock() = Some(context.waker().clone());
            bell.has_rung.store(true, Ordering::Release);
        }
        if bell.has_rung.swap(false, Ordering::AcqRel) {
            return other.as_mut().poll(&mut Context::from_waker(&ringing));
        }
        Poll::Pending
    })
    .await
}

/// Wakes a task, and says that it was woken by this.
#[derive(Default)]
struct Bell {
    has_rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        if let Some(task) = &*self.task.lock() {
            task.wake_by_ref();
        }
    }
}
