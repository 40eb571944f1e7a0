//! A rule of RFC 9113 or RFC 7541 as a case: what to send, and what has to come back.

use std::sync::Arc;

use tessera_tests::frames::frame::{self, WHOLE, headers, window_update};
use tessera_tests::frames::{Answer, Block, Code, End, FrameClient, PREFACE, Received};
use tessera_tests::{Server, Site};

/// A stream that no case uses: what shows that the connection is intact.
const LAST_STREAM: u32 = 0x7fff_ff01;
/// Cases that run at once, each with its connection.
const AT_ONCE: usize = 16;
/// A file's text, and where it is.
pub(super) const PAGE: &str = "/a.txt";

/// What a client does, in this order.
#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    /// Until the server has said all on this stream.
    AwaitEnd(u32),
    /// Until the head of the answer came on this stream.
    AwaitHead(u32),
    /// Until the server has looked at what was sent.
    Settle,
}

/// What the rule demands.
#[derive(Clone, Debug)]
pub(super) enum Expect {
    /// GOAWAY with this code, and the connection's end.
    Connection(Code),
    /// The connection's end, without a word.
    Silence,
    /// RST_STREAM with this code on this stream, and a connection that goes on.
    Stream(u32, Code),
    /// A whole answer with this status on this stream, and a connection that goes on.
    Answer(u32, u16),
    /// Nothing on any stream, and a connection that goes on.
    Nothing,
    /// Any of these is right.
    Either(Box<Self>, Box<Self>),
}

/// A case.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// RFC and section.
    pub(super) section: &'static str,
    /// The rule, as a sentence.
    pub(super) says: &'static str,
    settings: Vec<(u16, u32)>,
    has_opened: bool,
    steps: Vec<Step>,
    /// Whether nothing can come after it.
    is_last: bool,
    expect: Expect,
    /// What comes instead of what the rule demands.
    actual: Option<Expect>,
}

/// A case that sends these bytes over a connection that was opened as it should be.
pub(super) fn case(
    section: &'static str,
    says: &'static str,
    send: impl Into<Bytes>,
    expect: Expect,
) -> Case {
    Case {
        section,
        says,
        settings: Vec::new(),
        has_opened: true,
        steps: vec![Step::Send(send.into().0)],
        is_last: false,
        expect,
        actual: None,
    }
}

