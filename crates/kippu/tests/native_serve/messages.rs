//! Requests and responses as HTTP has them.

use std::convert::Infallible;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use kippu::http::ErrorKind;
use kippu::http::server::{Body, IntoResponse, PeerAddr, Request, Response, Server};

use crate::support::{pieces, start, start_with};

async fn echo(request: Request) -> Response {
    Response::new(request.into_body())
}

#[test]
fn a_request_is_answered_and_the_connection_kept() {
    let server =
        start(|| async |request: Request| format!("{} {}", request.method(), request.uri()));
    let mut client = server.connect();
    for path in ["/", "/a?b=c"] {
        client.send(&format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"));
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.header("date").is_some_and(|date| date.ends_with(" GMT")));
        assert_eq!(answer.text(), format!("GET {path}"));
    }
}

#[test]
fn the_handler_sees_who_asks() {
    let server = start(|| {
        async |request: Request| {
            let PeerAddr(peer) = request.extensions().get().expect("a peer");
            peer.to_string()
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
    let own = client.socket().local_addr().expect("connected").to_string();
    assert_eq!(client.answer().text(), own);
}

#[test]
fn connections_end_when_the_client_asks_for_it() {
    let server = start(|| echo);
    for request in
        ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n"]
    {
        let mut client = server.connect();
        client.send(request);
        assert_eq!(client.answer().status, 200);
        assert_eq!(client.rest(), b"");
    }
}

#[test]
fn what_is_not_http_is_refused() {
    let server = start(|| echo);
    let mut client = server.connect();
    client.send("what is this?\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    assert_eq!(client.rest(), b"");
}

#[test]
fn head_gets_the_head_only() {
    let server = start(|| async |_: Request| "twelve bytes");
    let mut client = server.connect();
    client.send("HEAD / HTTP/1.1\r\nhost: test\r\n\r\nGET / HTTP/1.1\r\nhost: test\r\n\r\n");
    let head = client.head();
    assert_eq!((head.status, head.header("content-length")), (200, Some("12")));
    // Right behind it comes the next response.
    assert_eq!(client.answer().text(), "twelve bytes");
}

#[test]
fn bodies_of_known_length_say_so_and_others_are_chunked() {
    let server = start(|| {
        async |request: Request| match request.uri().path() {
            "/known" => Body::from("abc"),
            "/none" => Body::empty(),
            _ => {
                let mut left = vec!["", "c", "", "b", "a"];
                Body::stream(pieces(move || left.pop().map(Ok::<_, Infallible>)))
            }
        }
    });
    let known = server.get("/known");
    assert_eq!((known.header("content-length"), known.text()), (Some("3"), "abc"));
    assert_eq!(server.get("/none").header("content-length"), Some("0"));
    let stream = server.get("/stream");
    assert_eq!((stream.header("transfer-encoding"), stream.text()), (Some("chunked"), "abc"));
}

#[test]
fn bodies_stream_both_ways_at_once() {
    let server = start(|| echo);
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n");
    let head = client.head();
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    // Each piece comes back before the next one is sent.
    for piece in ["one", "two", "three"] {
        let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
        client.send(&chunk);
        let mut back = Vec::new();
        client.read(&mut back, chunk.len());
        assert_eq!(back, chunk.as_bytes());
    }
    client.send("0\r\n\r\n");
    let mut end = Vec::new();
    client.read(&mut end, 5);
    assert_eq!(end, b"0\r\n\r\n");
}

#[test]
fn trailers_go_both_ways() {
    let server = start(|| {
        async |request: Request| {
            let mut body = request.into_body();
            let data = body.chunk().await.expect("no error").expect("data");
            let received = body.trailers().await.expect("no error").expect("trailers");
            assert!(body.trailers().await.expect("no error").is_none(), "they are given once");
            let text = format!("{} bytes, {:?}", data.len(), received["x-sum"]);
            let trailers = HeaderMap::from_iter([(
                http::header::HeaderName::from_static("x-more"),
                HeaderValue::from_static("yes"),
            )]);
            let mut response = Response::new(Body::from(text).with_trailers(trailers));
            response.headers_mut().insert("trailer", HeaderValue::from_static("x-more"));
            response
        }
    });
    let mut client = server.connect();
    client.send(
        "POST / HTTP/1.1\r\nhost: test\r\nte: trailers\r\ntrailer: x-sum\r\n\
         transfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\nx-sum: 10\r\n\r\n",
    );
    let answer = client.answer();
    assert_eq!(answer.text(), "4 bytes, \"10\"");
    assert_eq!(answer.trailers, [("x-more".to_owned(), "yes".to_owned())]);
}

#[test]
fn a_client_that_expects_to_be_told_is_told_when_the_body_is_read() {
    let server = start(|| {
        async |request: Request| match request.uri().path() {
            "/read" => request.into_body().text().await,
            _ => Ok("not read".to_owned()),
        }
    });
    let expecting = |path: &str| {
        format!(
            "PUT {path} HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n"
        )
    };
    let mut client = server.connect();
    client.send(&expecting("/read"));
    assert_eq!(client.answer().status, 100);
    client.send("body");
    assert_eq!(client.answer().text(), "body");
    // The same connection again, and this time nobody wants the body.
    client.send(&expecting("/leave"));
    assert_eq!(client.answer().text(), "not read");
}

#[test]
fn an_answer_arrives_although_the_client_still_sends() {
    an_answer_arrives(|server| server);
}

#[test]
fn an_answer_arrives_also_when_connections_are_not_kept() {
    an_answer_arrives(|server| server.keep_alive(Duration::ZERO));
}

fn an_answer_arrives(settings: fn(Server) -> Server) {
    let server =
        start_with(settings, || async |_: Request| (StatusCode::PAYLOAD_TOO_LARGE, "too much"));
    for _ in 0..10 {
        let mut client = server.connect();
        client.send("PUT / HTTP/1.1\r\nhost: test\r\ncontent-length: 8388608\r\n\r\n");
        // It is closed with all of this unread: without care, that would take the response with it.
        client.send_bytes(&vec![b'x'; 8 << 20]).expect("somebody reads it");
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (413, "too much"));
        assert_eq!(client.rest(), b"");
    }
}

#[test]
fn a_small_body_that_was_not_read_does_not_end_the_connection() {
    let server = start(|| async |_: Request| "not read");
    let mut client = server.connect();
    for _ in 0..3 {
        client.send("PUT / HTTP/1.1\r\nhost: test\r\ncontent-length: 4\r\n\r\nbody");
        assert_eq!(client.answer().text(), "not read");
    }
}

#[test]
fn a_body_that_is_not_http_is_an_error_of_its_own_kind() {
    let server = start(|| {
        async |request: Request| {
            let mut body = request.into_body();
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
                "after an error it is empty"
            );
            assert_eq!(error.kind(), ErrorKind::Protocol);
            "an error, as it should be"
        }
    });
    let mut client = server.connect();
    client.send("PUT / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n");
    assert_eq!(client.answer().text(), "an error, as it should be");
}

#[test]
fn what_is_left_of_a_body_is_the_next_readers() {
    let server = start(|| {
        async |request: Request| {
            let mut body = request.into_body();
            let first = body.chunk().await.expect("no error").expect("a piece");
            assert_eq!(first, "first");
            // The rest goes out as the body of the response, by another way of reading.
            body.into_response()
        }
    });
    let mut client = server.connect();
    client.send("PUT / HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    client.send("3\r\nand\r\n4\r\nmore\r\n0\r\n\r\n");
    assert_eq!(client.answer().text(), "andmore");
}
