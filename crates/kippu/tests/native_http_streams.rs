//! Bodies that are made while they are sent and read while they arrive, natively.
#![cfg(not(target_family = "wasm"))]

#[allow(dead_code, reason = "each test binary uses its part")]
mod support;

use std::collections::VecDeque;
use std::error::Error as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_io::{AsyncBufRead, AsyncRead};
use kippu::http::{Bytes, BytesStream, Client, ErrorKind, Method, Redirect};
use kippu::stream::Stream;
use support::{Server, respond};

/// Long enough for whatever must happen to happen.
const SOON: Duration = Duration::from_secs(20);

fn run<T>(future: impl Future<Output = T>) -> T {
    kippu::block_on(future).expect("the program can end")
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the well is dry")]
struct Dry;

/// What comes out of the channel; sets the flag when it is dropped.
struct Source {
    pieces: Pin<Box<Receiver<Result<Bytes, Dry>>>>,
    dropped: Arc<AtomicBool>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

impl Stream for Source {
    type Item = Result<Bytes, Dry>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(cx)
    }
}

fn source() -> (Sender<Result<Bytes, Dry>>, Source, Arc<AtomicBool>) {
    let (sender, pieces) = async_channel::unbounded();
    let dropped = Arc::new(AtomicBool::new(false));
    let source = Source { pieces: Box::pin(pieces), dropped: Arc::clone(&dropped) };
    (sender, source, dropped)
}

fn pieces(all: &[&'static str]) -> Ready {
    Ready(all.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect())
}

/// Pieces that are there already.
struct Ready(VecDeque<Bytes>);

impl Stream for Ready {
    type Item = Result<Bytes, Dry>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

/// One connection of a server that reads a request step by step.
struct Peer {
    reader: BufReader<TcpStream>,
    /// In lower case.
    head: String,
}

impl Peer {
    /// The next piece of a chunked body; `None` at its proper end, an error if it breaks off.
    fn chunk(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::from_str_radix(line.trim(), 16).expect("the length of a chunk");
        let mut piece = vec![0; length + 2];
        self.reader.read_exact(&mut piece)?;
        piece.truncate(length);
        Ok((length > 0).then(|| String::from_utf8(piece).expect("text")))
    }

    fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).expect("written");
    }

    /// Reads until the client is gone.
    fn wait_for_the_end(&mut self) {
        let mut rest = Vec::new();
        let _ = self.reader.read_to_end(&mut rest);
    }
}

/// Serves one connection; the result of `serve` comes out of the receiver.
fn peer<T: Send + 'static>(
    serve: impl FnOnce(&mut Peer) -> T + Send + 'static,
) -> (String, Receiver<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let (sender, receiver) = async_channel::bounded(1);
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).expect("a head") > 0, "no head: {head:?}");
        }
        let mut peer = Peer { reader, head: head.to_ascii_lowercase() };
        let _ = sender.send_blocking(serve(&mut peer));
    });
    (url, receiver)
}

/// What `serve` gave, while the tasks of the runtime go on.
async fn outcome<T>(served: &Receiver<T>) -> T {
    let outcome = kippu::time::timeout(SOON, served.recv()).await;
    outcome.expect("the server ends").expect("the server does not panic")
}

#[test]
fn a_streamed_body_is_sent_as_it_is_made() {
    let (sender, source, dropped) = source();
    let (url, served) = peer(move |peer| {
        let put = |piece| sender.send_blocking(Ok(Bytes::from_static(piece))).expect("wanted");
        // The head is here before there is a body.
        put(b"one");
        let first = peer.chunk().expect("a chunk");
        put(b"");
        put(b"two");
        let second = peer.chunk().expect("a chunk");
        drop(sender);
        let end = peer.chunk().expect("the end");
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone");
        (peer.head.clone(), first, second, end)
    });
    run(async {
        let response = Client::new().put(&url).body_stream(source).send().await.expect("sent");
        assert!(dropped.load(Ordering::SeqCst), "at its end the stream is dropped");
        assert_eq!(response.text().await.expect("a body"), "done");
    });
    let (head, first, second, end) = served.recv_blocking().expect("served");
    assert!(head.starts_with("put / "), "{head}");
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
    assert!(!head.contains("\r\ncontent-length:"), "{head}");
    assert_eq!([first, second, end].map(Option::unwrap_or_default), ["one", "two", ""]);
}