/// What is sent: one frame, or several.
pub(super) struct Bytes(Vec<u8>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl<const N: usize> From<[Vec<u8>; N]> for Bytes {
    fn from(frames: [Vec<u8>; N]) -> Self {
        Self(frames.concat())
    }
}

impl Case {
    /// With settings of the client.
    pub(super) fn with(mut self, settings: &[(u16, u32)]) -> Self {
        self.settings = settings.to_vec();
        self
    }

    /// Deviates: this comes instead.
    pub(super) fn but(mut self, actual: Expect) -> Self {
        self.actual = Some(actual);
        self
    }

    /// Whether it deviates.
    pub(super) fn deviates(&self) -> bool {
        self.actual.is_some()
    }

    /// Uses the last stream that there is.
    pub(super) fn last(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// Over a connection on which nothing was sent yet.
    pub(super) fn unopened(mut self) -> Self {
        self.has_opened = false;
        self
    }

    /// Then waits for the end of the answer on a stream, and sends these bytes.
    pub(super) fn after_end(self, stream: u32, send: impl Into<Bytes>) -> Self {
        self.then(Step::AwaitEnd(stream), send)
    }

    /// Then waits for the head of the answer on a stream, and sends these bytes.
    pub(super) fn after_head(self, stream: u32, send: impl Into<Bytes>) -> Self {
        self.then(Step::AwaitHead(stream), send)
    }

    /// Then waits until the server has looked at what was sent, and sends these bytes.
    pub(super) fn settled(self, send: impl Into<Bytes>) -> Self {
        self.then(Step::Settle, send)
    }

    fn then(mut self, wait: Step, send: impl Into<Bytes>) -> Self {
        self.steps.extend([wait, Step::Send(send.into().0)]);
        self
    }

    async fn run(self, server: Arc<Server>) -> Result<(), String> {
        let mut client = match self.has_opened {
            true => FrameClient::open_with(server.address, &self.settings).await,
            false => FrameClient::connect(server.address).await,
        };
        let seen = walk(&mut client, self.steps).await;
        match self.actual.unwrap_or(self.expect) {
            Expect::Connection(code) => connection_error(&mut client, Some(code)).await,
            Expect::Silence => connection_error(&mut client, None).await,
            either @ Expect::Either(..) => either_outcome(&mut client, seen, &either).await,
            expect => {
                stream_outcome(&mut client, seen, &expect).await?;
                match self.is_last {
                    true => Ok(()),
                    false => still_answers(&mut client).await,
                }
            }
        }
    }
}

/// Does what the client does, and gives what came meanwhile.
async fn walk(client: &mut FrameClient, steps: Vec<Step>) -> Vec<Received> {
    let mut seen = Vec::new();
    for step in steps {
        match step {
            Step::Send(bytes) => client.send(bytes).await,
            Step::Settle => seen.extend(client.settle().await),
            Step::AwaitEnd(of) => {
                client.next_until(|one| one.ends(of)).await;
                // What comes after the end is the subject.
                seen.clear();
            }
            Step::AwaitHead(of) => {
                let is_it =
                    |one: &Received| matches!(one, Received::Head { stream, .. } if *stream == of);
                seen.extend(client.next_until(is_it).await);
            }
        }
    }
    seen
}

impl Expect {
    pub(super) fn or(self, other: Self) -> Self {
        Self::Either(Box::new(self), Box::new(other))
    }

    /// The stream that it is about.
    fn stream(&self) -> Option<u32> {
        match self {
            Self::Stream(stream, _) | Self::Answer(stream, _) => Some(*stream),
            Self::Either(one, other) => one.stream().or_else(|| other.stream()),
            _ => None,
        }
    }

    /// Whether this came: for rules that leave a choice.
    fn is(&self, seen: &[Received]) -> bool {
        let has = |one: &dyn Fn(&Received) -> bool| seen.iter().any(one);
        match self {
            Self::Connection(wanted) => {
                has(&|one| matches!(one, Received::GoAway { code, .. } if code == wanted))
            }
            Self::Silence => {
                let is_said = has(&|one| matches!(one, Received::GoAway { .. }));
                has(&|one| *one == Received::Closed) && !is_said
            }
            Self::Stream(of, wanted) => {
                let wanted = Received::Reset {
                    stream: *of,
                    code: *wanted,
                };
                has(&|one| *one == wanted)
            }
            Self::Answer(of, status) => {
                let status = (":status".to_owned(), status.to_string());
                has(&|one| match one {
                    Received::Head { stream, fields, .. } => {
                        stream == of && fields.contains(&status)
                    }
                    _ => false,
                })
            }
            Self::Nothing => !has(&|one| {
                let is_new = one.stream() != 0 && one.stream() != LAST_STREAM;
                is_new || matches!(one, Received::GoAway { .. } | Received::Closed)
            }),
            Self::Either(one, other) => one.is(seen) || other.is(seen),
        }
    }
}

/// All that came until the server either closed or has answered a last request.
async fn what_came(client: &mut FrameClient) -> Vec<Received> {
    client
        .send(headers(LAST_STREAM, WHOLE, Block::get(PAGE)))
        .await;
    if client.window_of(LAST_STREAM) < 1000 {
        // The case has taken it away.
        client.send(window_update(LAST_STREAM, 1000)).await;
    }
    let is_end = |one: &Received| one.ends(LAST_STREAM) || *one == Received::Closed;
    client.next_until(is_end).await
}

/// Reads to the end, which has to come before any sign of life.
async fn connection_error(client: &mut FrameClient, wanted: Option<Code>) -> Result<(), String> {
    let mut seen = client.settle().await;
    if wanted.is_none() {
        // It may come a little later, as nothing is said.
        seen.extend(client.next_until(|one| *one == Received::Closed).await);
    }
    let codes: Vec<_> = seen
        .iter()
        .filter_map(|one| match one {
            Received::GoAway { code, .. } => Some(*code),
            _ => None,
        })
        .collect();
    match wanted {
        _ if seen.last() != Some(&Received::Closed) => Err(format!("not closed: {seen:?}")),
        Some(wanted) if codes != [wanted] => Err(format!("closed with {codes:?}: {seen:?}")),
        None if !codes.is_empty() => Err(format!("closed with {codes:?}: {seen:?}")),
        _ => Ok(()),
    }
}

/// Waits for any of several outcomes; whichever it is, the connection either ends or goes on.
async fn either_outcome(
    client: &mut FrameClient,
    mut seen: Vec<Received>,
    either: &Expect,
) -> Result<(), String> {
    seen.extend(client.settle().await);
    if let Some(stream) = either.stream()
        && !seen.iter().any(|one| one.ends(stream))
    {
        seen.extend(client.next_until(|one| one.ends(stream)).await);
    }
    match either.is(&seen) {
        true if seen.iter().any(is_unwanted) => Ok(()),
        true => still_answers(client).await,
        false => Err(format!("{seen:?}")),
    }
}

/// Waits for what is to come on a stream, and takes nothing else.
async fn stream_outcome(
    client: &mut FrameClient,
    mut seen: Vec<Received>,
    expect: &Expect,
) -> Result<(), String> {
    if let Expect::Stream(of, _) | Expect::Answer(of, _) = *expect
        && !seen.iter().any(|one| one.ends(of))
    {
        seen.extend(client.next_until(|one| one.ends(of)).await);
    }
    match *expect {
        Expect::Stream(of, wanted) => {
            let answer = Answer::of(of, &seen);
            match answer.end {
                End::Reset(code) if code == wanted => Ok(()),
                end => Err(format!("{end:?} with status {}: {seen:?}", answer.status())),
            }
        }
        Expect::Answer(of, wanted) => {
            let answer = Answer::of(of, &seen);
            match (answer.end, answer.status()) {
                (End::Complete, status) if status == wanted => Ok(()),
                (end, status) => Err(format!("{end:?} with status {status}: {seen:?}")),
            }
        }
        _ => {
            let mut seen = client.settle().await;
            // The windows and the sign of life are the connection's.
            seen.retain(|one| one.stream() != 0 || is_unwanted(one));
            match seen.is_empty() {
                true => Ok(()),
                false => Err(format!("{seen:?}")),
            }
        }
    }
}

fn is_unwanted(received: &Received) -> bool {
    matches!(received, Received::GoAway { .. } | Received::Closed)
}

async fn still_answers(client: &mut FrameClient) -> Result<(), String> {
    let seen = what_came(client).await;
    let is_intact = Expect::Answer(LAST_STREAM, 200).is(&seen);
    match is_intact && !seen.iter().any(is_unwanted) {
        true => Ok(()),
        false => Err(format!("then no answer: {seen:?}")),
    }
}

/// A site with a file.
pub(super) fn site() -> Site {
    Site::new().page("a.txt", "text")
}

/// Runs cases side by side, and tells all that fail.
pub(super) async fn run(cases: Vec<Case>) {
    let server = site().guest("echo").start().await;
    let server = Arc::new(server);
    let mut running = tokio::task::JoinSet::new();
    let mut faults = Vec::new();
    for case in cases {
        if running.len() == AT_ONCE {
            faults.extend(running.join_next().await.and_then(Result::unwrap));
        }
        let server = server.clone();
        running.spawn(async move {
            let name = format!("RFC {}: {}", case.section, case.says);
            let expect = case.actual.as_ref().unwrap_or(&case.expect).clone();
            // A task of its own: where it panics is said with its name.
            let fault = match tokio::spawn(case.run(server)).await {
                Ok(Ok(())) => return None,
                Ok(Err(fault)) => fault,
                Err(error) => error.to_string(),
            };
            Some(format!(
                "{name}\n    expected {expect:?}, came: {fault:.600}"
            ))
        });
    }
    while let Some(fault) = running.join_next().await {
        faults.extend(fault.unwrap());
    }
    faults.sort();
    assert!(faults.is_empty(), "{}\n{server:?}", faults.join("\n"));
}

/// The connection's first bytes, by hand.
pub(super) fn opening(then: impl Into<Bytes>) -> Vec<u8> {
    let settings = frame::settings(&[]);
    [PREFACE, &settings, &then.into().0].concat()
}
