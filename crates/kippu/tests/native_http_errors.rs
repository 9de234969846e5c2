//! How requests fail natively: each kind of error, by its cause.
#![cfg(not(target_family = "wasm"))]

#[allow(dead_code, reason = "each test binary uses its part")]
mod support;

use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use kippu::http::{Client, Error, ErrorKind, Method, Redirect, StatusCode};
use support::{Server, respond};

fn run<T>(future: impl Future<Output = T>) -> T {
    kippu::block_on(future).expect("the program can end")
}

/// The kind of the error that a GET of `url` ends with, body included.
fn failure(url: &str) -> Error {
    run(async {
        match Client::new().get(url).send().await {
            Ok(response) => response.bytes().await.expect_err("the request fails"),
            Err(error) => error,
        }
    })
}

#[test]
fn redirects_have_a_limit() {
    let server = Server::start(|request, stream| {
        let next = request.target[1..].parse::<u32>().expect("a number") + 1;
        respond(stream, "302 Elsewhere", &format!("location: /{next}\r\n"), "")
    });
    let error = failure(&server.url("/0"));
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
    assert_eq!(error.to_string(), format!("too many redirects: {}", server.url("/10")));
    assert_eq!(server.log().len(), 11, "the request and ten redirects");

    run(async {
        let client = Client::builder().redirects(0).build().expect("a client");
        let response = client.get(&server.url("/5")).send().await.expect("the redirect itself");
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()["location"], "/6");
    });
}

#[test]
fn redirects_are_followed_shown_or_errors() {
    let server = Server::start(|request, stream| match &*request.target {
        "/end" => respond(stream, "200 OK", "", "end"),
        _ => respond(stream, "302 Elsewhere", "location: /end\r\n", ""),
    });
    let url = server.url("/");
    run(async {
        let client = Client::builder().redirect(Redirect::Error).build().expect("a client");
        let error = client.get(&url).send().await.expect_err("a redirect");
        assert_eq!(error.kind(), ErrorKind::Redirect);
        assert_eq!(error.to_string(), format!("a redirect that the request cannot follow: {url}"));
        let response = client.get(&server.url("/end")).send().await.expect("no redirect");
        assert_eq!(response.status(), StatusCode::OK);

        let response = client.get(&url).redirect(Redirect::Manual).send().await.expect("shown");
        assert_eq!(response.headers()["location"], "/end");
        let response = client.get(&url).redirect(Redirect::Follow(1)).send().await.expect("one");
        assert_eq!(response.url().path(), "/end");
        let none = client.get(&url).redirect(Redirect::Follow(0)).send().await;
        assert_eq!(none.expect_err("one too many").kind(), ErrorKind::TooManyRedirects);
    });
}

#[test]
fn redirects_that_lead_nowhere() {
    let server = Server::start(|request, stream| match &*request.target {
        "/none" => respond(stream, "302 Elsewhere", "", "stay"),
        "/ftp" => respond(stream, "302 Elsewhere", "location: ftp://localhost/\r\n", ""),
        "/bad" => respond(stream, "302 Elsewhere", "location: http://[/\r\n", ""),
        "/304" => stream.write_all(b"HTTP/1.1 304 Not Modified\r\nlocation: /\r\n\r\n").is_ok(),
        other => unreachable!("{other}"),
    });
    run(async {
        let client = Client::new();
        let response = client.get(&server.url("/none")).send().await.expect("a response");
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.text().await.expect("a body"), "stay");
        let response = client.get(&server.url("/304")).send().await.expect("a response");
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    });
    for (path, named) in [("/ftp", "ftp://localhost/"), ("/bad", "http://[/")] {
        let error = failure(&server.url(path));
        assert_eq!(error.kind(), ErrorKind::Url);
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_timeout_covers_sending_but_not_the_body() {
    let server = Server::start(|request, stream| {
        if request.target == "/silent" {
            thread::sleep(Duration::from_secs(30));
            return false;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsl").expect("written");
        thread::sleep(Duration::from_millis(400));
        stream.write_all(b"ow").is_ok()
    });
    let limit = Duration::from_millis(150);
    run(async {
        let client = Client::builder().timeout(limit).build().expect("a client");
        let start = Instant::now();
        let error = client.get(&server.url("/silent")).send().await.expect_err("a timeout");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(start.elapsed() < Duration::from_secs(10));

        let response = client.get(&server.url("/slow")).send().await.expect("headers in time");
        assert_eq!(response.text().await.expect("the whole body"), "slow");

        let request = Client::new().get(&server.url("/silent")).timeout(limit);
        assert_eq!(request.send().await.expect_err("a timeout").kind(), ErrorKind::Timeout);

        let response = client.get(&server.url("/slow")).send().await.expect("headers in time");
        let body = kippu::time::timeout(Duration::from_millis(50), response.bytes()).await;
        assert!(body.is_err(), "the body takes longer");
    });
}

#[test]
fn a_server_that_speaks_no_http_is_a_protocol_error() {
    let answers: [&[u8]; 6] = [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\r\n\r\n",
    ];
    for answer in answers {
        let server = Server::start(move |_, stream| {
            stream.write_all(answer).expect("written");
            stream.shutdown(Shutdown::Write).expect("closed");
            false
        });
        let error = failure(&server.url("/"));
        let answer = String::from_utf8_lossy(answer);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{answer:?}: {error:?}");
    }
}

#[test]
fn a_server_that_speaks_before_it_is_asked_is_a_protocol_error() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            stream.write_all(b"220 mail.example.org ESMTP\r\n").expect("written");
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(500));
                drop(stream);
            });
        }
    });
    // Before or after the request is written: which one it is depends on the moment.
    for _ in 0..20 {
        let error = failure(&url);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    }
}

