//! What a server sends after a body, natively.
#![cfg(not(target_family = "wasm"))]

#[allow(dead_code, reason = "each test binary uses its part")]
mod support;

use std::future::poll_fn;
use std::io::Write;
use std::net::TcpStream;
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use futures_io::AsyncRead;
use kippu::http::{Bytes, BytesStream, Client, Error, ErrorKind, Reader};
use kippu::stream::Stream;
use support::{Server, respond};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";

fn run<T>(future: impl Future<Output = T>) -> T {
    kippu::block_on(future).expect("the program can end")
}

/// Five bytes and trailers, some of it late.
fn with_trailers(stream: &mut TcpStream) -> bool {
    stream.write_all(HEAD).expect("written");
    thread::sleep(Duration::from_millis(20));
    stream.write_all(b"0\r\nX-Sum: 42\r\nx-other: a\r\nx-other: b\r\n\r\n").is_ok()
}

#[test]
fn they_follow_the_body() {
    let server = Server::start(|_, stream| with_trailers(stream));
    run(async {
        let request = Client::new().get(&server.url("/")).header("te", "trailers");
        let mut response = request.send().await.expect("a response");
        assert_eq!(response.chunk().await.expect("no error").as_deref(), Some(&b"hello"[..]));
        assert_eq!(response.chunk().await.expect("no error"), None);
        for _ in 0..2 {
            let trailers = response.trailers().await.expect("trailers");
            assert_eq!(trailers["x-sum"], "42");
            assert_eq!(trailers.get_all("x-other").iter().collect::<Vec<_>>(), ["a", "b"]);
            assert_eq!(trailers.len(), 3);
        }
        assert_eq!(server.log()[0].header("te"), Some("trailers"), "it is asked for them");
    });
}

async fn next(stream: &mut BytesStream) -> Option<Result<Bytes, Error>> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

async fn read_two(reader: &mut Reader) -> usize {
    let mut two = [0; 2];
    let read = poll_fn(|cx| Pin::new(&mut *reader).poll_read(cx, &mut two)).await;
    read.expect("no error")
}

#[test]
fn asking_for_them_throws_the_rest_of_the_body_away() {
    let server = Server::start(|_, stream| with_trailers(stream));
    run(async {
        let client = Client::new();
        let mut response = client.get(&server.url("/")).send().await.expect("a response");
        assert_eq!(response.trailers().await.expect("trailers")["x-sum"], "42");
        assert_eq!(response.chunk().await.expect("no error"), None);

        let response = client.get(&server.url("/")).send().await.expect("a response");
        let mut pieces = response.bytes_stream();
        assert_eq!(pieces.trailers().await.expect("trailers")["x-sum"], "42");
        assert!(next(&mut pieces).await.is_none());

        let response = client.get(&server.url("/")).send().await.expect("a response");
        let mut reader = response.into_reader();
        assert_eq!(read_two(&mut reader).await, 2);
        assert_eq!(reader.trailers().await.expect("trailers")["x-sum"], "42");
        assert_eq!(read_two(&mut reader).await, 0);
    });
}

#[test]
fn mostly_there_are_none() {
    let server = Server::start(|_, stream| respond(stream, "200 OK", "", "body"));
    run(async {
        let response = Client::new().get(&server.url("/")).send().await.expect("a response");
        let mut pieces = response.bytes_stream();
        assert!(pieces.trailers().await.expect("no error").is_empty());
        assert!(next(&mut pieces).await.is_none());
    });
}

#[test]
fn waiting_for_them_has_a_limit() {
    let server = Server::start(|_, stream| {
        stream.write_all(HEAD).is_ok() && stream.write_all(b"0\r\nx-").is_ok()
    });
    run(async {
        let request = Client::new().get(&server.url("/")).read_timeout(Duration::from_millis(50));
        let mut response = request.send().await.expect("a response");
        let error = response.trailers().await.expect_err("they never come");
        assert_eq!(error.kind(), ErrorKind::Timeout);
    });
}

#[test]
fn a_connection_that_ends_before_them_is_closed() {
    let server = Server::start(|_, stream| {
        stream.write_all(HEAD).expect("written");
        false
    });
    run(async {
        let mut response = Client::new().get(&server.url("/")).send().await.expect("a response");
        let error = response.trailers().await.expect_err("the end is missing");
        assert_eq!(error.kind(), ErrorKind::Closed);
    });
}
