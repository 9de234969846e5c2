//! Many requests on one connection, cut anywhere.

use std::time::Duration;

use kippu::http::server::Request;

use crate::support::{Client, start};

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What a request asks for, its bytes, and the response's text.
fn request(random: &mut Random, number: u64) -> (String, String) {
    let ms = random.below(3);
    let body = "x".repeat(random.below(2_000) as usize);
    let path = format!("/{number}?{ms}");
    let text = match random.below(4) {
        0 => format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"),
        1 => {
            let length = body.len();
            let head =
                format!("PUT {path} HTTP/1.1\r\nhost: t\r\ncontent-length: {length}\r\n\r\n");
            let expected = format!("{path} {length}");
            return (head + &body, expected);
        }
        2 => {
            let mut text =
                format!("PUT {path} HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n");
            for chunk in body.as_bytes().chunks(1 + random.below(700) as usize) {
                let chunk = std::str::from_utf8(chunk).expect("ASCII");
                text.push_str(&format!("{:X}\r\n{chunk}\r\n", chunk.len()));
            }
            text.push_str("0\r\n\r\n");
            return (text, format!("{path} {}", body.len()));
        }
        // The body is thrown away, and must not be taken for a request.
        _ => {
            let skip = format!("/skip{path}");
            let length = body.len();
            let head =
                format!("PUT {skip} HTTP/1.1\r\nhost: t\r\ncontent-length: {length}\r\n\r\n");
            return (head + &body, format!("{skip} skipped"));
        }
    };
    (text, format!("{path} 0"))
}

async fn measure(request: Request) -> Result<String, kippu::http::Error> {
    let uri = request.uri().clone();
    let ms: u64 = uri.query().and_then(|ms| ms.parse().ok()).unwrap_or_default();
    if ms > 0 {
        kippu::time::sleep(Duration::from_millis(ms)).await;
    }
    if uri.path().starts_with("/skip") {
        assert_eq!(request.into_body().trailers().await?, None);
        return Ok(format!("{uri} skipped"));
    }
    let length = request.into_body().bytes().await?.len();
    Ok(format!("{uri} {length}"))
}

#[test]
fn responses_come_in_order_however_the_requests_are_cut() {
    let server = start(|| measure);
    for seed in 1..=20 {
        let mut random = Random(seed);
        let mut client = server.connect();
        let (mut bytes, mut expected) = (String::new(), Vec::new());
        for number in 0..30 {
            let (text, answer) = request(&mut random, number);
            bytes.push_str(&text);
            expected.push(answer);
        }
        let writer = client.socket().try_clone().expect("a socket");
        let sending = std::thread::spawn(move || send_cut(writer, bytes.as_bytes(), &mut random));
        answers(&mut client, seed, &expected);
        sending.join().expect("no panic");
    }
}

/// Sends it in pieces of any size, some of them after a moment.
fn send_cut(mut socket: std::net::TcpStream, mut bytes: &[u8], random: &mut Random) {
    use std::io::Write;
    while !bytes.is_empty() {
        let limit = [4, 60, 5_000][random.below(3) as usize];
        let (now, later) = bytes.split_at((1 + random.below(limit) as usize).min(bytes.len()));
        // A connection may end early, which the reader judges.
        if socket.write_all(now).is_err() {
            return;
        }
        if random.below(20) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        bytes = later;
    }
}

fn answers(client: &mut Client, seed: u64, expected: &[String]) {
    for expected in expected {
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (200, expected.as_str()), "seed {seed}");
    }
}

#[test]
fn connections_are_served_at_the_same_time() {
    let server = start(|| {
        async |_: Request| {
            kippu::time::sleep(Duration::from_millis(200)).await;
            "done"
        }
    });
    let start = std::time::Instant::now();
    let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.answer().text(), "done");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
