//! Sockets: servers and clients of TCP and UDP as tasks of one program, on the loopback of both families.

#![allow(clippy::drop_non_drop, reason = "on JavaScript hosts sockets hold nothing")]

pub(crate) mod datagrams;
pub(crate) mod errors;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use async_lock::Barrier;
use futures_util::future::join;
use kippu::net::{Shutdown, TcpListener, TcpStream, ToAddrs, UdpSocket};
use kippu::task::{JoinHandle, spawn, yield_now};
use kippu::time::{Duration, sleep, timeout};

use crate::polls::{Owned, at_any_await};
use crate::support::{Outcome, cases, failed, holds, poll_once, same};

cases!("net" needs "net":
    an_echo_of_1,
    an_echo_of_126,
    an_echo_of_127,
    an_echo_of_128,
    an_echo_of_129,
    an_echo_of_500,
    an_echo_of_900,
    an_echo_by_ipv6,
    both_ways_at_once,
    two_readers_of_one_stream,
    two_writers_of_one_stream,
    two_acceptors_of_one_listener,
    by_the_traits,
    half_a_close,
    a_half_that_is_not_read,
    reads_of_nothing,
    a_slow_reader_of_much,
    what_a_dropped_stream_wrote,
    a_dropped_read_loses_nothing,
    a_dropped_accept_loses_nothing,
    a_dropped_write,
    drop_at_every_await,
    a_listener_is_dropped,
    a_peer_that_breaks_off,
);

const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Sends back what it gets until the end, and then ends.
async fn echo(stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return stream.close().await,
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

/// A server that echoes until its handle is dropped.
async fn echo_server(at: impl ToAddrs) -> Result<(SocketAddr, Owned<()>), String> {
    let listener = TcpListener::bind(at).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let server = spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(spawn(echo(stream)));
        }
    });
    Ok((address, Owned(server)))
}

/// Both ends of a connection.
async fn pair() -> Result<(TcpStream, TcpStream), String> {
    let listener = TcpListener::bind(LOCAL).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (ours, theirs) = join(TcpStream::connect(address), listener.accept()).await;
    let (ours, (theirs, peer)) = (ours.map_err(failed)?, theirs.map_err(failed)?);
    same(peer, ours.local_addr().map_err(failed)?)?;
    same(ours.peer_addr().map_err(failed)?, address)?;
    same(theirs.local_addr().map_err(failed)?, address)?;
    Ok((ours, theirs))
}

async fn read_all(stream: &TcpStream) -> Result<Vec<u8>, String> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        match stream.read(&mut buffer).await.map_err(failed)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

async fn joined(tasks: Vec<JoinHandle<Outcome>>) -> Outcome {
    for task in tasks {
        task.await.map_err(failed)??;
    }
    Ok(())
}

fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// So many connections at once, each of which has sent and got some messages while all the others were open.
async fn echo_of(connections: usize, at: impl ToAddrs) -> Outcome {
    let (address, _server) = echo_server(at).await?;
    let all_there = Rc::new(Barrier::new(connections));
    let clients = (0..connections).map(|client| {
        let all_there = all_there.clone();
        spawn(async move {
            let stream = TcpStream::connect(address).await.map_err(failed)?;
            all_there.wait().await;
            for round in 0..4_u32 {
                let sent = (client as u32 * 4 + round).to_be_bytes();
                stream.write_all(&sent).await.map_err(failed)?;
                let mut got = [0; 4];
                stream.read_exact(&mut got).await.map_err(failed)?;
                same(got, sent)?;
            }
            all_there.wait().await;
            stream.close().await.map_err(failed)?;
            same(stream.read(&mut [0; 1]).await.map_err(failed)?, 0)
        })
    });
    joined(clients.collect()).await
}

async fn an_echo_of_1() -> Outcome {
    echo_of(1, LOCAL).await
}

async fn an_echo_of_126() -> Outcome {
    echo_of(126, LOCAL).await
}

async fn an_echo_of_127() -> Outcome {
    echo_of(127, LOCAL).await
}

async fn an_echo_of_128() -> Outcome {
    echo_of(128, LOCAL).await
}

async fn an_echo_of_129() -> Outcome {
    echo_of(129, LOCAL).await
}

async fn an_echo_of_500() -> Outcome {
    echo_of(500, LOCAL).await
}

async fn an_echo_of_900() -> Outcome {
    echo_of(900, LOCAL).await
}

