//! What a client cannot make the server do.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kippu::http::server::{Body, Request, Response};

use crate::handlers::{in_a_process, is_child};
use crate::support::{Client, pieces, start, start_with, wait_until};

const GET: &str = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";
const MB: usize = 1 << 20;

async fn hello(_: Request) -> &'static str {
    "hello"
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sends a byte from time to time until the server has enough, and gives how long that took.
fn trickle(client: &mut Client, bytes: &[u8]) -> Duration {
    let start = Instant::now();
    for byte in bytes.iter().cycle() {
        if client.send_bytes(&[*byte]).is_err() || !client.is_quiet_for(ms(20)) {
            break;
        }
    }
    start.elapsed()
}

#[test]
fn slow_heads_are_given_up_and_others_are_served_meanwhile() {
    let server = start_with(|server| server.header_timeout(ms(400)), || hello);
    let mut slow: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in &mut slow {
        client.send("GET / HTTP/1.1\r\nx");
    }
    // Before the server counts, which it does from when it accepts.
    let start = Instant::now();
    let mut client = server.connect();
    trickle(&mut client, b"GET / HTTP/1.1\r\n");
    let time = start.elapsed();
    assert!(time >= ms(400) && time < ms(5_000), "{time:?}");
    assert_eq!(client.rest(), b"");
    assert_eq!(server.get("/").text(), "hello");
    for client in &mut slow {
        assert_eq!(client.rest(), b"");
    }
    // Those that say nothing at all are no better.
    assert_eq!(server.connect().rest(), b"");
}

#[test]
fn a_second_head_is_given_up_too() {
    let server = start_with(|server| server.header_timeout(ms(300)), || hello);
    let mut client = server.connect();
    client.send(GET);
    assert_eq!(client.answer().text(), "hello");
    let time = trickle(&mut client, b"GET / HTTP/1.1\r\n");
    assert!(time >= ms(280) && time < ms(5_000), "{time:?}");
}

#[test]
fn an_idle_connection_is_kept_for_its_time_and_no_longer() {
    let configure =
        |server: kippu::http::server::Server| server.header_timeout(ms(100)).keep_alive(ms(500));
    let server = start_with(configure, || hello);
    let mut client = server.connect();
    client.send(GET);
    assert_eq!(client.answer().text(), "hello");
    // Longer than a head may take.
    assert!(client.is_quiet_for(ms(300)), "it was closed too early");
    client.send(GET);
    assert_eq!(client.answer().text(), "hello");
    let start = Instant::now();
    assert_eq!(client.rest(), b"");
    let time = start.elapsed();
    assert!(time >= ms(450) && time < ms(5_000), "{time:?}");
}

