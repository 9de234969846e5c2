//! Datagrams.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;

use kippu::net::UdpSocket;
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, sleep};

use super::{LOCAL, kind, pattern};
use crate::support::{Outcome, cases, failed, holds, poll_once, same};

cases!("net" needs "net":
    datagrams,
    datagrams_by_ipv6,
    datagrams_of_one_peer,
    datagrams_that_do_not_fit,
    a_dropped_receive_loses_nothing,
);

/// Datagrams there and back.
async fn datagrams_at(at: &str) -> Outcome {
    let ours = UdpSocket::bind(at).await.map_err(failed)?;
    let theirs = UdpSocket::bind(at).await.map_err(failed)?;
    let (here, there) = (ours.local_addr().map_err(failed)?, theirs.local_addr().map_err(failed)?);
    let mut buffer = [0; 2048];
    for len in [1, 0, 512, 1400] {
        let data = pattern(len);
        same(ours.send_to(&data, there).await.map_err(failed)?, len)?;
        let (count, from) = theirs.recv_from(&mut buffer).await.map_err(failed)?;
        same((&buffer[..count], from), (&data[..], here))?;
        same(theirs.send_to(&buffer[..count], from).await.map_err(failed)?, len)?;
        let (count, from) = ours.recv_from(&mut buffer).await.map_err(failed)?;
        same((&buffer[..count], from), (&data[..], there))?;
    }
    // One that waits already is woken.
    let waiting = spawn(async move { theirs.recv(&mut [0; 16]).await.map_err(failed) });
    yield_now().await;
    ours.send_to(b"wake up", there).await.map_err(failed)?;
    same(waiting.await.map_err(failed)??, 7)
}

async fn datagrams() -> Outcome {
    datagrams_at("127.0.0.1:0").await
}

async fn datagrams_by_ipv6() -> Outcome {
    datagrams_at("[::1]:0").await
}

async fn datagrams_of_one_peer() -> Outcome {
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(UdpSocket::bind(LOCAL).await.map_err(failed)?);
    }
    let [ours, peer, stranger] = &sockets[..] else { return Err("there are three".to_owned()) };
    let here = ours.local_addr().map_err(failed)?;
    same(kind(ours.send(b"x").await), Some(ErrorKind::NotConnected))?;
    same(kind(ours.peer_addr()), Some(ErrorKind::NotConnected))?;

    let mut buffer = [0; 16];
    for (peer, stranger) in [(peer, stranger), (stranger, peer)] {
        ours.connect(peer.local_addr().map_err(failed)?).await.map_err(failed)?;
        same(ours.peer_addr().map_err(failed)?, peer.local_addr().map_err(failed)?)?;
        same(ours.local_addr().map_err(failed)?, here)?;
        stranger.send_to(b"noise", here).await.map_err(failed)?;
        peer.send_to(b"signal", here).await.map_err(failed)?;
        let count = ours.recv(&mut buffer).await.map_err(failed)?;
        same(&buffer[..count], b"signal")?;
        ours.send(b"back").await.map_err(failed)?;
        let (count, from) = peer.recv_from(&mut buffer).await.map_err(failed)?;
        same((&buffer[..count], from), (&b"back"[..], here))?;
    }
    Ok(())
}

async fn datagrams_that_do_not_fit() -> Outcome {
    let ours = UdpSocket::bind(LOCAL).await.map_err(failed)?;
    let theirs = UdpSocket::bind(LOCAL).await.map_err(failed)?;
    let there = theirs.local_addr().map_err(failed)?;
    // The rest is lost, and not in the next one.
    ours.send_to(b"0123456789", there).await.map_err(failed)?;
    ours.send_to(b"next", there).await.map_err(failed)?;
    let mut small = [0; 4];
    same(theirs.recv(&mut small).await.map_err(failed)?, 4)?;
    same(&small, b"0123")?;
    same(theirs.recv(&mut small).await.map_err(failed)?, 4)?;
    same(&small, b"next")?;
    ours.send_to(b"gone", there).await.map_err(failed)?;
    same(theirs.recv(&mut []).await.map_err(failed)?, 0)?;
    for len in [65_508, 65_528, 100_000] {
        let sent = ours.send_to(&pattern(len), there).await;
        same((len, kind(sent)), (len, Some(ErrorKind::InvalidInput)))?;
    }
    // The largest there is.
    let (sent, mut got) = (pattern(65_507), vec![0; 65_507]);
    ours.send_to(&sent, there).await.map_err(failed)?;
    same(theirs.recv(&mut got).await.map_err(failed)?, sent.len())?;
    holds(got == sent, "all of it came")
}

async fn a_dropped_receive_loses_nothing() -> Outcome {
    let ours = UdpSocket::bind(LOCAL).await.map_err(failed)?;
    let here = ours.local_addr().map_err(failed)?;
    let theirs = UdpSocket::bind(LOCAL).await.map_err(failed)?;
    for byte in 0..20 {
        let mut buffer = [0; 4];
        let mut receive: Pin<Box<dyn Future<Output = _>>> = Box::pin(ours.recv(&mut buffer));
        holds(poll_once(&mut receive).await.is_pending(), "nothing was sent")?;
        theirs.send_to(&[byte], here).await.map_err(failed)?;
        sleep(Duration::from_millis(1)).await;
        drop(receive);
        same(ours.recv(&mut buffer).await.map_err(failed)?, 1)?;
        same(buffer[0], byte)?;
    }
    Ok(())
}