#[test]
fn pieces_may_be_whatever_becomes_bytes() {
    let server = Server::start(|_, stream| respond(stream, "200 OK", "", ""));
    struct Texts(Vec<String>);
    impl Stream for Texts {
        type Item = std::io::Result<String>;
        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.pop().map(Ok))
        }
    }
    run(async {
        let client = Client::new();
        let texts = Texts(vec!["world".to_owned(), "hello ".to_owned()]);
        client.post(&server.url("/")).body_stream(texts).send().await.expect("sent");
        client.post(&server.url("/")).body_stream(Texts(Vec::new())).send().await.expect("sent");
        let get = client.get(&server.url("/")).body_stream(Texts(Vec::new()));
        assert_eq!(get.send().await.expect_err("no body with GET").kind(), ErrorKind::Other);
    });
    let bodies: Vec<_> = server.log().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [&b"hello world"[..], b""]);
}

#[test]
fn a_stream_is_not_asked_for_more_than_the_connection_takes() {
    struct Zeros(Arc<AtomicUsize>);
    impl Stream for Zeros {
        type Item = Result<Vec<u8>, Dry>;
        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Poll::Ready(Some(Ok(vec![0; 1 << 20])))
        }
    }
    let (release, held) = mpsc::channel::<()>();
    let (url, _served) = peer(move |_| {
        let _ = held.recv_timeout(SOON);
    });
    let made = Arc::new(AtomicUsize::new(0));
    run(async {
        let sending = Client::new().post(&url).body_stream(Zeros(Arc::clone(&made))).send();
        let limit = Duration::from_millis(300);
        assert!(kippu::time::timeout(limit, sending).await.is_err(), "nobody answers");
    });
    let made = made.load(Ordering::SeqCst);
    // What the buffers of the system hold.
    assert!((1..64).contains(&made), "{made} MiB were made for a server that reads nothing");
    drop(release);
}

#[test]
fn an_error_of_the_stream_is_the_error_of_the_request() {
    let (sender, source, dropped) = source();
    let (url, served) = peer(move |peer| {
        sender.send_blocking(Ok(Bytes::from_static(b"some"))).expect("wanted");
        let first = peer.chunk().expect("a chunk");
        sender.send_blocking(Err(Dry)).expect("wanted");
        (first, peer.chunk().is_err())
    });
    run(async {
        let sending = Client::new().post(&url).body_stream(source).send();
        let error = sending.await.expect_err("the stream fails");
        assert_eq!(error.kind(), ErrorKind::Body);
        assert_eq!(error.to_string(), format!("the body of the request could not be made: {url}"));
        let source = error.source().expect("a source");
        assert_eq!(source.downcast_ref::<Dry>(), Some(&Dry));
        assert!(dropped.load(Ordering::SeqCst));
        let (first, broke_off) = outcome(&served).await;
        assert_eq!(first.as_deref(), Some("some"));
        assert!(broke_off, "the server does not take it for complete");
    });
}

#[test]
fn an_error_of_the_stream_after_the_head_of_the_answer() {
    let (sender, source, _) = source();
    let failing = sender.clone();
    let (url, _served) = peer(move |peer| {
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbeginning");
        peer.wait_for_the_end();
    });
    run(async {
        let sending = Client::new().post(&url).body_stream(source).send();
        let mut response = sending.await.expect("an early answer");
        assert_eq!(response.chunk().await.expect("a chunk").expect("not the end"), "beginning");
        failing.send(Err(Dry)).await.expect("wanted");
        let error = response.chunk().await.expect_err("the stream fails");
        assert_eq!(error.kind(), ErrorKind::Body, "{error:?}");
        assert!(error.source().is_some_and(|source| source.is::<Dry>()));
    });
    drop(sender);
}

