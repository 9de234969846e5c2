//! Clients that do not behave.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::server::{Host, Server};

/// How often a client goes away in each phase.
const TIMES: usize = 10;

pub(crate) fn one_that_goes_away(host: Host) {
    let server = Server::start(host);
    let upload = "POST /count HTTP/1.1\r\nhost: test\r\ncontent-length: 100000\r\n\r\nsome";
    let echo =
        "POST /echo HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n";
    let phases = [
        ("after connecting", "", 0),
        ("after the request line", "GET / HTTP/1.1\r\n", 0),
        ("in the middle of a header", "GET / HTTP/1.1\r\nhost: te", 0),
        ("in the middle of the request's body", upload, 0),
        ("in the middle of a chunk", &echo[..echo.len() - 4], 0),
        ("before the response", "GET /sleep?ms=400 HTTP/1.1\r\nhost: test\r\n\r\n", 0),
        ("before the response is read", "GET / HTTP/1.1\r\nhost: test\r\n\r\n", 0),
        ("in the middle of both bodies", echo, 20),
        ("in the middle of the response's body", STREAM, 5_000),
        ("in the middle of a slow body", SLOW_STREAM, 5),
        ("right after the response", "GET / HTTP/1.1\r\nhost: test\r\n\r\n", usize::MAX),
    ];
    for (phase, request, read) in phases {
        for time in 0..TIMES {
            let mut client = Client::connect(server.address);
            client.send(request);
            // Sometimes at once, sometimes when the server has begun to work.
            thread::sleep(Duration::from_millis([0, 0, 2, 20][time % 4]));
            match read {
                0 => {}
                usize::MAX => drop(client.read()),
                read => client.expect(read),
            }
            drop(client);
        }
        let mut client = Client::connect(server.address);
        assert_eq!(client.get("/").text(), "Hello from Kippu!\n", "after one went {phase}");
    }
    // The bodies that nobody reads are dropped: this is what each of the streams writes then.
    server.expect_output("/stream: given up", 2 * TIMES);
    server.expect_no_failures();
}

/// Without an end, for practical purposes.
const STREAM: &str = "GET /stream?chunks=1000000&bytes=65536 HTTP/1.1\r\nhost: test\r\n\r\n";
const SLOW_STREAM: &str = "GET /stream?chunks=100000&bytes=10&ms=5 HTTP/1.1\r\nhost: test\r\n\r\n";

/// Clients that send a byte now and then hold nothing that others need.
pub(crate) fn slow_ones_do_not_slow_others(host: Host) {
    let server = Server::start(host);
    let slow: Vec<Client> = (0..40)
        .map(|index| {
            let mut client = Client::connect(server.address);
            match index % 2 {
                0 => client.send("GET / HTTP/1.1\r\nhost: te"),
                _ => {
                    client.send("POST /count HTTP/1.1\r\nhost: test\r\ncontent-length: 50\r\n\r\n")
                }
            }
            client
        })
        .collect();
    let mut writers: Vec<_> = slow.iter().map(Client::writer).collect();
    let start = Instant::now();
    let fast = thread::spawn(move || {
        let mut client = Client::connect(server.address);
        let mut longest = Duration::ZERO;
        for _ in 0..200 {
            let start = Instant::now();
            assert_eq!(client.get("/").text(), "Hello from Kippu!\n");
            longest = longest.max(start.elapsed());
        }
        (server, longest)
    });
    let mut sent = 0;
    while !fast.is_finished() || sent < 5 {
        for writer in &mut writers {
            writer.write_all(b"x").expect("the server reads");
        }
        sent += 1;
        assert!(sent < 40, "200 requests take {:?} beside slow clients", start.elapsed());
        thread::sleep(Duration::from_millis(100));
    }
    let (server, longest) = fast.join().expect("no panic");
    assert!(longest < Duration::from_secs(2), "one request took {longest:?}");
    // They are served in the end.
    for (index, mut client) in slow.into_iter().enumerate() {
        let end = match index % 2 {
            0 => "\r\n\r\n".to_owned(),
            _ => "x".repeat(50 - sent),
        };
        client.send(end);
        let text = client.read().text();
        assert_eq!(text, ["Hello from Kippu!\n", "50 bytes\n"][index % 2]);
    }
    server.expect_no_failures();
}
