//! Opens the listening sockets of a web server object.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that wait to be accepted: a burst, not a load.
const BACKLOG: i32 = 1024;

/// A port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{server}: cannot listen on {address}: {}", reason(source, *port))]
pub struct BindError {
    server: String,
    address: SocketAddr,
    port: u16,
    source: io::Error,
}

/// Binds every address with the port.
pub fn bind(server: &str, addresses: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for ip in addresses {
        // Port 0, picked by the system, must be the same on all addresses: the first one decides.
        let port = match listeners.first().map(TcpListener::local_addr) {
            Some(Ok(first)) => first.port(),
            _ => port,
        };
        let address = SocketAddr::new(*ip, port);
        listeners.push(listen(address).map_err(|source| BindError {
            server: server.to_owned(),
            address,
            port,
            source,
        })?);
    }
    Ok(listeners)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
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

fn reason(error: &io::Error, port: u16) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("port {port} needs privileges; choose another, for example --set HTTPPort=8080")
        }
        io::ErrorKind::AddrInUse => format!(
            "port {port} is in use, by another program or another web server of this one; stop that, or choose \
             another port in HTTPPort (for the host also by --set HTTPPort=8080)"
        ),
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have the address; see IPAddressToListen".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_says_what_to_do() {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST)];
        let first = bind("site", &loopback, 0).unwrap();
        let port = first[0].local_addr().unwrap().port();
        let error = bind("site", &loopback, port).unwrap_err().to_string();
        assert!(
            error.contains(&format!("127.0.0.1:{port}")) && error.contains("--set HTTPPort=8080"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn all_addresses_share_the_port_that_the_system_picked() {
        let addresses = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2])];
        let ports: Vec<u16> = bind("site", &addresses, 0)
            .unwrap()
            .iter()
            .map(|l| l.local_addr().unwrap().port())
            .collect();
        assert_eq!(ports[0], ports[1]);
    }
}
