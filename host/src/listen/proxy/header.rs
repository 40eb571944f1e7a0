//! What a header of the PROXY protocol says, as text (version 1) or as bytes (version 2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Ends;

/// What a header of version 2 begins with.
pub(super) const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes between that and the addresses: version and command, family and transport, length of the rest.
pub(super) const HEAD_BYTES: usize = 4;
/// What a header of version 1 begins with.
pub(super) const LINE_BEGINS: &[u8] = b"PROXY ";
/// Longest header of version 1, with its end.
pub(super) const LINE_BYTES_MAX: usize = 107;

/// Whose connection it is, or why the header is wrong.
type Parsed = Result<Option<Ends>, &'static str>;

/// Reads a header of version 1, with its end: `PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n`.
pub(super) fn of_line(line: &[u8]) -> Parsed {
    let line = line
        .strip_suffix(b"\r\n")
        .ok_or("the line does not end with CR and LF")?;
    let line = std::str::from_utf8(line).map_err(|_| "the line is not ASCII")?;
    let mut words = line.split(' ');
    if words.next() != Some("PROXY") {
        return Err("the line does not begin with PROXY");
    }
    let family = words.next().unwrap_or_default();
    if family == "UNKNOWN" {
        // What may follow has no meaning.
        return Ok(None);
    }
    let [Some(client), Some(server), Some(from), Some(to), None] = [(); 5].map(|()| words.next())
    else {
        return Err("two addresses and two ports have to follow");
    };
    let address = |text: &str| -> Result<IpAddr, &'static str> {
        let parsed = match family {
            "TCP4" => text.parse().map(IpAddr::V4).ok(),
            "TCP6" => text.parse().map(IpAddr::V6).ok(),
            _ => return Err("the family is none of TCP4, TCP6 and UNKNOWN"),
        };
        parsed.ok_or("an address is not of its family")
    };
    let port = |text: &str| -> Result<u16, &'static str> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let is_padded = text.len() > 1 && text.starts_with('0');
        let port = text.parse().ok().filter(|_| is_number && !is_padded);
        port.ok_or("a port is no number from 0 to 65535")
    };
    Ok(Some(Ends {
        client: SocketAddr::new(address(client)?.to_canonical(), port(from)?),
        server: SocketAddr::new(address(server)?.to_canonical(), port(to)?),
    }))
}

/// Reads a header of version 2 from what follows the signature. `rest` is as long as the header says; what is behind the
/// addresses is passed over.
pub(super) fn of_bytes(command: u8, family: u8, rest: &[u8]) -> Parsed {
    match command {
        // LOCAL: the proxy's own, to see whether we are there.
        0x20 => return Ok(None),
        0x21 => {}
        _ if command >> 4 != 2 => return Err("the version is not 2"),
        _ => return Err("the command is neither LOCAL nor PROXY"),
    }
    let is_short = "the addresses are cut off";
    match family {
        // Over TCP, IPv4 and IPv6.
        0x11 => {
            let (bytes, _) = rest.split_first_chunk::<12>().ok_or(is_short)?;
            let [a, b, c, d, e, f, g, h, ports @ ..] = *bytes;
            let (client, server) = (Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h));
            Ok(Some(ends(client.into(), server.into(), ports)))
        }
        0x21 => {
            let (client, rest) = rest.split_first_chunk::<16>().ok_or(is_short)?;
            let (server, rest) = rest.split_first_chunk::<16>().ok_or(is_short)?;
            let (ports, _) = rest.split_first_chunk::<4>().ok_or(is_short)?;
            let (client, server) = (Ipv6Addr::from(*client), Ipv6Addr::from(*server));
            Ok(Some(ends(client.into(), server.into(), *ports)))
        }
        // Unspecified, or a socket of the proxy's machine: there is no address.
        0x00 | 0x31 => Ok(None),
        0x12 | 0x22 | 0x32 => Err("it is about datagrams"),
        _ => Err("the family or the transport is unknown"),
    }
}

