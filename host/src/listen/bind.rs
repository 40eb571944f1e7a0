//! Opens one listening socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that wait to be accepted: a burst, not a load.
const BACKLOG: i32 = 1024;

/// Opens a socket that listens on an address. Any IPv6 address is any IPv4 address as well.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match open(address) {
        // A machine without IPv6: any address is any IPv4 address.
        Err(error)
            if address.ip().is_unspecified()
                && address.is_ipv6()
                && !matches!(
                    error.kind(),
                    io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
                ) =>
        {
            open(SocketAddr::new(
                Ipv4Addr::UNSPECIFIED.into(),
                address.port(),
            ))
        }
        result => result,
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // "Any" answers IPv4 and IPv6 alike.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restart must not wait for the connections of the process before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
