//! Sockets natively, against those of std on plain threads. What is the same on every host is in the conformance cases.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use kippu::block_on;
use kippu::net::{Shutdown, TcpListener, TcpStream, UdpSocket, lookup};
use kippu::task::{spawn, yield_now};
use kippu::time::{sleep, timeout};

const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

#[test]
fn a_client_of_std_is_served() {
    block_on(async {
        let listener = TcpListener::bind(LOCAL).await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = thread::spawn(move || {
            let mut stream = net::TcpStream::connect(address).unwrap();
            stream.write_all(b"question").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            (stream.local_addr().unwrap(), answer)
        });
        let (stream, peer) = listener.accept().await.unwrap();
        let mut question = [0; 8];
        stream.read_exact(&mut question).await.unwrap();
        assert_eq!(&question, b"question");
        assert_eq!(stream.read(&mut question).await.unwrap(), 0, "the client has said all");
        stream.write_all(b"answer").await.unwrap();
        stream.close().await.unwrap();
        assert_eq!(client.join().unwrap(), (peer, "answer".to_owned()));
    })
    .unwrap();
}

#[test]
fn a_server_of_std_is_talked_to() {
    let listener = net::TcpListener::bind(LOCAL).unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        stream.write_all(&all).unwrap();
    });
    block_on(async {
        let stream = TcpStream::connect(("localhost", address.port())).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        stream.write_all(b"echo").await.unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut echo = [0; 4];
        stream.read_exact(&mut echo).await.unwrap();
        assert_eq!(&echo, b"echo");
    })
    .unwrap();
    server.join().unwrap();
}

#[test]
fn datagrams_of_std_come_and_go() {
    let theirs = net::UdpSocket::bind(LOCAL).unwrap();
    let there = theirs.local_addr().unwrap();
    block_on(async {
        let ours = UdpSocket::bind(LOCAL).await.unwrap();
        let here = ours.local_addr().unwrap();
        let peer = thread::spawn(move || {
            let mut buffer = [0; 16];
            let (count, from) = theirs.recv_from(&mut buffer).unwrap();
            theirs.send_to(&buffer[..count], from).unwrap();
            from
        });
        assert_eq!(ours.send_to(b"datagram", there).await.unwrap(), 8);
        let mut buffer = [0; 16];
        assert_eq!(ours.recv_from(&mut buffer).await.unwrap(), (8, there));
        assert_eq!(&buffer[..8], b"datagram");
        assert_eq!(peer.join().unwrap(), here);
    })
    .unwrap();
}

#[test]
fn waiting_for_a_connection_is_no_deadlock() {
    block_on(async {
        let listener = TcpListener::bind(LOCAL).await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            net::TcpStream::connect(address).unwrap()
        });
        listener.accept().await.unwrap();
        client.join().unwrap();
    })
    .expect("no deadlock");
}

#[test]
fn a_socket_of_ipv6_leaves_ipv4_alone() {
    block_on(async {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        net::TcpStream::connect(("::1", port)).unwrap();
    })
    .unwrap();
}

#[test]
fn a_port_whose_connections_are_being_closed_is_free() {
    block_on(async {
        let listener = TcpListener::bind(LOCAL).await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = net::TcpStream::connect(address).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        // Who closes first keeps the port for minutes.
        drop(stream);
        drop((client, listener));
        let again = TcpListener::bind(address).await.unwrap();
        assert_eq!(again.local_addr().unwrap(), address);
    })
    .unwrap();
}

