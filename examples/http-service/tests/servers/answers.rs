//! Whole requests and whole responses.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::server::{Host, Server};

pub(crate) fn hello(host: Host) {
    let server = Server::start(host);
    let mut client = Client::connect(server.address);
    // Twice on one connection.
    for _ in 0..2 {
        let response = client.get("/");
        assert_eq!(response.head.header("content-length"), Some("18"));
        assert_eq!(response.head.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(response.text(), "Hello from Kippu!\n");
    }
    client.send("HEAD / HTTP/1.1\r\nhost: test\r\n\r\n");
    let head = client.head();
    assert_eq!((head.status, head.header("content-length")), (200, Some("18")));
    // No body comes behind it.
    assert_eq!(client.get("/").text(), "Hello from Kippu!\n");
    server.expect_no_failures();
}

pub(crate) fn errors_are_answered(host: Host) {
    let server = Server::start(host);
    let mut client = Client::connect(server.address);
    let missing = client.get("/nothing");
    assert_eq!(missing.head.status, 404);
    assert_eq!(missing.body, b"There is nothing here.\n");
    assert_eq!(client.get("/sleep?ms=soon").head.status, 400);
    let failed = client.get("/error");
    assert_eq!(failed.head.status, 500);
    assert_eq!(failed.body, b"Internal Server Error\n", "the client learns no details");
    server.expect_output("this error was asked for", 1);
    server.expect_no_failures();
}

/// They wait at the same time.
pub(crate) fn requests_at_once(host: Host) {
    let server = Server::start(host);
    // The first instance may take its time.
    Client::connect(server.address).get("/");
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let text = Client::connect(server.address).get("/sleep?ms=500").text();
                assert_eq!(text, "slept 500 ms\n");
            });
        }
    });
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(500), "{took:?}");
    assert!(took < Duration::from_secs(16), "64 times 500 ms, one after the other: {took:?}");
    server.expect_no_failures();
}
