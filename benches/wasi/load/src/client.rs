//! A load generator of one thread.

use anyhow::{Context, Result, bail};
use polling::{Event, Events, PollMode, Poller};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
/// What the body of every response has to be.
const BODY: &[u8] = b"Hello, world!\n";
/// No response takes as long.
const PATIENCE: Duration = Duration::from_secs(5);

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

/// Asks until the time is over, and gives a line of JSON: how many responses there were, and the nanoseconds that
/// it took.
///
/// # Errors
/// When the server cannot be reached, or a response is wrong or does not come.
pub(crate) fn run(port: u16, connections: usize, limit: Duration) -> Result<String> {
    let poller = Poller::new()?;
    let mut open = Vec::new();
    for key in 0..connections {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        // SAFETY: the stream is deleted from the poller at the end of this function, which is where it is dropped;
        // after an error the process ends.
        unsafe {
            poller.add_with_mode(&stream, Event::readable(key), PollMode::Level)?;
        }
        open.push(Connection { stream, input: Vec::new() });
    }
    let start = Instant::now();
    for connection in &mut open {
        connection.stream.write_all(REQUEST)?;
    }
    let (mut responses, mut waiting) = (0_u64, connections);
    let mut events = Events::new();
    while waiting > 0 {
        events.clear();
        if poller.wait(&mut events, Some(PATIENCE))? == 0 {
            bail!("{waiting} responses do not come");
        }
        for event in events.iter() {
            let connection = &mut open[event.key];
            if !connection.has_response()? {
                continue;
            }
            responses += 1;
            if start.elapsed() < limit {
                connection.stream.write_all(REQUEST)?;
            } else {
                waiting -= 1;
            }
        }
    }
    let nanoseconds = start.elapsed().as_nanos();
    for connection in &open {
        poller.delete(&connection.stream)?;
    }
    Ok(format!("{{\"responses\":{responses},\"nanoseconds\":{nanoseconds}}}"))
}

impl Connection {
    /// Reads, and tells whether the response is complete. It is taken out then.
    fn has_response(&mut self) -> Result<bool> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => bail!("the server closed a connection"),
            Ok(length) => self.input.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let Some(length) = response(&self.input)? else { return Ok(false) };
        if length != self.input.len() {
            bail!("the server sent more than a response");
        }
        self.input.clear();
        Ok(true)
    }
}

/// The length of the response that stands there, if it is complete.
///
/// # Errors
/// When it is another response than the wanted one.
fn response(input: &[u8]) -> Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(input)? else { return Ok(None) };
    if head.code != Some(200) {
        bail!("the status is {:?}", head.code);
    }
    let header =
        |name: &str| head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let body = &input[start..];
    let (body, length) = if let Some(length) = header("content-length") {
        let length: usize = std::str::from_utf8(length.value)?.parse()?;
        let Some(body) = body.get(..length) else { return Ok(None) };
        (body.to_vec(), length)
    } else {
        header("transfer-encoding").context("the response does not say how long it is")?;
        let Some(body) = chunks(body)? else { return Ok(None) };
        body
    };
    if body != BODY {
        bail!("the body is {:?}", String::from_utf8_lossy(&body));
    }
    Ok(Some(start + length))
}

/// The chunked body that stands there, and how long it is with its sizes, if it is complete. There are no trailers.
fn chunks(input: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    const END: usize = b"\r\n".len();
    let (mut body, mut place) = (Vec::new(), 0);
    loop {
        let size = httparse::parse_chunk_size(&input[place..]);
        let size = size.map_err(|_| anyhow::anyhow!("a chunk has no size"))?;
        let httparse::Status::Complete((start, size)) = size else { return Ok(None) };
        let (start, size) = (place + start, usize::try_from(size)?);
        let Some(chunk) = input.get(start..start + size + END) else { return Ok(None) };
        body.extend_from_slice(&chunk[..size]);
        place = start + size + END;
        if size == 0 {
            return Ok(Some((body, place)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_complete_when_its_body_is() {
        let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello, world!\n";
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
            7\r\nHello, \r\n7\r\nworld!\n\r\n0\r\n\r\n";
        for text in [&plain[..], chunked] {
            assert_eq!(response(text).unwrap(), Some(text.len()));
            for length in 0..text.len() {
                assert_eq!(response(&text[..length]).unwrap(), None, "{length}");
            }
        }
    }

    #[test]
    fn another_response_is_an_error() {
        assert!(response(b"HTTP/1.1 500 E\r\ncontent-length: 0\r\n\r\n").is_err());
        assert!(response(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbye").is_err());
    }
}