#[test]
fn a_dropped_listener_breaks_off_who_waits() {
    let mut client = block_on(async {
        let listener = TcpListener::bind(LOCAL).await.unwrap();
        net::TcpStream::connect(listener.local_addr().unwrap()).unwrap()
    })
    .unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(client.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_hundred_that_accept_get_a_connection_each() {
    const ACCEPTORS: usize = 100;
    block_on(async {
        let listener = Arc::new(TcpListener::bind(LOCAL).await.unwrap());
        let address = listener.local_addr().unwrap();
        let acceptors: Vec<_> = (0..ACCEPTORS)
            .map(|_| {
                let listener = listener.clone();
                spawn(async move { listener.accept().await.map(drop) })
            })
            .collect();
        yield_now().await;
        for _ in 0..ACCEPTORS {
            TcpStream::connect(address).await.unwrap();
        }
        for acceptor in acceptors {
            let accepted = timeout(Duration::from_secs(20), acceptor).await;
            accepted.expect("it is woken").unwrap().unwrap();
        }
    })
    .unwrap();
}

/// Counts how often it is rung.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn who_still_waits_is_woken_after_many_that_do_not() {
    block_on(async {
        let listener = TcpListener::bind(LOCAL).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let reader = spawn(async move { client.read(&mut [0; 1]).await.map(|_| client) });
        yield_now().await;
        // As of combinators that make a waker for each of their futures.
        let (idle, kept) = (UdpSocket::bind(LOCAL).await.unwrap(), Arc::new(Bell::default()));
        for _ in 0..1000 {
            let waker = Waker::from(Arc::new(Bell::default()));
            let mut buffer = [0; 1];
            let polled = pin!(idle.recv(&mut buffer)).poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
            let waker = Waker::from(kept.clone());
            let polled = pin!(idle.recv(&mut buffer)).poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        assert!(Arc::strong_count(&kept) <= 3, "it waits once, not a thousand times");
        let before = kept.0.load(Ordering::SeqCst);
        idle.send_to(b"x", idle.local_addr().unwrap()).await.unwrap();
        server.write_all(b"x").await.unwrap();
        reader.await.unwrap().unwrap();
        sleep(Duration::from_millis(20)).await;
        assert!(kept.0.load(Ordering::SeqCst) > before, "the one of the idle socket, too");
    })
    .unwrap();
}

#[test]
fn a_stream_may_be_used_by_other_threads() {
    fn shared<T: Send + Sync + Unpin + 'static>() {}
    shared::<TcpStream>();
    shared::<TcpListener>();
    shared::<UdpSocket>();
    fn sent<T: Send>(_: &T) {}
    block_on(async {
        let socket = UdpSocket::bind(LOCAL).await.unwrap();
        sent(&socket.send_to(b"x", "localhost:1"));
        sent(&socket.recv_from(&mut [0; 1]));
        sent(&TcpListener::bind("localhost:0"));
    })
    .unwrap();
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    fn once<F: Future>(future: F) -> Poll<F::Output> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }
    let Poll::Ready(Err(error)) = once(TcpStream::connect("127.0.0.1:1")) else {
        panic!("it cannot connect, nor wait");
    };
    assert!(error.to_string().contains("runtime"), "{error}");
    assert!(matches!(once(TcpListener::bind(LOCAL)), Poll::Ready(Err(_))));
    assert!(matches!(once(UdpSocket::bind(LOCAL)), Poll::Ready(Err(_))));
    assert!(matches!(once(lookup("localhost", 1)), Poll::Ready(Err(_))));
    // No runtime is needed to read a number.
    assert!(matches!(once(lookup("127.0.0.1", 1)), Poll::Ready(Ok(_))));
}

#[test]
fn sockets_say_who_they_are() {
    block_on(async {
        let listener = TcpListener::bind(LOCAL).await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(format!("{listener:?}"), format!("TcpListener {{ local: Some({address}) }}"));
        let stream = TcpStream::connect(address).await.unwrap();
        let local = stream.local_addr().unwrap();
        let text = format!("TcpStream {{ local: Some({local}), peer: Some({address}) }}");
        assert_eq!(format!("{stream:?}"), text);
        let socket = UdpSocket::bind(LOCAL).await.unwrap();
        assert!(format!("{socket:?}").ends_with("peer: None }"), "{socket:?}");
    })
    .unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn that_nobody_listens_is_told_to_a_connected_socket() {
    let deserted = net::UdpSocket::bind(LOCAL).and_then(|socket| socket.local_addr()).unwrap();
    block_on(async {
        let socket = UdpSocket::bind(LOCAL).await.unwrap();
        socket.connect(deserted).await.unwrap();
        socket.send(b"x").await.unwrap();
        let received = timeout(Duration::from_secs(20), socket.recv(&mut [0; 1])).await.unwrap();
        assert_eq!(received.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    })
    .unwrap();
}

/// A listener whose queue is full does not answer, like a host that is not there.
fn silent() -> io::Result<(socket2::Socket, Vec<net::TcpStream>, SocketAddr)> {
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    listener.bind(&SocketAddr::from(LOCAL).into())?;
    listener.listen(0)?;
    let address = listener.local_addr()?.as_socket().ok_or(ErrorKind::Other)?;
    let mut queue = Vec::new();
    while let Ok(stream) = net::TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        queue.push(stream);
    }
    Ok((listener, queue, address))
}

#[test]
fn a_connection_that_is_given_up_frees_its_socket() {
    let (_listener, _queue, address) = silent().unwrap();
    block_on(async {
        let connecting = TcpStream::connect(address);
        assert!(timeout(Duration::from_millis(20), connecting).await.is_err(), "nobody answers");
        // A second one runs into nothing that the first left behind.
        let mut connecting = pin!(TcpStream::connect([address, address]));
        poll_fn(|cx| {
            assert!(connecting.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    })
    .expect("no deadlock");
}
