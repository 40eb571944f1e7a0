//! How many connections one client may have open.

use std::net::SocketAddr;

use tessera_tests::{Server, Site, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn start(settings: &str) -> Server {
    Site::new()
        .settings(&format!(
            "[log]\nlevel = \"info,tessera_host=debug\"\n[server]\nmax_connections_per_address = 3\n{settings}"
        ))
        .page("a.txt", "text")
        .start()
        .await
}

/// A connection through a proxy.
async fn connect(to: SocketAddr, client: &str) -> TcpStream {
    let family = if client.contains(':') { "TCP6" } else { "TCP4" };
    let mut stream = within("a connection", TcpStream::connect(to))
        .await
        .unwrap();
    let header = format!("PROXY {family} {client} {client} 1 80\r\n");
    stream.write_all(header.as_bytes()).await.unwrap();
    stream
}

/// Whether a request over the connection is answered.
async fn is_served(stream: &mut TcpStream) -> bool {
    // A connection that was closed may break while it is written to.
    let _ = stream
        .write_all(b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    let (mut answer, mut buffer) = (Vec::new(), [0; 1024]);
    while !answer.ends_with(b"text") {
        match within("an answer", stream.read(&mut buffer)).await {
            Ok(0) | Err(_) => return false,
            Ok(count) => answer.extend(&buffer[..count]),
        }
    }
    true
}

#[tokio::test]
async fn past_the_limit_of_an_address_its_connections_are_closed() {
    let server = start("[proxy]\ntrusted = \"127.0.0.1\"\nprotocol = true\n").await;
    for (client, same, other) in [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
    ] {
        let mut open = Vec::new();
        for _ in 0..3 {
            let mut stream = connect(server.address, client).await;
            assert!(is_served(&mut stream).await, "{client}");
            open.push(stream);
        }
        for _ in 0..10 {
            assert!(
                !is_served(&mut connect(server.address, same).await).await,
                "{client}"
            );
        }
        assert!(
            is_served(&mut connect(server.address, other).await).await,
            "{client}"
        );
        for stream in &mut open {
            assert!(is_served(stream).await, "{client}");
        }
        // One that ends has room for another.
        drop(open.pop());
        let again = server.wait_until("room", async || {
            is_served(&mut connect(server.address, same).await)
                .await
                .then_some(())
        });
        again.await;
    }
    let told = server.log();
    let count = |text: &str| told.matches(text).count();
    assert!(count("closed at once: its address") >= 20, "{told}");
    assert_eq!(
        count("as many as server.max_connections_per_address allows"),
        1,
        "{told}"
    );
}

#[tokio::test]
async fn this_machine_and_trusted_proxies_are_not_limited() {
    // A proxy that names clients in the head of each request has many of them on few connections.
    let server = start("").await;
    let announced =
        start("[proxy]\ntrusted = [\"127.0.0.1\", \"192.0.2.0/24\"]\nprotocol = true\n").await;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(TcpStream::connect(server.address).await.unwrap());
        open.push(connect(announced.address, "192.0.2.1").await);
    }
    for stream in &mut open {
        assert!(is_served(stream).await);
    }
}
