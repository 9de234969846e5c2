//! The reactor and the streams, against plain threads as the other side.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_io::{AsyncRead, AsyncWrite};

use super::{connect as connect_to, families_in_turn};
use crate::block_on;
use crate::net::TcpStream;
use crate::time::{sleep, timeout};

async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, buffer)).await
}

async fn read_exact(stream: &mut TcpStream, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        let count = read(stream, buffer).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[count..];
    }
    Ok(())
}

async fn write_all(stream: &mut TcpStream, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        let count = std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, data)).await?;
        data = &data[count..];
    }
    Ok(())
}

async fn connect(address: SocketAddr) -> TcpStream {
    connect_to(&[address], true).await.expect("the server listens")
}

/// A server that runs `serve` on a thread per connection.
fn server(serve: impl Fn(std::net::TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.expect("a connection"), serve.clone());
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn echo(mut stream: std::net::TcpStream) {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) if stream.write_all(&buffer[..count]).is_err() => return,
            Ok(_) => {}
        }
    }
}

/// A port that nobody listens on.
fn refused() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}

#[test]
fn many_connections_are_served_side_by_side() {
    const CONNECTIONS: usize = 200;
    const ROUNDS: u32 = 20;
    let address = server(echo);
    let done = block_on(async move {
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|index| {
                crate::task::spawn(async move {
                    let mut stream = connect(address).await;
                    for round in 0..ROUNDS {
                        let sent = (index as u32 * ROUNDS + round).to_be_bytes();
                        write_all(&mut stream, &sent).await.expect("written");
                        let mut got = [0; 4];
                        read_exact(&mut stream, &mut got).await.expect("echoed");
                        assert_eq!(got, sent);
                    }
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            task.await.expect("the task ends well");
            done += 1;
        }
        done
    });
    assert_eq!(done.expect("no deadlock"), CONNECTIONS);
}

#[test]
fn a_write_waits_for_a_slow_reader() {
    const SIZE: usize = 8 << 20;
    let (sender, receiver) = mpsc::channel();
    let address = server(move |mut stream| {
        thread::sleep(Duration::from_millis(100));
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("read");
        sender.send(all).expect("the test listens");
    });
    let data: Vec<u8> = (0..SIZE).map(|index| (index % 251) as u8).collect();
    let expected = data.clone();
    block_on(async move {
        let mut stream = connect(address).await;
        write_all(&mut stream, &data).await.expect("written");
        std::future::poll_fn(|cx| Pin::new(&mut stream).poll_close(cx)).await.expect("closed");
    })
    .expect("no deadlock");
    let got = receiver.recv_timeout(Duration::from_secs(20)).expect("all arrived");
    assert!(got == expected, "the data changed on the way");
}

#[test]
fn a_read_that_was_dropped_loses_nothing() {
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Arc::new(std::sync::Mutex::new(gone));
    let address = server(move |mut stream| {
        gone.lock().expect("one user").recv().expect("the test goes on");
        stream.write_all(b"late").expect("written");
    });
    block_on(async move {
        let mut stream = connect(address).await;
        let mut buffer = [0; 16];
        let first = timeout(Duration::from_millis(20), read(&mut stream, &mut buffer)).await;
        assert!(first.is_err(), "nothing was sent yet");
        go.send(()).expect("the server waits");
        let count = read(&mut stream, &mut buffer).await.expect("read");
        assert_eq!(&buffer[..count], b"late");
    })
    .expect("no deadlock");
}

#[test]
fn the_end_of_the_stream_is_zero_bytes() {
    let address = server(drop);
    let count = block_on(async move { read(&mut connect(address).await, &mut [0; 4]).await });
    assert_eq!(count.expect("no deadlock").expect("read"), 0);
}

#[test]
fn a_refused_connection_is_an_error_and_the_next_address_is_tried() {
    let (good, bad) = (server(echo), refused());
    block_on(async move {
        let error = connect_to(&[bad], true).await.expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let mut stream = connect_to(&[bad, bad, good], true).await.expect("the third");
        write_all(&mut stream, b"x").await.expect("written");
        let error = connect_to(&[], true).await.expect_err("no address");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    })
    .expect("no deadlock");
}

/// A listener whose queue is full does not answer, like a host that is not there.
#[test]
fn an_address_that_does_not_answer_costs_a_head_start_only() {
    let silent = socket2::Socket::new(
        socket2::Domain::IPV4,
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )
    .expect("a socket");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    silent.bind(&any.into()).expect("a free port");
    silent.listen(0).expect("listening");
    let address = silent.local_addr().expect("bound").as_socket().expect("IPv4");
    let mut fill = Vec::new();
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100))
    {
        fill.push(stream);
        assert!(fill.len() < 100, "the queue never fills");
    }
    let good = server(echo);
    block_on(async move {
        let start = Instant::now();
        let mut stream = connect_to(&[address, good], true).await.expect("the second");
        assert!(start.elapsed() >= super::HEAD_START);
        assert!(start.elapsed() < super::HEAD_START + Duration::from_secs(5));
        write_all(&mut stream, b"echo").await.expect("written");
        let mut got = [0; 4];
        read_exact(&mut stream, &mut got).await.expect("echoed");

        let alone = timeout(Duration::from_millis(50), connect_to(&[address], true)).await;
        assert!(alone.is_err(), "dropped while it connects");
    })
    .expect("no deadlock");
}

