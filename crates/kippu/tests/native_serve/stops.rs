//! How a server ends.

use std::future::pending;
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use kippu::http::server::{Request, Server};

use crate::support::{Client, Dropped, LONG, start, start_with, wait_until};

const GET: &str = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";

#[test]
fn a_server_that_stops_completes_what_is_under_way_and_takes_nothing_new() {
    let (tell, told) = mpsc::channel();
    let server = start(|| {
        move |request: Request| {
            let tell = tell.clone();
            async move {
                if request.uri().path() == "/slow" {
                    tell.send(()).expect("the test waits");
                    kippu::time::sleep(Duration::from_millis(400)).await;
                }
                "complete"
            }
        }
    });
    let mut idle = server.connect();
    idle.send(GET);
    assert_eq!(idle.answer().text(), "complete");
    let mut busy = server.connect();
    busy.send("GET /slow HTTP/1.1\r\nhost: test\r\n\r\n");
    told.recv_timeout(LONG).expect("it is under way");

    server.tell_to_stop();
    assert_eq!(idle.rest(), b"");
    wait_until("the port is open", || TcpStream::connect(server.address).is_err());
    assert!(!server.is_over(), "a request is under way");
    let answer = busy.answer();
    assert_eq!((answer.text(), answer.header("connection")), ("complete", Some("close")));
    assert_eq!(busy.rest(), b"");
    drop(busy);
    server.stop();
}

#[test]
fn connections_without_a_request_do_not_keep_a_server_that_stops() {
    let server = start(|| async |_: Request| "hello");
    let _silent: Vec<_> = (0..10).map(|_| server.connect()).collect();
    let mut idle: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for client in &mut idle {
        client.send(GET);
        assert_eq!(client.answer().text(), "hello");
    }
    let start = Instant::now();
    server.stop();
    // Not even for as long as it would wait for those that may still send something.
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn the_grace_time_ends_what_does_not_end() {
    let (tell, told) = mpsc::channel();
    let grace = Duration::from_millis(300);
    let server = start_with(
        move |server| server.grace(grace),
        || {
            move |_: Request| {
                let tell = tell.clone();
                async move {
                    let _dropped = Dropped(tell.clone(), "dropped");
                    tell.send("begun").expect("the test waits");
                    pending::<&'static str>().await
                }
            }
        },
    );
    let mut client = server.connect();
    client.send(GET);
    assert_eq!(told.recv_timeout(LONG), Ok("begun"));
    let start = Instant::now();
    server.stop();
    let time = start.elapsed();
    assert!(time >= grace && time < Duration::from_secs(5), "{time:?}");
    assert_eq!(told.recv_timeout(LONG), Ok("dropped"));
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_server_that_is_dropped_closes_everything() {
    let (tell, told) = mpsc::channel();
    let runtime = std::thread::spawn(move || {
        let serving = async move {
            let server = Server::bind("127.0.0.1:0").await.expect("a free port");
            let address = server.local_addr().expect("bound");
            let (begin, begun) = async_channel::bounded(1);
            let handler = move |_: Request| {
                let (tell, begin) = (tell.clone(), begin.clone());
                async move {
                    let _dropped = Dropped(tell, "dropped");
                    begin.send(()).await.expect("the test waits");
                    pending::<&'static str>().await
                }
            };
            let mut client = Client::connect(address);
            client.send(GET);
            let serving = kippu::task::spawn(server.serve(handler));
            begun.recv().await.expect("a request is under way");
            serving.abort();
            assert!(serving.await.is_err());
            // Its connections are tasks of their own, which have their turn now.
            kippu::task::yield_now().await;
            assert!(TcpStream::connect(address).is_err(), "it still listens");
            client
        };
        kippu::block_on(serving).expect("no deadlock").rest()
    });
    assert_eq!(runtime.join().expect("no panic"), b"");
    assert_eq!(told.recv_timeout(LONG), Ok("dropped"));
}

#[test]
fn a_taken_address_is_an_error() {
    let server = start(|| async |_: Request| "hello");
    let error = kippu::block_on(Server::bind(server.address)).expect("no deadlock");
    assert_eq!(error.expect_err("it is taken").kind(), std::io::ErrorKind::AddrInUse);
}
