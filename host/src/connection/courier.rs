//! Threads that send answers for the threads that make them, where those are many.
//!
//! Where clients share the machine, the first answer that is sent wakes its client, which is given the processor at once: a
//! thread that runs components has used more than its share. The client sends its next request and sleeps, and the next
//! answer wakes it again. A thread that does nothing but send has used little, so that it is left to finish, and the client
//! finds all answers there are. On a single processor that wins nothing: there are no such threads then.

use std::cell::OnceCell;
use std::io::{self, IoSlice};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::net::tcp::OwnedWriteHalf;

use super::pieces::Pieces;

/// How long what was given waits for a turn to end.
const WAIT_MAX: Duration = Duration::from_millis(2);

/// What a connection gives away to be sent, and where it gets back what was not.
pub(super) struct Parcel {
    writing: Arc<OwnedWriteHalf>,
    given: Mutex<Given>,
}

#[derive(Default)]
struct Given {
    pieces: Pieces,
    failed: Option<io::Error>,
    /// Some of it is being sent.
    is_underway: bool,
    /// The connection waits for that.
    is_wanted: bool,
    /// The connection's, which goes on with what could not be sent.
    waker: Option<Waker>,
}

impl Given {
    fn keep(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|it| it.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }
}

impl Parcel {
    pub(super) fn new(writing: Arc<OwnedWriteHalf>) -> Arc<Self> {
        Arc::new(Self {
            writing,
            given: Mutex::default(),
        })
    }

    /// Gives pieces away. They are sent when all that is given in this turn is, if not taken back before.
    pub(super) fn give(self: &Arc<Self>, pieces: &mut Pieces, context: &Context<'_>) {
        {
            let mut given = self.given.lock();
            given.pieces.end_with(pieces);
            given.keep(context.waker());
        }
        OWN.with(|own| own.get_or_init(Courier::begin).0.add(self.clone()));
    }

    /// Takes back what was given and not sent, before `pieces`. Waits while some of it is being sent.
    pub(super) fn poll_taken_back(
        &self,
        pieces: &mut Pieces,
        context: &Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut given = self.given.lock();
        if given.is_underway {
            given.is_wanted = true;
            given.keep(context.waker());
            return Poll::Pending;
        }
        pieces.begin_with(&mut given.pieces);
        Poll::Ready(given.failed.take().map_or(Ok(()), Err))
    }