fn ends(client: IpAddr, server: IpAddr, ports: [u8; 4]) -> Ends {
    let [a, b, c, d] = ports;
    Ends {
        client: SocketAddr::new(client.to_canonical(), u16::from_be_bytes([a, b])),
        server: SocketAddr::new(server.to_canonical(), u16::from_be_bytes([c, d])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parsed: Parsed) -> String {
        match parsed {
            Ok(None) => "own".to_owned(),
            Ok(Some(ends)) => format!("{} {}", ends.client, ends.server),
            Err(reason) => reason.to_owned(),
        }
    }

    #[test]
    fn a_line_is_taken_as_the_document_writes_it_and_no_other_way() {
        let port = "a port is no number from 0 to 65535";
        let family = "an address is not of its family";
        let count = "two addresses and two ports have to follow";
        for (line, expected) in [
            (
                "TCP4 192.0.2.1 198.51.100.2 4711 443\r\n",
                "192.0.2.1:4711 198.51.100.2:443",
            ),
            (
                "TCP6 2001:db8::1 2001:db8::2 1 65535\r\n",
                "[2001:db8::1]:1 [2001:db8::2]:65535",
            ),
            ("TCP6 ::ffff:192.0.2.1 ::1 0 80\r\n", "192.0.2.1:0 [::1]:80"),
            ("UNKNOWN\r\n", "own"),
            (
                "UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
                "own",
            ),
            (
                "TCP4 192.0.2.1 198.51.100.2 4711 443\n",
                "the line does not end with CR and LF",
            ),
            ("TCP4 192.0.2.1 198.51.100.2 4711\r\n", count),
            ("TCP4 192.0.2.1 198.51.100.2 4711 443 1\r\n", count),
            ("TCP4 192.0.2.1 198.51.100.2 4711 443 \r\n", count),
            ("TCP4  192.0.2.1 198.51.100.2 4711 443\r\n", count),
            ("\r\n", count),
            ("TCP4 2001:db8::1 2001:db8::2 1 2\r\n", family),
            ("TCP6 192.0.2.1 192.0.2.2 1 2\r\n", family),
            ("TCP4 192.0.2.256 192.0.2.2 1 2\r\n", family),
            ("TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", port),
            ("TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", port),
            ("TCP4 192.0.2.1 192.0.2.2 01 2\r\n", port),
            ("TCP4 192.0.2.1 192.0.2.2 -1 2\r\n", port),
            (
                "UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
                "the family is none of TCP4, TCP6 and UNKNOWN",
            ),
            (
                "tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
                "the family is none of TCP4, TCP6 and UNKNOWN",
            ),
        ] {
            let line = [b"PROXY ", line.as_bytes()].concat();
            assert_eq!(shown(of_line(&line)), expected, "{}", line.escape_ascii());
        }
        let wrong = "the line does not begin with PROXY";
        assert_eq!(of_line(b"PROXYTCP4 1.1.1.1 1.1.1.1 1 1\r\n"), Err(wrong));
        assert_eq!(
            of_line(b"PROXY TCP4 \xff\r\n"),
            Err("the line is not ASCII")
        );
    }

    #[test]
    fn bytes_are_taken_with_whatever_follows_the_addresses() {
        let four = [192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x67, 1, 187];
        let mut six = [0; 36];
        (six[0], six[1], six[15], six[31], six[33], six[35]) = (0x20, 1, 9, 1, 7, 80);
        let more = [&four[..], &[0xff; 300]].concat();
        let (of_four, of_six) = ("192.0.2.1:4711 198.51.100.2:443", "[2001::9]:7 [::1]:80");
        let (short, unknown) = (
            "the addresses are cut off",
            "the family or the transport is unknown",
        );
        for (command, family, rest, expected) in [
            (0x21, 0x11, &four[..], of_four),
            (0x21, 0x11, &more, of_four),
            (0x21, 0x21, &six, of_six),
            (0x20, 0x11, &four, "own"),
            (0x20, 0xff, &[], "own"),
            (0x21, 0x00, &[], "own"),
            (0x21, 0x31, &[0; 216], "own"),
            (0x21, 0x11, &four[..11], short),
            (0x21, 0x21, &six[..35], short),
            (0x21, 0x21, &four, short),
            (0x21, 0x12, &four, "it is about datagrams"),
            (0x21, 0x41, &four, unknown),
            (0x21, 0x13, &four, unknown),
            (0x22, 0x11, &four, "the command is neither LOCAL nor PROXY"),
            (0x11, 0x11, &four, "the version is not 2"),
            (0x31, 0x11, &four, "the version is not 2"),
        ] {
            let found = shown(of_bytes(command, family, rest));
            assert_eq!(found, expected, "{command:x} {family:x} {rest:?}");
        }
    }

    #[test]
    fn nothing_that_is_sent_causes_a_panic() {
        let mut random = 0x7e55_e7a0_u64;
        let mut next = |end: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % 0xffff_ffff).unwrap() % end
        };
        let seeds: [&[u8]; 3] = [
            b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n",
            b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n",
            b"PROXY UNKNOWN\r\n",
        ];
        let mut taken = 0;
        for _ in 0..50_000 {
            let mut line = seeds[next(3)].to_vec();
            for _ in 0..next(4) {
                let at = next(line.len());
                match next(3) {
                    0 => line[at] = next(256) as u8,
                    1 => drop(line.remove(at)),
                    _ => line.insert(at, b" 0:.\r\n6"[next(7)]),
                }
            }
            taken += usize::from(of_line(&line).is_ok());
            let (command, family) = (next(256) as u8, next(256) as u8);
            let _ = of_bytes(command, family, &line);
            let _ = of_bytes(0x21, [0x11, 0x21][next(2)], &line[..next(line.len())]);
        }
        assert!((10_000..40_000).contains(&taken), "{taken}");
    }
}
