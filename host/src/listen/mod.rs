//! Takes connections from the system and hands each to a task of its own.

mod bind;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::connection::{self, Closing, Timeouts};
use crate::http::Peer;
use crate::server::Receiver;

pub use bind::{BindError, bind};

/// Pause after an accept that failed for want of descriptors or memory: trying again at once would burn the
/// processor that is needed to end connections.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all listeners of the process share.
#[derive(Debug)]
pub struct ConnectionLimits {
    /// Places for open connections.
    pub places: Arc<Semaphore>,
    /// How long a connection may be silent.
    pub timeouts: Timeouts,
}

/// Accepts connections until told to close. At the limit of connections new ones wait in the system's queue.
pub async fn accept(
    listener: TcpListener,
    receiver: Arc<Receiver>,
    limits: Arc<ConnectionLimits>,
    mut closing: watch::Receiver<Closing>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &limits) => accepted,
            _ = closing.wait_for(|closing| *closing != Closing::No) => return,
        };
        let Some((stream, peer, place)) = accepted else {
            return;
        };
        let (receiver, closing, timeouts) = (receiver.clone(), closing.clone(), limits.timeouts);
        tokio::spawn(async move {
            connection::serve(stream, peer, receiver, timeouts, closing).await;
            drop(place);
        });
    }
}

async fn next(
    listener: &TcpListener,
    limits: &ConnectionLimits,
) -> Option<(TcpStream, Peer, tokio::sync::OwnedSemaphorePermit)> {
    // Closed only when the process ends.
    let place = limits.places.clone().acquire_owned().await.ok()?;
    loop {
        match listener
            .accept()
            .await
            .and_then(|(stream, client)| prepare(stream, client))
        {
            Ok((stream, peer)) => return Some((stream, peer, place)),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn prepare(stream: TcpStream, client: std::net::SocketAddr) -> io::Result<(TcpStream, Peer)> {
    // Without it a small response waits for the client's acknowledgement of the one before.
    stream.set_nodelay(true)?;
    let server = stream.local_addr()?;
    let peer = Peer {
        client,
        server,
        secured: false,
    };
    Ok((stream, peer))
}

/// Whether the connection was gone before it was accepted: not our concern.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
            | io::ErrorKind::InvalidInput
    )
}
