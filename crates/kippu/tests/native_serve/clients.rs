//! Clients that go away, at each phase.

use std::convert::Infallible;
use std::future::pending;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use bytes::Bytes;
use kippu::http::ErrorKind;
use kippu::http::server::{Body, IntoResponse, Request, Response};

use crate::support::{Client, Dropped, LONG, Running, pieces, start};

/// Tells what becomes of each request.
fn server() -> (Running, mpsc::Receiver<&'static str>) {
    let (tell, told) = mpsc::channel();
    let server = start(|| {
        move |request: Request| {
            let tell = tell.clone();
            async move { answer(request, tell).await }
        }
    });
    (server, told)
}

async fn answer(request: Request, tell: Sender<&'static str>) -> Response {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/works" => {
            let _dropped = Dropped(tell.clone(), "the handler was dropped");
            tell.send("the handler works").expect("the test waits");
            pending::<()>().await;
        }
        "/reads" => {
            let mut body = request.into_body();
            tell.send("the handler reads").expect("the test waits");
            let _dropped = Dropped(tell.clone(), "the handler was dropped");
            let error = loop {
                match body.chunk().await {
                    Ok(Some(_)) => {}
                    Err(error) => break error,
                    Ok(None) => panic!("taken for complete"),
                }
            };
            assert_eq!(
                body.chunk().await.expect("no error twice"),
                None,
                "there is nothing after an error"
            );
            assert_eq!(error.kind(), ErrorKind::Closed);
            tell.send("reading failed").expect("the test waits");
        }
        "/sends" => {
            let dropped = Dropped(tell, "the body was dropped");
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            return Body::stream(pieces(move || {
                let _dropped = &dropped;
                Some(Ok::<_, Infallible>(chunk.clone()))
            }))
            .into_response();
        }
        "/leaves" => {
            drop(request);
            tell.send("the body was left").expect("the test waits");
            kippu::time::sleep(Duration::from_millis(100)).await;
        }
        _ => {}
    }
    "fine".into_response()
}

fn reset(client: Client) {
    // Without the goodbye that a closed connection says.
    let socket = socket2::SockRef::from(client.socket());
    socket.set_linger(Some(Duration::ZERO)).expect("a socket");
    drop(client);
}

fn close(client: Client) {
    drop(client);
}

/// Both ways in which a client can go.
const GONE: [fn(Client); 2] = [close, reset];

#[test]
fn before_and_within_a_head() {
    let (server, _told) = server();
    for gone in GONE {
        let head = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";
        for sent in 0..head.len() {
            let mut client = server.connect();
            client.send(&head[..sent]);
            gone(client);
        }
    }
    assert_eq!(server.get("/").text(), "fine");
}

#[test]
fn while_the_handler_works() {
    let (server, told) = server();
    for gone in GONE {
        let mut client = server.connect();
        client.send("GET /works HTTP/1.1\r\nhost: test\r\n\r\n");
        assert_eq!(told.recv_timeout(LONG), Ok("the handler works"));
        gone(client);
        assert_eq!(told.recv_timeout(LONG), Ok("the handler was dropped"));
    }
    assert_eq!(server.get("/").text(), "fine");
}

/// What the client has sent besides must not hide that it is gone.
#[test]
fn while_the_handler_works_and_more_is_here_than_it_reads() {
    let (server, told) = server();
    let unread = [
        "GET /works HTTP/1.1\r\nhost: test\r\n\r\nGET / HTTP/1.1\r\nhost: test\r\n\r\n",
        "PUT /works HTTP/1.1\r\nhost: test\r\ncontent-length: 4\r\n\r\nbody",
        "PUT /works HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\nbody",
    ];
    for request in unread {
        for gone in GONE {
            let mut client = server.connect();
            client.send(request);
            assert_eq!(told.recv_timeout(LONG), Ok("the handler works"));
            gone(client);
            assert_eq!(told.recv_timeout(LONG), Ok("the handler was dropped"));
        }
    }
    assert_eq!(server.get("/").text(), "fine");
}

#[test]
fn while_the_body_of_the_request_comes() {
    let (server, told) = server();
    let heads =
        ["content-length: 100\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"];
    for head in heads {
        for gone in GONE {
            let mut client = server.connect();
            client.send(&format!("PUT /reads HTTP/1.1\r\nhost: test\r\n{head}"));
            assert_eq!(told.recv_timeout(LONG), Ok("the handler reads"));
            gone(client);
            let next = told.recv_timeout(LONG);
            if next == Ok("reading failed") {
                assert_eq!(told.recv_timeout(LONG), Ok("the handler was dropped"));
            } else {
                assert_eq!(next, Ok("the handler was dropped"));
            }
        }
    }
    assert_eq!(server.get("/").text(), "fine");
}

#[test]
fn while_the_body_of_the_response_goes() {
    let (server, told) = server();
    for gone in GONE {
        let mut client = server.connect();
        client.send("GET /sends HTTP/1.1\r\nhost: test\r\n\r\n");
        assert_eq!(client.head().status, 200);
        let mut some = Vec::new();
        client.read(&mut some, 100_000);
        gone(client);
        assert_eq!(told.recv_timeout(LONG), Ok("the body was dropped"));
    }
    assert_eq!(server.get("/").text(), "fine");
}

#[test]
fn between_the_head_and_the_body_that_nobody_reads() {
    let (server, told) = server();
    for gone in GONE {
        let mut client = server.connect();
        client.send("PUT /leaves HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\nabc");
        assert_eq!(told.recv_timeout(LONG), Ok("the body was left"));
        gone(client);
    }
    assert_eq!(server.get("/").text(), "fine");
}

#[test]
fn between_two_requests() {
    let (server, _told) = server();
    for gone in GONE {
        for _ in 0..20 {
            let mut client = server.connect();
            client.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
            assert_eq!(client.answer().text(), "fine");
            gone(client);
        }
    }
    assert_eq!(server.get("/").text(), "fine");
}
