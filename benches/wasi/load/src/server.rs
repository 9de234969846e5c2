//! Servers of one thread.

use anyhow::Result;
use polling::{Event, Events, PollMode, Poller};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// Takes what has come and gives what is to be sent.
type Answer = fn(input: &mut Vec<u8>, output: &mut Vec<u8>);

/// The listener's key. Connections have those from 0 on.
const LISTENER: usize = usize::MAX - 1;
/// More than all guests connect at once.
const BACKLOG: i32 = 4096;

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// Serves until standard input ends.
///
/// # Errors
/// When there is no port or no poller to be had.
pub(crate) fn run(answer: Answer) -> Result<()> {
    let listener = listen()?;
    println!("{}", listener.local_addr()?.port());
    std::thread::spawn(|| {
        // Whatever ends it: nobody is there any more.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let poller = Poller::new()?;
    // SAFETY: the listener outlives the poller's use, which goes on until the process ends.
    unsafe {
        poller.add_with_mode(&listener, Event::readable(LISTENER), PollMode::Level)?;
    }
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free = Vec::new();
    let mut events = Events::new();
    loop {
        events.clear();
        poller.wait(&mut events, None)?;
        for event in events.iter() {
            if event.key == LISTENER {
                accept(&listener, &poller, &mut connections, &mut free)?;
                continue;
            }
            let Some(connection) = &mut connections[event.key] else { continue };
            if let Ok(true) = connection.turn(answer) {
                continue;
            }
            poller.delete(&connection.stream)?;
            connections[event.key] = None;
            free.push(event.key);
        }
    }
}

/// A listener on a free port. The standard library's has room for few that are not accepted yet.
fn listen() -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn accept(
    listener: &TcpListener,
    poller: &Poller,
    connections: &mut Vec<Option<Connection>>,
    free: &mut Vec<usize>,
) -> Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            // A client that has gone already.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error.into()),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let key = free.pop().unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        // SAFETY: the stream is deleted from the poller before it is dropped, in `run`.
        unsafe {
            poller.add_with_mode(&stream, Event::readable(key), PollMode::Level)?;
        }
        connections[key] = Some(Connection { stream, input: Vec::new(), output: Vec::new() });
    }
}

impl Connection {
    /// Reads, answers and writes; `false` when the peer is done.
    fn turn(&mut self, answer: Answer) -> std::io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(length) => self.input.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
        answer(&mut self.input, &mut self.output);
        // The peers of this bench wait for an answer before they send on, so it fits into the socket's buffer. One
        // that does not is an error, which closes the connection.
        self.stream.write_all(&self.output)?;
        self.output.clear();
        Ok(true)
    }
}

/// Sends back what comes.
pub(crate) fn echo(input: &mut Vec<u8>, output: &mut Vec<u8>) {
    std::mem::swap(input, output);
    input.clear();
}

/// Answers every request that has no body.
pub(crate) fn http(input: &mut Vec<u8>, output: &mut Vec<u8>) {
    const END: &[u8] = b"\r\n\r\n";
    let mut start = 0;
    while let Some(length) = input[start..].windows(END.len()).position(|bytes| bytes == END) {
        start += length + END.len();
        output.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
        output.resize(output.len() + 100, b'.');
    }
    input.drain(..start);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_whole_request_is_answered() {
        let mut output = Vec::new();
        let mut input = b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\nGET /".to_vec();
        http(&mut input, &mut output);
        assert_eq!(input, b"GET /");
        let text = String::from_utf8(output).unwrap();
        assert_eq!(text.matches("200 OK").count(), 2);
        assert!(text.ends_with(&".".repeat(100)));
    }

    #[test]
    fn all_that_comes_is_sent_back() {
        let (mut input, mut output) = (b"abc".to_vec(), Vec::new());
        echo(&mut input, &mut output);
        assert_eq!((input, output), (Vec::new(), b"abc".to_vec()));
    }
}
