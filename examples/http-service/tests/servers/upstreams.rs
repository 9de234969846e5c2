//! The service as a client.

use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::server::{Host, Server};
use crate::support::upstream::Upstream;

pub(crate) fn a_hundred_at_once(host: Host) {
    let upstream = Upstream::start();
    let server = Server::start(host);
    let mut client = Client::connect(server.address);
    let text = client.get(&format!("/fan-out?n=100&url={}", upstream.url())).text();
    assert_eq!(text, "100 of 100 answered with 10000 bytes\n");
    assert_eq!(upstream.requests(), 100);
    server.expect_no_failures();
}

pub(crate) fn one_that_never_answers(host: Host) {
    let upstream = Upstream::that_never_answers();
    let server = Server::start(host);
    let mut client = Client::connect(server.address);
    client.get("/");
    let start = Instant::now();
    let response = client.get(&format!("/fan-out?n=10&ms=700&url={}", upstream.url()));
    let took = start.elapsed();
    assert_eq!(response.head.status, 504);
    assert!(took >= Duration::from_millis(700), "{took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(client.get("/").text(), "Hello from Kippu!\n");
    server.expect_no_failures();
}