#[test]
fn without_keep_alive_a_connection_has_one_request() {
    let server = start_with(|server| server.keep_alive(Duration::ZERO), || hello);
    let mut client = server.connect();
    client.send(GET);
    let answer = client.answer();
    assert_eq!((answer.text(), answer.header("connection")), ("hello", Some("close")));
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_handler_may_take_longer_than_a_head_and_than_an_idle_connection() {
    let configure =
        |server: kippu::http::server::Server| server.header_timeout(ms(100)).keep_alive(ms(50));
    let server = start_with(configure, || {
        async |_: Request| {
            kippu::time::sleep(ms(400)).await;
            "slow"
        }
    });
    assert_eq!(server.get("/").text(), "slow");
}

#[test]
fn connections_over_the_limit_wait() {
    let server = start_with(|server| server.max_connections(2), || hello);
    let mut first = server.connect();
    let mut second = server.connect();
    for client in [&mut first, &mut second] {
        client.send(GET);
        assert_eq!(client.answer().text(), "hello");
    }
    let mut third = server.connect();
    third.send(GET);
    assert!(third.is_quiet_for(ms(200)), "there was no room for it");
    drop(first);
    assert_eq!(third.answer().text(), "hello");
    second.send(GET);
    assert_eq!(second.answer().text(), "hello");
}

#[test]
fn large_heads_are_refused() {
    let server = start_with(|server| server.max_header_size(4_000), || hello);
    for (size, status) in [(3_800, 200), (4_200, 431), (1_000_000, 431)] {
        let mut client = server.connect();
        let value = "x".repeat(size);
        // The server may close before it has taken all.
        let _ = client.send_bytes(format!("GET / HTTP/1.1\r\nx-long: {value}\r\n\r\n").as_bytes());
        assert_eq!(client.answer().status, status, "{size} bytes");
    }
    let mut client = server.connect();
    let many: String = (0..101).map(|i| format!("x-{i}: y\r\n")).collect();
    client.send(&format!("GET / HTTP/1.1\r\n{many}\r\n"));
    assert_eq!(client.answer().status, 431);
}

#[test]
fn a_large_request_is_taken_only_as_fast_as_it_is_read() {
    const SIZE: usize = 256 * MB;
    let go = Arc::new(AtomicBool::new(false));
    let may_go = Arc::clone(&go);
    let server = start(|| {
        move |request: Request| {
            let go = Arc::clone(&may_go);
            async move {
                while !go.load(Ordering::SeqCst) {
                    kippu::time::sleep(ms(5)).await;
                }
                let mut body = request.into_body();
                let mut count = 0;
                while let Some(chunk) = body.chunk().await.expect("no error") {
                    assert!(chunk.len() <= MB, "{} bytes at once", chunk.len());
                    count += chunk.len();
                }
                count.to_string()
            }
        }
    });
    let mut client = server.connect();
    client.send(&format!("PUT / HTTP/1.1\r\nhost: test\r\ncontent-length: {SIZE}\r\n\r\n"));
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let mut socket = client.socket().try_clone().expect("a socket");
    let sending = thread::spawn(move || {
        let chunk = vec![b'x'; MB / 4];
        for _ in 0..SIZE / chunk.len() {
            socket.write_all(&chunk).expect("the server reads");
            count.fetch_add(chunk.len(), Ordering::SeqCst);
        }
    });
    let stalled = stalls(&sent);
    assert!(stalled < SIZE / 4, "{stalled} bytes were taken that nobody read");
    go.store(true, Ordering::SeqCst);
    assert_eq!(client.answer().text(), SIZE.to_string());
    sending.join().expect("all is sent");
}

/// Waits until the number grows no more, and gives it.
fn stalls(number: &AtomicUsize) -> usize {
    let mut before = usize::MAX;
    wait_until("nothing stalls", || {
        thread::sleep(ms(200));
        let now = number.load(Ordering::SeqCst);
        let stalled = now == before && now > 0;
        before = now;
        stalled
    });
    before
}

#[test]
fn a_large_response_is_made_only_as_fast_as_it_is_read() {
    const CHUNK: usize = MB / 4;
    const CHUNKS: usize = 1_024;
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let server = start(|| {
        move |_: Request| {
            let (count, chunk) = (Arc::clone(&count), Bytes::from(vec![b'x'; CHUNK]));
            let next = move || {
                let number = count.fetch_add(1, Ordering::SeqCst);
                (number < CHUNKS).then(|| Ok::<_, std::convert::Infallible>(chunk.clone()))
            };
            async { Response::new(Body::stream(pieces(next))) }
        }
    });
    let mut client = server.connect();
    client.send(GET);
    let stalled = stalls(&made);
    assert!(stalled < CHUNKS / 4, "{stalled} pieces were made that nobody read");
    assert_eq!(client.answer().body.len(), CHUNK * CHUNKS);
}

#[test]
fn a_slow_reader_is_not_taken_for_an_idle_connection() {
    // The body is one piece: for the server it is done long before the client has it.
    const SIZE: usize = 32 * MB;
    let server =
        start_with(|server| server.keep_alive(ms(100)), || async |_: Request| vec![b'x'; SIZE]);
    let mut client = server.connect();
    client.send(GET);
    thread::sleep(ms(500));
    // Nor is it when the server stops.
    server.tell_to_stop();
    thread::sleep(ms(200));
    assert!(!server.is_over(), "it has stopped in the middle of a response");
    assert_eq!(client.answer().body.len(), SIZE);
    assert_eq!(client.rest(), b"");
}

#[test]
#[cfg(unix)]
fn too_many_open_files_are_survived() {
    if !is_child() {
        let errors = in_a_process("limits::too_many_open_files_are_survived");
        let told = errors.matches("a connection cannot be accepted, trying again").count();
        assert_eq!(told, 1, "{errors}");
        return;
    }
    use rustix::process::{Resource, getrlimit, setrlimit};
    use socket2::{Domain, Socket, Type};
    let server = start(|| hello);
    // Kept until the end, so that nothing of it is closed in the meantime.
    let mut first = server.connect();
    first.send(GET);
    assert_eq!(first.answer().text(), "hello");
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(64);
    setrlimit(Resource::Nofile, limit).expect("a lower limit");
    // All files that there are, before anybody connects: for the server none is left.
    let socket = || Socket::new(Domain::IPV4, Type::STREAM, None);
    let mut sockets: Vec<Socket> = std::iter::from_fn(|| socket().ok()).collect();
    let waiting = sockets.pop().expect("a socket");
    waiting.connect(&server.address.into()).expect("the system accepts it");
    let mut waiting = Client::from(std::net::TcpStream::from(waiting));
    waiting.send(GET);
    assert!(waiting.is_quiet_for(ms(300)), "there are files left");
    sockets.clear();
    assert_eq!(waiting.answer().text(), "hello");
    first.send(GET);
    assert_eq!(first.answer().text(), "hello");
    drop((waiting, first));
    assert_eq!(server.get("/").text(), "hello");
}