#[test]
fn dropping_the_request_ends_the_upload() {
    let (sender, source, dropped) = source();
    let (url, served) = peer(move |peer| {
        sender.send_blocking(Ok(Bytes::from_static(b"some"))).expect("wanted");
        let first = peer.chunk().expect("a chunk");
        let broke_off = peer.chunk().is_err();
        drop(sender);
        (first, broke_off)
    });
    run(async {
        let sending = Client::new().post(&url).body_stream(source).timeout(SOON).send();
        let stop = Duration::from_millis(100);
        assert!(kippu::time::timeout(stop, sending).await.is_err(), "nobody answers");
        assert!(dropped.load(Ordering::SeqCst), "at once");
        let (first, broke_off) = outcome(&served).await;
        assert_eq!(first.as_deref(), Some("some"));
        assert!(broke_off);
    });
}

#[test]
fn dropping_the_response_ends_the_upload() {
    let (sender, source, dropped) = source();
    let (url, served) = peer(move |peer| {
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbeginning");
        peer.chunk().is_err()
    });
    run(async {
        let sending = Client::new().post(&url).body_stream(source).send();
        let response = sending.await.expect("an early answer");
        assert!(!dropped.load(Ordering::SeqCst), "it is still being sent");
        drop(response);
        assert!(dropped.load(Ordering::SeqCst));
        assert!(outcome(&served).await, "the server sees it break off");
    });
    drop(sender);
}

#[test]
fn the_stream_may_drop_its_own_response() {
    struct Holder(Pin<Box<Receiver<kippu::http::Response>>>);
    impl Stream for Holder {
        type Item = Result<Bytes, Dry>;
        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.as_mut().poll_next(cx).map(|response| {
                drop(response);
                Some(Ok(Bytes::from_static(b"never sent")))
            })
        }
    }
    let (url, served) = peer(|peer| {
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
        peer.chunk().is_err()
    });
    let (sender, receiver) = async_channel::bounded(1);
    run(async {
        let sending = Client::new().post(&url).body_stream(Holder(Box::pin(receiver))).send();
        sender.send(sending.await.expect("an early answer")).await.expect("wanted");
        assert!(outcome(&served).await, "the upload breaks off");
    });
}

#[test]
fn redirects_of_a_streamed_body() {
    let server = Server::start(|request, stream| match &*request.target {
        "/end" => respond(stream, "200 OK", "", "end"),
        other => respond(stream, &format!("{} x", &other[1..]), "location: /end\r\n", ""),
    });
    let cases = [
        (Method::POST, 301, true),
        (Method::POST, 302, true),
        (Method::POST, 303, true),
        (Method::PUT, 303, true),
        (Method::PUT, 302, false),
        (Method::POST, 307, false),
        (Method::PUT, 308, false),
    ];
    run(async {
        for (method, status, follows) in cases {
            let case = format!("{method} {status}");
            let url = server.url(&format!("/{status}"));
            let request = Client::new().request(method, &url).body_stream(pieces(&["a", "b"]));
            match request.send().await {
                Ok(response) => {
                    assert!(follows, "{case}");
                    assert_eq!(response.url().path(), "/end");
                }
                Err(error) => {
                    assert!(!follows, "{case}: {error:?}");
                    assert_eq!(error.kind(), ErrorKind::Redirect, "{case}");
                    assert!(error.to_string().ends_with(&url), "{error}");
                }
            }
        }
        let manual = Client::new().post(&server.url("/307")).redirect(Redirect::Manual);
        let response = manual.body_stream(pieces(&["a"])).send().await.expect("the redirect");
        assert_eq!(response.status(), 307);
    });
}

#[test]
fn a_body_is_read_as_a_stream() {
    let (go, gone) = mpsc::channel::<()>();
    let (url, _served) = peer(move |peer| {
        peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\none,\r\n");
        gone.recv_timeout(SOON).expect("the test goes on");
        peer.send("3\r\ntwo\r\n0\r\n\r\n");
    });
    run(async {
        let response = Client::new().get(&url).send().await.expect("a response");
        assert_eq!(response.content_length(), None);
        let mut body = response.bytes_stream();
        assert_eq!(next(&mut body).await.expect("a piece").expect("no error"), "one,");
        go.send(()).expect("the server waits");
        assert_eq!(next(&mut body).await.expect("a piece").expect("no error"), "two");
        assert!(next(&mut body).await.is_none());
        assert!(next(&mut body).await.is_none());
    });
}