    /// Sends what was given, unless it was taken back. Not with the lock held: a client that is woken by it may take the
    /// processor from this thread, and no thread that serves must wait for that.
    fn send(&self) {
        let mut pieces = {
            let mut given = self.given.lock();
            // Another courier may be at it: its connection has moved to another thread since.
            if given.is_underway || given.pieces.is_empty() {
                return;
            }
            given.is_underway = true;
            std::mem::take(&mut given.pieces)
        };
        let sent = pieces.poll_send(|slices| self.write(slices));
        let waker = {
            let mut given = self.given.lock();
            given.is_underway = false;
            given.pieces.begin_with(&mut pieces);
            if let Poll::Ready(Err(error)) = sent {
                given.failed = Some(error);
            }
            let is_left = !given.pieces.is_empty() || given.failed.is_some();
            match std::mem::take(&mut given.is_wanted) || is_left {
                true => given.waker.clone(),
                false => None,
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn write(&self, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            match self.writing.try_write_vectored(slices) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                written => return Poll::Ready(written),
            }
        }
    }
}

/// What waits for a courier.
#[derive(Default)]
struct Bag {
    contents: Mutex<Contents>,
    news: Condvar,
}

#[derive(Default)]
struct Contents {
    parcels: Vec<Arc<Parcel>>,
    /// Since when the first of them has been there.
    since: Option<Instant>,
    /// They are to be sent now.
    is_due: bool,
    /// The courier waits for the first one.
    is_asleep: bool,
    /// There is no courier, or nobody who gives it any more.
    is_over: bool,
}

impl Contents {
    fn take(&mut self) -> Vec<Arc<Parcel>> {
        (self.is_due, self.since) = (false, None);
        let next = Vec::with_capacity(self.parcels.len());
        std::mem::replace(&mut self.parcels, next)
    }
}

/// One of the two ends of a bag: a thread that gives, or its courier.
struct Courier(Arc<Bag>);

thread_local! {
    static OWN: OnceCell<Courier> = const { OnceCell::new() };
}

/// Whether there are couriers.
pub(super) fn are_there() -> bool {
    static ARE_THERE: OnceLock<bool> = OnceLock::new();
    *ARE_THERE.get_or_init(|| thread::available_parallelism().is_ok_and(|it| it.get() > 1))
}

/// The thread that calls has given all that it has for now.
pub(super) fn send_off() {
    OWN.with(|own| own.get().map(|courier| courier.0.send_off()));
}

impl Courier {
    fn begin() -> Self {
        let bag = Arc::<Bag>::default();
        let own = Self(bag.clone());
        let thread = thread::Builder::new().name("tessera-send".to_owned());
        // Where there can be none, its end of the bag is dropped at once.
        let _ = thread.spawn(move || {
            while let Some(parcels) = own.0.next() {
                parcels.iter().for_each(|parcel| parcel.send());
            }
        });
        Self(bag)
    }
}

impl Drop for Courier {
    /// What is given from now on is sent by who gives it.
    fn drop(&mut self) {
        let left = {
            let mut contents = self.0.contents.lock();
            contents.is_over = true;
            contents.take()
        };
        self.0.news.notify_one();
        left.iter().for_each(|parcel| parcel.send());
    }
}

impl Bag {
    fn add(&self, parcel: Arc<Parcel>) {
        let mut contents = self.contents.lock();
        if contents.is_over {
            drop(contents);
            return parcel.send();
        }
        contents.parcels.push(parcel);
        contents.since.get_or_insert_with(Instant::now);
        if std::mem::take(&mut contents.is_asleep) {
            self.news.notify_one();
        }
    }

    fn send_off(&self) {
        let mut contents = self.contents.lock();
        if !contents.parcels.is_empty() && !contents.is_due {
            contents.is_due = true;
            self.news.notify_one();
        }
    }

    /// Waits for the next ones; `None` if there will be none. A thread that is held up does not hold up what it gave before.
    fn next(&self) -> Option<Vec<Arc<Parcel>>> {
        let mut contents = self.contents.lock();
        while !contents.is_due && !contents.is_over {
            if let Some(since) = contents.since {
                let end = since + WAIT_MAX;
                if self.news.wait_until(&mut contents, end).timed_out() {
                    break;
                }
            } else if self.news.wait_for(&mut contents, WAIT_MAX).timed_out()
                && contents.since.is_none()
            {
                contents.is_asleep = true;
                self.news.wait(&mut contents);
                contents.is_asleep = false;
            }
        }
        let parcels = contents.take();
        (!parcels.is_empty() || !contents.is_over).then_some(parcels)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    use bytes::Bytes;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn connection() -> (TcpStream, Arc<Parcel>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, served) = (client.await.unwrap(), listener.accept().await.unwrap().0);
        served.writable().await.unwrap();
        let (_, writing) = served.into_split();
        (client, Parcel::new(Arc::new(writing)))
    }

