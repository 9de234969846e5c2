//! Bodies as streams.

use std::io::{BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::server::{Host, Limits, Server};

pub(crate) fn what_comes_in_goes_out(host: Host) {
    let server = Server::start(host);
    let mut client = Client::connect(server.address);
    for size in [0, 1, 70_000] {
        let body: Vec<u8> = (0..size).map(|index| index as u8).collect();
        let response = client.post("/echo", "content-type: x/y\r\n", &body, 10_000);
        assert_eq!(response.head.header("content-type"), Some("x/y"));
        assert!(response.body == body, "{size} bytes became {}", response.body.len());
    }
    // With a length, and the answer has it too.
    client.send("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 5\r\n\r\nbytes");
    let response = client.read();
    assert_eq!(response.head.header("content-length"), Some("5"));
    assert_eq!(response.text(), "bytes");
    assert_eq!(client.post("/count", "", &[7; 300_000], 65_536).text(), "300000 bytes\n");
    // Answered without being read.
    let client = Client::connect(server.address);
    let mut writer = client.writer();
    let sent = thread::spawn(move || {
        let head = "POST /nothing HTTP/1.1\r\nhost: test\r\ncontent-length: 100000\r\n\r\n";
        writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&[0; 100_000]))
    });
    let mut client = client;
    assert_eq!(client.head().status, 404);
    // The server may close the connection instead of reading on.
    let _ = sent.join().expect("no panic");
    server.expect_no_failures();
}

/// 64 MiB go through an instance that may have 24.
pub(crate) fn a_body_larger_than_memory(host: Host) {
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 1024;
    let server =
        Server::start_with(host, Limits { reuse: Some(10), memory: Some(24 << 20), handles: None });
    let before = server.memory();
    let mut client = Client::connect(server.address);
    let writer = client.writer();
    let piece: Vec<u8> = (0..PIECE).map(|index| (index % 251) as u8).collect();
    let sent = piece.clone();
    let sender = thread::spawn(move || {
        let mut writer = BufWriter::new(writer);
        write!(writer, "POST /echo HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n")?;
        for _ in 0..PIECES {
            write!(writer, "{PIECE:x}\r\n")?;
            writer.write_all(&sent)?;
            write!(writer, "\r\n")?;
        }
        write!(writer, "0\r\n\r\n")?;
        writer.flush()
    });
    let head = client.head();
    assert_eq!(head.status, 200);
    let mut received = 0;
    let read = client.body(&head, |mut data| {
        while !data.is_empty() {
            let at = received % PIECE;
            let length = data.len().min(PIECE - at);
            assert!(data[..length] == piece[at..at + length], "other bytes at {received}");
            data = &data[length..];
            received += length;
        }
    });
    read.expect("the body is complete");
    sender.join().expect("no panic").expect("the server reads");
    assert_eq!(received, PIECE * PIECES);
    let after = server.memory();
    assert!(after < before + (8 << 20), "{before} bytes of memory became {after}");
    server.expect_no_failures();
}

pub(crate) fn slow_bodies_come_piece_by_piece(host: Host) {
    let server = Server::start(host);
    let mut client = Client::connect(server.address);
    client.get("/");
    let start = Instant::now();
    client.send("GET /stream?chunks=5&bytes=10&ms=300 HTTP/1.1\r\nhost: test\r\n\r\n");
    let head = client.head();
    let mut times = Vec::new();
    let read = client.body(&head, |data| times.push((data.len(), start.elapsed())));
    read.expect("the body is complete");
    assert_eq!(times.iter().map(|(length, _)| length).sum::<usize>(), 50);
    let (first, last) = (times[0].1, times[times.len() - 1].1);
    assert!(last >= Duration::from_millis(1200), "{times:?}");
    assert!(last - first >= Duration::from_millis(600), "it was collected: {times:?}");
    server.expect_no_failures();
}

pub(crate) fn trailers_both_ways(host: Host) {
    let server = Server::start(host);
    let mut client = Client::connect(server.address);
    let post = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nte: trailers\r\ntrailer: x-sum\r\n\
             transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 17\r\n\r\n"
        )
    };
    client.send(post("/trailers"));
    let response = client.read();
    assert_eq!(response.body, b"x-sum: 17\n");
    client.send(post("/echo"));
    let response = client.read();
    assert_eq!(response.body, b"body");
    assert_eq!(response.trailer("x-sum"), Some("17"));
    server.expect_no_failures();
}