async fn next(stream: &mut BytesStream) -> Option<Result<Bytes, kippu::http::Error>> {
    std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

#[test]
fn a_stream_ends_with_its_error() {
    let server = Server::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").expect("written");
        false
    });
    run(async {
        let response = Client::new().get(&server.url("/")).send().await.expect("a response");
        assert_eq!(response.content_length(), Some(10));
        let mut body = response.bytes_stream();
        assert_eq!(next(&mut body).await.expect("a piece").expect("no error"), "half");
        let error = next(&mut body).await.expect("an error").expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(next(&mut body).await.is_none());
    });
}

#[test]
fn a_body_is_read_as_bytes() {
    let server = Server::start(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        write!(stream, "{head}5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n").is_ok()
    });
    run(async {
        let client = Client::new();
        let response = client.get(&server.url("/")).send().await.expect("a response");
        let mut reader = response.into_reader();
        let mut text = String::new();
        let mut buffer = [0; 3];
        loop {
            let count = std::future::poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, &mut buffer));
            match count.await.expect("no error") {
                0 => break,
                count => text += std::str::from_utf8(&buffer[..count]).expect("ascii"),
            }
        }
        assert_eq!(text, "hello world");

        let response = client.get(&server.url("/")).send().await.expect("a response");
        let mut reader = Pin::new(Box::new(response.into_reader()));
        let first = std::future::poll_fn(|cx| {
            reader.as_mut().poll_fill_buf(cx).map(|bytes| bytes.map(<[u8]>::to_vec))
        });
        let first = first.await.expect("no error");
        assert!(b"hello world".starts_with(&first) && !first.is_empty());
        reader.as_mut().consume(first.len());
    });
}

#[test]
fn a_reader_gives_errors_of_io() {
    let server = Server::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n").expect("written");
        false
    });
    run(async {
        let response = Client::new().get(&server.url("/")).send().await.expect("a response");
        let mut reader = response.into_reader();
        let mut buffer = [0; 3];
        let read = std::future::poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, &mut buffer));
        let error = read.await.expect_err("too early");
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<kippu::http::Error>());
        assert_eq!(inner.map(kippu::http::Error::kind), Some(ErrorKind::Closed));
    });
}

#[test]
fn a_read_timeout_counts_only_while_somebody_waits() {
    let (go, gone) = mpsc::channel::<()>();
    let (url, _served) = peer(move |peer| {
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none");
        gone.recv_timeout(SOON).expect("the test goes on");
        peer.send("two");
    });
    let limit = Duration::from_millis(50);
    run(async {
        let client = Client::builder().read_timeout(limit).build().expect("a client");
        let mut response = client.get(&url).send().await.expect("a response");
        kippu::time::sleep(limit * 2).await;
        assert_eq!(response.chunk().await.expect("in time").expect("not the end"), "one");
        let error = response.chunk().await.expect_err("nothing comes");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        go.send(()).expect("the server waits");
        let rest = loop {
            match response.chunk().await {
                Err(error) if error.kind() == ErrorKind::Timeout => {}
                other => break other,
            }
        };
        assert_eq!(rest.expect("reading goes on").expect("not the end"), "two");
    });
}

#[test]
fn a_read_timeout_begins_anew_with_each_wait() {
    let (url, _served) = peer(move |peer| {
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n");
        peer.wait_for_the_end();
    });
    run(async {
        let request = Client::new().get(&url).read_timeout(Duration::from_secs(1));
        let mut response = request.send().await.expect("a response");
        for _ in 0..2 {
            let wait = Duration::from_millis(600);
            let outcome = kippu::time::timeout(wait, response.chunk()).await;
            assert!(outcome.is_err(), "of waits that were given up nothing counts: {outcome:?}");
        }
    });
}