async fn an_echo_by_ipv6() -> Outcome {
    echo_of(16, "[::1]:0").await
}

async fn both_ways_at_once() -> Outcome {
    let (address, _server) = echo_server(LOCAL).await?;
    let stream = Arc::new(TcpStream::connect(address).await.map_err(failed)?);
    let data = pattern(2 << 20);
    let (there, sent) = (stream.clone(), data.clone());
    let writer = spawn(async move {
        there.write_all(&sent).await.map_err(failed)?;
        there.close().await.map_err(failed)
    });
    let got = read_all(&stream).await?;
    writer.await.map_err(failed)??;
    holds(got == data, "all comes back, in order")
}

async fn two_readers_of_one_stream() -> Outcome {
    let (ours, theirs) = pair().await?;
    let ours = Arc::new(ours);
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let ours = ours.clone();
            spawn(async move { ours.read(&mut [0; 1]).await.map_err(failed) })
        })
        .collect();
    yield_now().await;
    // Both wait. Neither byte may wake only the one that got the other.
    for _ in 0..2 {
        sleep(Duration::from_millis(5)).await;
        theirs.write_all(b"x").await.map_err(failed)?;
    }
    for reader in readers {
        same(reader.await.map_err(failed)??, 1)?;
    }
    Ok(())
}

async fn two_writers_of_one_stream() -> Outcome {
    let (ours, theirs) = pair().await?;
    let ours = Arc::new(ours);
    let writers: Vec<_> = [b'a', b'b']
        .into_iter()
        .map(|byte| {
            let ours = ours.clone();
            spawn(async move { ours.write_all(&vec![byte; 1 << 20]).await.map_err(failed) })
        })
        .collect();
    // Both are stuck by now.
    sleep(Duration::from_millis(20)).await;
    let closing = spawn(async move {
        joined(writers).await?;
        ours.close().await.map_err(failed)
    });
    let got = read_all(&theirs).await?;
    closing.await.map_err(failed)??;
    let a = got.iter().filter(|byte| **byte == b'a').count();
    same((a, got.len()), (1 << 20, 2 << 20))
}

async fn two_acceptors_of_one_listener() -> Outcome {
    let listener = Rc::new(TcpListener::bind(LOCAL).await.map_err(failed)?);
    let address = listener.local_addr().map_err(failed)?;
    let acceptors: Vec<_> = (0..2)
        .map(|_| {
            let listener = listener.clone();
            spawn(async move { listener.accept().await.map(drop).map_err(failed) })
        })
        .collect();
    yield_now().await;
    let _one = TcpStream::connect(address).await.map_err(failed)?;
    sleep(Duration::from_millis(5)).await;
    let _two = TcpStream::connect(address).await.map_err(failed)?;
    joined(acceptors).await
}

async fn by_the_traits() -> Outcome {
    use futures_io::{AsyncRead, AsyncWrite};

    let (mut ours, theirs) = pair().await?;
    let parts = [std::io::IoSlice::new(b"he"), std::io::IoSlice::new(b"llo")];
    let count = std::future::poll_fn(|cx| Pin::new(&mut ours).poll_write_vectored(cx, &parts));
    let count = count.await.map_err(failed)?;
    holds((1..=5).contains(&count), "some of it is written")?;
    std::future::poll_fn(|cx| Pin::new(&mut &ours).poll_flush(cx)).await.map_err(failed)?;
    std::future::poll_fn(|cx| Pin::new(&mut ours).poll_close(cx)).await.map_err(failed)?;
    let mut buffer = [0; 8];
    let got = std::future::poll_fn(|cx| Pin::new(&mut &theirs).poll_read(cx, &mut buffer)).await;
    same(&buffer[..got.map_err(failed)?], &b"hello"[..count])?;
    same(theirs.read(&mut buffer).await.map_err(failed)?, 0)
}

async fn half_a_close() -> Outcome {
    let (ours, theirs) = pair().await?;
    ours.write_all(b"question").await.map_err(failed)?;
    ours.shutdown(Shutdown::Write).map_err(failed)?;
    same(read_all(&theirs).await?.as_slice(), b"question")?;
    same(theirs.read(&mut [0; 1]).await.map_err(failed)?, 0)?;
    theirs.write_all(b"answer").await.map_err(failed)?;
    let mut answer = [0; 6];
    ours.read_exact(&mut answer).await.map_err(failed)?;
    same(&answer, b"answer")?;
    same(kind(ours.write(b"more").await), Some(ErrorKind::BrokenPipe))?;
    // Closed is closed.
    ours.shutdown(Shutdown::Write).map_err(failed)?;
    ours.close().await.map_err(failed)?;
    drop(theirs);
    same(ours.read(&mut [0; 1]).await.map_err(failed)?, 0)?;
    ours.shutdown(Shutdown::Both).map_err(failed)
}