#[test]
fn a_connection_that_ends_too_early_is_closed() {
    let answers: [&[u8]; 4] = [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfive",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal",
    ];
    for answer in answers {
        for reset in [false, true] {
            let server = Server::start(move |_, stream| {
                stream.write_all(answer).expect("written");
                if reset {
                    thread::sleep(Duration::from_millis(20));
                    let socket = socket2::SockRef::from(&*stream);
                    socket.set_linger(Some(Duration::ZERO)).expect("closing will reset");
                }
                false
            });
            let error = failure(&server.url("/"));
            let answer = String::from_utf8_lossy(answer);
            assert_eq!(error.kind(), ErrorKind::Closed, "{answer:?}, reset: {reset}: {error:?}");
        }
    }
}

#[test]
fn an_unreachable_server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    drop(listener);
    let error = failure(&url);
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.to_string(), format!("connection refused or unreachable: {url}"));
    let source = std::error::Error::source(&error).expect("details");
    assert!(source.to_string().contains("refused"), "{source}");

    let error = failure("http://no-such-host.invalid/");
    assert_eq!(error.kind(), ErrorKind::Dns, "{error:?}");
}

#[test]
fn requests_that_no_host_allows() {
    let server = Server::start(|_, stream| respond(stream, "200 OK", "", ""));
    let url = server.url("/");
    let client = Client::new();
    run(async {
        let refused = [
            (client.get("no url"), ErrorKind::Url, "no url"),
            (client.get("ftp://localhost/"), ErrorKind::Url, "ftp://localhost/"),
            (client.get("data:,x"), ErrorKind::Url, "data:,x"),
            (client.get("http://user:pass@localhost/"), ErrorKind::Url, "http://localhost/"),
            (client.get("http:///"), ErrorKind::Url, "http:///"),
            (client.request(Method::TRACE, &url), ErrorKind::Other, &url),
            (client.request(Method::CONNECT, &url), ErrorKind::Other, &url),
            (client.get(&url).body("x"), ErrorKind::Other, &url),
            (client.head(&url).body(""), ErrorKind::Other, &url),
            (client.get(&url).header("bad name", "x"), ErrorKind::Other, &url),
            (client.get(&url).header("x", "bad\r\nvalue: 1"), ErrorKind::Other, &url),
            (client.post(&url).header("Content-Length", "5"), ErrorKind::Other, &url),
            (client.post(&url).header("transfer-encoding", "chunked"), ErrorKind::Other, &url),
            (client.get(&url).header("host", "example.org"), ErrorKind::Other, &url),
            (client.get(&url).header("te", "trailers, gzip"), ErrorKind::Other, &url),
        ];
        for (request, kind, named) in refused {
            let case = format!("{request:?}");
            let error = request.send().await.expect_err(&case);
            assert_eq!(error.kind(), kind, "{case}");
            assert!(error.to_string().contains(named), "{error}");
            assert!(!error.to_string().contains("pass@"), "{error}");
        }
    });
    assert_eq!(server.log().len(), 0, "nothing was sent");
    let error = Client::builder().user_agent("a\nb").build().expect_err("not a header");
    assert_eq!(error.kind(), ErrorKind::Other);
}

#[test]
fn outside_of_a_runtime_it_is_an_error() {
    let mut sending = std::pin::pin!(Client::new().get("http://localhost/").send());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = sending.as_mut().poll(&mut cx) else {
        panic!("something was sent");
    };
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(format!("{error:?}").contains("runtime"), "{error:?}");
}
