//! Addresses, names, and errors by kind.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use kippu::net::{TcpListener, TcpStream, ToAddrs, UdpSocket, lookup};

use super::{LOCAL, echo_server, kind, pair};
use crate::support::{Outcome, cases, failed, holds, poll_once, same};

cases!("net" needs "net":
    a_refused_connection,
    the_next_address_is_tried,
    errors_of_binding,
    errors_of_addresses,
    any_address_is_this_machine,
    forms_of_addresses,
    names,
    no_delay,
);

/// An address where nobody listens.
async fn deserted() -> Result<SocketAddr, String> {
    TcpListener::bind(LOCAL).await.and_then(|listener| listener.local_addr()).map_err(failed)
}

async fn a_refused_connection() -> Outcome {
    let connecting = TcpStream::connect(deserted().await?).await;
    same(kind(connecting), Some(ErrorKind::ConnectionRefused))
}

async fn the_next_address_is_tried() -> Outcome {
    let (address, _server) = echo_server(LOCAL).await?;
    let bad = deserted().await?;
    let stream = TcpStream::connect([bad, bad, address]).await.map_err(failed)?;
    same(stream.peer_addr().map_err(failed)?, address)?;
    let listener = TcpListener::bind(&[address, SocketAddr::from(LOCAL)][..]).await;
    holds(listener.map_err(failed)?.local_addr().map_err(failed)? != address, "the next one")
}

async fn errors_of_binding() -> Outcome {
    let listener = TcpListener::bind(LOCAL).await.map_err(failed)?;
    let taken = listener.local_addr().map_err(failed)?;
    let second = TcpListener::bind(taken).await;
    let text = second.as_ref().err().map(ToString::to_string).unwrap_or_default();
    same(kind(second), Some(ErrorKind::AddrInUse))?;
    holds(text.contains(&taken.to_string()), &format!("{text:?} names the address"))?;
    let socket = UdpSocket::bind(LOCAL).await.map_err(failed)?;
    let second = UdpSocket::bind(socket.local_addr().map_err(failed)?).await;
    same(kind(second), Some(ErrorKind::AddrInUse))?;
    // An address for documentation: nobody has it.
    let foreign = TcpListener::bind("192.0.2.1:0").await;
    same(kind(foreign), Some(ErrorKind::AddrNotAvailable))?;
    // Loopbacks of both families have the same port.
    let first = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.map_err(failed)?;
    let port = first.local_addr().map_err(failed)?.port();
    TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await.map(drop).map_err(failed)
}

async fn errors_of_addresses() -> Outcome {
    for wrong in ["127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", ":80", "", "[::1]"] {
        let found = kind(TcpStream::connect(wrong).await);
        same((wrong, found), (wrong, Some(ErrorKind::InvalidInput)))?;
    }
    same(kind(TcpStream::connect(LOCAL).await), Some(ErrorKind::InvalidInput))?;
    same(kind(TcpStream::connect([]).await), Some(ErrorKind::InvalidInput))?;
    same(kind(TcpListener::bind([]).await), Some(ErrorKind::InvalidInput))?;
    let socket = UdpSocket::bind(LOCAL).await.map_err(failed)?;
    same(kind(socket.send_to(b"x", LOCAL).await), Some(ErrorKind::InvalidInput))?;
    same(kind(socket.send_to(b"x", "[::1]:9").await), Some(ErrorKind::InvalidInput))?;
    same(kind(socket.connect("[::1]:9").await), Some(ErrorKind::InvalidInput))
}

async fn any_address_is_this_machine() -> Outcome {
    for any in ["0.0.0.0", "::"] {
        let (address, _server) = echo_server((any, 0)).await?;
        let stream = TcpStream::connect((any, address.port())).await.map_err(failed)?;
        holds(stream.peer_addr().map_err(failed)?.ip().is_loopback(), any)?;
    }
    Ok(())
}

async fn forms_of_addresses() -> Outcome {
    let expected = vec![SocketAddr::from(([127, 0, 0, 1], 80))];
    same("127.0.0.1:80".to_addrs().await.map_err(failed)?, expected.clone())?;
    same("127.0.0.1:80".to_owned().to_addrs().await.map_err(failed)?, expected.clone())?;
    same(("127.0.0.1", 80).to_addrs().await.map_err(failed)?, expected.clone())?;
    same(("127.0.0.1".to_owned(), 80).to_addrs().await.map_err(failed)?, expected.clone())?;
    same((Ipv4Addr::LOCALHOST, 80).to_addrs().await.map_err(failed)?, expected.clone())?;
    same(expected[0].to_addrs().await.map_err(failed)?, expected.clone())?;
    same((&&expected[..]).to_addrs().await.map_err(failed)?, expected.clone())?;
    same(expected.to_addrs().await.map_err(failed)?, expected)?;
    let scoped = "[fe80::1%3]:80".to_addrs().await.map_err(failed)?;
    same(scoped.clone(), ("fe80::1%3", 80).to_addrs().await.map_err(failed)?)?;
    match scoped[..] {
        [SocketAddr::V6(address)] => same(address.scope_id(), 3),
        _ => Err(format!("{scoped:?} is not one address of IPv6")),
    }
}

async fn names() -> Outcome {
    let found = lookup("localhost", 80).await.map_err(failed)?;
    holds(!found.is_empty(), "it has an address")?;
    for address in found {
        holds(address.ip().is_loopback() && address.port() == 80, &address.to_string())?;
    }
    same(lookup("10.1.2.3", 4).await.map_err(failed)?, vec![([10, 1, 2, 3], 4).into()])?;
    let error = lookup("no-such-host.invalid", 80).await.err().ok_or("it has no address")?;
    same(error.kind(), ErrorKind::NotFound)?;
    holds(error.to_string().contains("no-such-host.invalid"), &error.to_string())?;
    let connecting = TcpStream::connect("no-such-host.invalid:80").await;
    same(kind(connecting), Some(ErrorKind::NotFound))?;
    same(kind(lookup("", 80).await), Some(ErrorKind::InvalidInput))?;
    // A name as an address, and a dropped look-up.
    let mut dropped = Box::pin(lookup("localhost", 1));
    let _ = poll_once(&mut dropped).await;
    drop(dropped);
    let (address, _server) = echo_server("localhost:0").await?;
    let stream = TcpStream::connect(("localhost", address.port())).await.map_err(failed)?;
    same(stream.peer_addr().map_err(failed)?, address)
}

async fn no_delay() -> Outcome {
    let (ours, _theirs) = pair().await?;
    match ours.set_nodelay(true) {
        Ok(()) => {
            same(ours.nodelay().map_err(failed)?, true)?;
            ours.set_nodelay(false).map_err(failed)?;
            same(ours.nodelay().map_err(failed)?, false)
        }
        // Only where there is no such option, which is said both ways.
        Err(error) => {
            same(error.kind(), ErrorKind::Unsupported)?;
            same(kind(ours.nodelay()), Some(ErrorKind::Unsupported))?;
            holds(cfg!(target_family = "wasm"), "operating systems have it")
        }
    }
}