async fn a_half_that_is_not_read() -> Outcome {
    let (ours, theirs) = pair().await?;
    let ours = Arc::new(ours);
    let there = ours.clone();
    let reader = spawn(async move { there.read(&mut [0; 1]).await.map_err(failed) });
    yield_now().await;
    ours.shutdown(Shutdown::Read).map_err(failed)?;
    same(reader.await.map_err(failed)??, 0)?;
    ours.write_all(b"still").await.map_err(failed)?;
    let mut got = [0; 5];
    theirs.read_exact(&mut got).await.map_err(failed)?;
    same(&got, b"still")
}

async fn reads_of_nothing() -> Outcome {
    let (ours, theirs) = pair().await?;
    same(ours.read(&mut []).await.map_err(failed)?, 0)?;
    same(ours.write(&[]).await.map_err(failed)?, 0)?;
    ours.write_all(&[]).await.map_err(failed)?;
    ours.read_exact(&mut []).await.map_err(failed)?;
    theirs.write_all(b"abc").await.map_err(failed)?;
    same(ours.read(&mut []).await.map_err(failed)?, 0)?;
    for expected in b"abc" {
        let mut byte = [0];
        ours.read_exact(&mut byte).await.map_err(failed)?;
        same(byte[0], *expected)?;
    }
    drop(theirs);
    same(ours.read(&mut []).await.map_err(failed)?, 0)?;
    same(kind(ours.read_exact(&mut [0; 1]).await), Some(ErrorKind::UnexpectedEof))
}

async fn a_slow_reader_of_much() -> Outcome {
    let (ours, theirs) = pair().await?;
    let data = pattern(8 << 20);
    let sent = data.clone();
    let writer = spawn(async move {
        ours.write_all(&sent).await.map_err(failed)?;
        ours.close().await.map_err(failed)
    });
    sleep(Duration::from_millis(50)).await;
    holds(!writer.is_finished(), "the writer waits for the reader")?;
    let got = read_all(&theirs).await?;
    writer.await.map_err(failed)??;
    holds(got == data, "all comes, in order")
}

/// Writes until there is no more room; gives what was written.
async fn fill(stream: &TcpStream) -> Result<Vec<u8>, String> {
    let (mut written, data) = (Vec::new(), pattern(100_003));
    for _ in 0..10_000 {
        let mut write = Box::pin(stream.write(&data));
        match poll_once(&mut write).await {
            Poll::Ready(count) => written.extend_from_slice(&data[..count.map_err(failed)?]),
            Poll::Pending => {
                // Only when it stays so: a host may still be on its way.
                drop(write);
                sleep(Duration::from_millis(5)).await;
                let mut again = Box::pin(stream.write(&data));
                match poll_once(&mut again).await {
                    Poll::Ready(count) => {
                        written.extend_from_slice(&data[..count.map_err(failed)?]);
                    }
                    Poll::Pending => return Ok(written),
                }
            }
        }
    }
    Err("there is always room".to_owned())
}

async fn what_a_dropped_stream_wrote() -> Outcome {
    let (ours, theirs) = pair().await?;
    let written = fill(&ours).await?;
    drop(ours);
    // Others go on meanwhile.
    an_echo_of_1().await?;
    let got = read_all(&theirs).await?;
    holds(got == written, &format!("{} of {} bytes came", got.len(), written.len()))
}