    fn pieces(texts: &[&'static str]) -> Pieces {
        let mut pieces = Pieces::default();
        pieces.add(texts.iter().map(|text| Bytes::from(*text)));
        pieces
    }

    async fn taken_back(parcel: &Arc<Parcel>) -> io::Result<Pieces> {
        let mut pieces = Pieces::default();
        poll_fn(|context| parcel.poll_taken_back(&mut pieces, context)).await?;
        Ok(pieces)
    }

    async fn give(parcel: &Arc<Parcel>, mut pieces: Pieces) {
        poll_fn(|context| {
            parcel.give(&mut pieces, context);
            Poll::Ready(())
        })
        .await;
        assert!(pieces.is_empty());
    }

    #[tokio::test]
    async fn what_is_given_is_sent_also_by_a_thread_that_forgets_to() {
        let (mut client, parcel) = connection().await;
        let mut received = [0; 6];
        give(&parcel, pieces(&["ab", "", "cd"])).await;
        give(&parcel, pieces(&["ef"])).await;
        send_off();
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"abcdef");
        // A courier that waits for the end of the turn, and one that sleeps.
        for pause in [Duration::ZERO, WAIT_MAX * 5] {
            tokio::time::sleep(pause).await;
            give(&parcel, pieces(&["ghijkl"])).await;
            client.read_exact(&mut received).await.unwrap();
            assert_eq!(&received, b"ghijkl");
        }
        assert!(taken_back(&parcel).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_taken_back_comes_first_and_is_not_sent() {
        let (mut client, parcel) = connection().await;
        // As if it waited for its courier.
        parcel.given.lock().pieces = pieces(&["ab", "cd"]);
        let mut rest = pieces(&["ef"]);
        let context = Context::from_waker(Waker::noop());
        assert!(parcel.poll_taken_back(&mut rest, &context).is_ready());
        assert_eq!(rest.whole(), b"abcdef");
        parcel.send();
        drop(parcel);
        let mut received = String::new();
        client.read_to_string(&mut received).await.unwrap();
        assert_eq!(received, "");
    }

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn a_connection_hears_of_what_could_not_be_sent() {
        const PIECE: usize = 1 << 20;
        let (mut client, parcel) = connection().await;
        let woken = Arc::<Woken>::default();
        {
            let mut given = parcel.given.lock();
            given.waker = Some(woken.clone().into());
            // More than the system keeps for a client that takes nothing.
            let letters = b'a'..=b'z';
            given
                .pieces
                .add(letters.map(|letter| Bytes::from(vec![letter; PIECE])));
        }
        parcel.send();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        let left = taken_back(&parcel).await.unwrap();
        let sent = 26 * PIECE - left.length();
        assert!(sent > 0 && !left.is_empty());
        let mut received = vec![0; sent];
        client.read_exact(&mut received).await.unwrap();
        assert!(received.is_sorted() && received[0] == b'a');
        let (last, next) = (received[sent - 1], left.whole()[0]);
        assert!(next == last || next == last + 1);

        // Gone: the first write may still succeed.
        drop(client);
        loop {
            parcel.given.lock().pieces = pieces(&["x"]);
            parcel.send();
            if taken_back(&parcel).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert!(woken.0.load(Ordering::Relaxed) > 1);
    }

    #[tokio::test]
    async fn a_connection_waits_for_what_is_being_sent() {
        let (_client, parcel) = connection().await;
        let woken = Arc::<Woken>::default();
        let waker = woken.clone().into();
        let context = Context::from_waker(&waker);
        parcel.given.lock().is_underway = true;
        let mut left = Pieces::default();
        assert!(parcel.poll_taken_back(&mut left, &context).is_pending());
        // One that has nothing to send says nothing of the other one.
        parcel.send();
        assert!(parcel.poll_taken_back(&mut left, &context).is_pending());
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        for wakes in [1, 1] {
            {
                let mut given = parcel.given.lock();
                given.is_underway = false;
                given.pieces = pieces(&["x"]);
            }
            parcel.send();
            assert_eq!(
                woken.0.load(Ordering::Relaxed),
                wakes,
                "who waits is told, once"
            );
            assert!(parcel.poll_taken_back(&mut left, &context).is_ready());
        }
        assert!(left.is_empty());
    }

    #[tokio::test]
    async fn whoever_ends_sends_what_is_left_and_after_that_each_sends_its_own() {
        let (mut client, parcel) = connection().await;
        let bag = Arc::<Bag>::default();
        let ends = [Courier(bag.clone()), Courier(bag.clone())];
        let mut received = [0; 2];
        parcel.given.lock().pieces = pieces(&["ab"]);
        bag.add(parcel.clone());
        drop(ends);
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"ab");
        assert!(bag.next().is_none());
        parcel.given.lock().pieces = pieces(&["cd"]);
        bag.add(parcel);
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"cd");
    }
}
