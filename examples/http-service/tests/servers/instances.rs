//! What one request leaves behind for the next.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::server::{Host, Limits, Server};

/// Nor are handles of the host left over, of which an instance may have few.
pub(crate) fn memory_stays_flat(host: Host) {
    let server =
        Server::start_with(host, Limits { reuse: Some(100_000), memory: None, handles: Some(100) });
    let mut client = Client::connect(server.address);
    // What is measured is few instances that live long.
    let counts = (0..100).map(|_| client.get("/instance").text().trim().parse());
    let most = counts.map(|count| count.expect("a number")).max();
    assert!(most >= Some(10), "an instance got {most:?} of 100 requests");
    let mut ask = |times: usize| {
        for _ in 0..times / 10 {
            for _ in 0..8 {
                assert_eq!(client.get("/").head.status, 200);
            }
            assert_eq!(client.post("/echo", "", &[1; 3000], 1000).body.len(), 3000);
            assert_eq!(client.get("/stream?chunks=3&bytes=1000").body.len(), 3000);
        }
    };
    ask(1000);
    let early = server.memory();
    ask(9000);
    let late = server.memory();
    if host == Host::Native {
        // The system counts in its own way.
        assert!(late < early + (1 << 20), "{early} bytes became {late}");
    } else {
        assert_eq!(early, late, "10,000 requests have left something behind");
    }
    server.expect_no_failures();
}

/// On WASI a panic ends the instance, and so what else runs in it; everywhere the server goes on.
pub(crate) fn a_panic_costs_one_request(host: Host) {
    let server = Server::start(host);
    for _ in 0..3 {
        let mut client = Client::connect(server.address);
        assert_eq!(client.get("/").text(), "Hello from Kippu!\n");
        client.send("GET /panic HTTP/1.1\r\nhost: test\r\n\r\n");
        assert_eq!(client.head().status, 500);
        let mut client = Client::connect(server.address);
        assert_eq!(client.get("/").text(), "Hello from Kippu!\n");
    }
    server.expect_output("this panic was asked for", 3);
}

pub(crate) fn tasks_go_on_after_the_response(host: Host) {
    let server = Server::start(host);
    let mut client = Client::connect(server.address);
    client.get("/");
    let start = Instant::now();
    let text = client.get("/after?ms=1500").text();
    assert!(start.elapsed() < Duration::from_millis(1400), "the response waits for the task");
    assert_eq!(text, "The rest is done later.\n");
    drop(client);
    assert!(!server.output().contains("/after: done"));
    // Others are served meanwhile.
    assert_eq!(Client::connect(server.address).get("/").head.status, 200);
    server.expect_output("/after: done", 1);
    thread::sleep(Duration::from_millis(100));
    server.expect_no_failures();
}