async fn a_dropped_read_loses_nothing() -> Outcome {
    let (ours, theirs) = pair().await?;
    let data = pattern(10_000);
    let sent = data.clone();
    let writer = spawn(async move {
        for part in sent.chunks(100) {
            theirs.write_all(part).await.map_err(failed)?;
            yield_now().await;
        }
        theirs.close().await.map_err(failed)
    });
    let (mut got, mut dropped) = (Vec::new(), 0);
    loop {
        let mut buffer = [0; 64];
        let mut read = Box::pin(ours.read(&mut buffer));
        match poll_once(&mut read).await {
            Poll::Ready(Ok(0)) => break,
            Poll::Ready(count) => {
                let count = count.map_err(failed)?;
                drop(read);
                got.extend_from_slice(&buffer[..count]);
            }
            Poll::Pending => {
                drop(read);
                dropped += 1;
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
    writer.await.map_err(failed)??;
    holds(got == data, "all comes, in order")?;
    holds(dropped > 0, "some reads were dropped")
}

async fn a_dropped_accept_loses_nothing() -> Outcome {
    let listener = TcpListener::bind(LOCAL).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut accept = Box::pin(listener.accept());
        holds(poll_once(&mut accept).await.is_pending(), "nobody has connected")?;
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        // It may have been about to get this one.
        sleep(Duration::from_millis(2)).await;
        drop(accept);
        let (_, peer) = listener.accept().await.map_err(failed)?;
        same(peer, stream.local_addr().map_err(failed)?)?;
        streams.push(stream);
    }
    Ok(())
}

async fn a_dropped_write() -> Outcome {
    let (ours, theirs) = pair().await?;
    let mut written = fill(&ours).await?;
    // Stuck, and dropped: it has written nothing.
    let stuck = timeout(Duration::from_millis(10), ours.write(b"never")).await;
    holds(stuck.is_err(), "there is no room")?;
    let all = spawn(async move { read_all(&theirs).await });
    ours.write_all(b"the end").await.map_err(failed)?;
    written.extend_from_slice(b"the end");
    ours.close().await.map_err(failed)?;
    let got = all.await.map_err(failed)??;
    holds(got == written, &format!("{} of {} bytes came", got.len(), written.len()))
}

async fn drop_at_every_await() -> Outcome {
    async fn client(address: SocketAddr) -> Outcome {
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        stream.write_all(&pattern(300_000)).await.map_err(failed)?;
        stream.close().await.map_err(failed)?;
        same(read_all(&stream).await?.as_slice(), b"thanks")
    }

    async fn server(listener: TcpListener) -> Outcome {
        let (stream, _) = listener.accept().await.map_err(failed)?;
        sleep(Duration::from_millis(2)).await;
        same(read_all(&stream).await?.len(), 300_000)?;
        stream.write_all(b"thanks").await.map_err(failed)
    }

    async fn datagram() -> Outcome {
        let ours = UdpSocket::bind(LOCAL).await.map_err(failed)?;
        let theirs = UdpSocket::bind("localhost:0").await.map_err(failed)?;
        let to = (Ipv4Addr::LOCALHOST, ours.local_addr().map_err(failed)?.port());
        if theirs.local_addr().map_err(failed)?.is_ipv4() {
            theirs.send_to(b"x", to).await.map_err(failed)?;
        } else {
            UdpSocket::bind(LOCAL)
                .await
                .map_err(failed)?
                .send_to(b"x", to)
                .await
                .map_err(failed)?;
        }
        same(ours.recv(&mut [0; 8]).await.map_err(failed)?, 1)
    }

    at_any_await(|| async {
        let listener = TcpListener::bind(LOCAL).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (client, server) = join(client(address), server(listener)).await;
        client.and(server)?;
        datagram().await
    })
    .await
}

async fn a_listener_is_dropped() -> Outcome {
    let listener = TcpListener::bind(LOCAL).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let waiting = spawn(async move { listener.accept().await.map(drop) });
    yield_now().await;
    waiting.abort();
    let _ = waiting.await;
    let refused = TcpStream::connect(address).await;
    same(kind(refused), Some(ErrorKind::ConnectionRefused))?;
    // Its port is free.
    TcpListener::bind(address).await.map(drop).map_err(failed)
}

async fn a_peer_that_breaks_off() -> Outcome {
    let (ours, theirs) = pair().await?;
    ours.write_all(b"not read").await.map_err(failed)?;
    sleep(Duration::from_millis(5)).await;
    // With something unread, closing it breaks the connection off. Hosts that close the halves one after the other say the end first.
    drop(theirs);
    let ends = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    match ours.read(&mut [0; 1]).await {
        Ok(count) => same(count, 0)?,
        Err(error) => same(error.kind(), ErrorKind::ConnectionReset)?,
    }
    for _ in 0..10 {
        if let Err(error) = ours.write(b"x").await {
            return holds(ends.contains(&error.kind()), &format!("{error:?}"));
        }
        sleep(Duration::from_millis(2)).await;
    }
    Err("writes go on".to_owned())
}