#[test]
fn dropping_a_stream_closes_it_and_forgets_its_waker() {
    let (sender, receiver) = mpsc::channel();
    let address = server(move |mut stream| {
        let end = stream.read(&mut [0; 1]);
        sender.send(end.expect("read")).expect("the test listens");
    });
    struct Counted;
    impl std::task::Wake for Counted {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    let counted = std::sync::Arc::new(Counted);
    let kept = std::sync::Arc::clone(&counted);
    block_on(async move {
        let mut stream = connect(address).await;
        let waker = Waker::from(kept);
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut stream).poll_read(&mut cx, &mut [0; 1]).is_pending());
        drop(waker);
        assert_eq!(std::sync::Arc::strong_count(&counted), 2, "the stream waits");
        drop(stream);
        assert_eq!(std::sync::Arc::strong_count(&counted), 1, "the waker is gone");
    })
    .expect("no deadlock");
    assert_eq!(receiver.recv_timeout(Duration::from_secs(20)).expect("closed"), 0);
}

#[test]
fn everybody_who_waits_is_woken() {
    let address = server(|mut stream| {
        thread::sleep(Duration::from_millis(50));
        stream.write_all(b"x").expect("written");
        thread::sleep(Duration::from_secs(1));
    });
    struct Rung(std::sync::atomic::AtomicUsize);
    impl std::task::Wake for Rung {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let old = std::sync::Arc::new(Rung(0.into()));
    let rung = std::sync::Arc::clone(&old);
    block_on(async move {
        let mut stream = connect(address).await;
        let waker = Waker::from(rung);
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut stream).poll_read(&mut cx, &mut [0; 1]).is_pending());
        assert_eq!(read(&mut stream, &mut [0; 1]).await.expect("read"), 1);
    })
    .expect("no deadlock");
    assert_eq!(old.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn reading_and_writing_wait_independently() {
    let address = server(|mut stream| {
        // Reads nothing until it has said something.
        thread::sleep(Duration::from_millis(100));
        stream.write_all(b"first").expect("written");
        io::copy(&mut stream, &mut io::sink()).expect("drained");
    });
    block_on(async move {
        let mut stream = connect(address).await;
        let data = vec![7; 8 << 20];
        let (mut written, mut greeting) = (0, Vec::<u8>::new());
        std::future::poll_fn(|cx| {
            let mut buffer = [0; 16];
            while greeting.len() < 5 {
                match Pin::new(&mut stream).poll_read(cx, &mut buffer) {
                    Poll::Ready(count) => greeting.extend(&buffer[..count.expect("read")]),
                    Poll::Pending => break,
                }
            }
            while written < data.len() {
                match Pin::new(&mut stream).poll_write(cx, &data[written..]) {
                    Poll::Ready(count) => written += count.expect("written"),
                    Poll::Pending => return Poll::Pending,
                }
            }
            if greeting.len() < 5 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        assert_eq!(greeting, b"first");
    })
    .expect("no deadlock");
}

#[test]
fn timers_run_beside_a_read_that_never_ends() {
    let address = server(|_stream| thread::sleep(Duration::from_secs(30)));
    block_on(async move {
        let mut stream = connect(address).await;
        let mut buffer = [0; 1];
        let mut endless = pin!(read(&mut stream, &mut buffer));
        let mut pause = pin!(sleep(Duration::from_millis(30)));
        std::future::poll_fn(|cx| {
            assert!(endless.as_mut().poll(cx).is_pending());
            pause.as_mut().poll(cx)
        })
        .await;
    })
    .expect("no deadlock");
}

#[test]
fn families_take_turns() {
    let parse = |text: &str| text.parse::<SocketAddr>().expect("an address");
    let (a, b, c) = (parse("[::1]:1"), parse("[::2]:1"), parse("[::3]:1"));
    let (x, y) = (parse("10.0.0.1:1"), parse("10.0.0.2:1"));
    assert_eq!(families_in_turn(&[a, b, c, x, y]), [a, x, b, y, c]);
    assert_eq!(families_in_turn(&[x, y, a]), [x, a, y]);
    assert_eq!(families_in_turn(&[]), []);
}

#[test]
fn streams_are_send() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&connect_to(&[], true));
    is_send(&crate::net::lookup("localhost", 1));
    is_send(&TcpStream::connect("localhost:1"));
}
