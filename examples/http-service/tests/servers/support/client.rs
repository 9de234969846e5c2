//! A client of HTTP/1.1 that may do what others do not: stop in the middle.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any test: whoever waits so long fails.
const LIMIT: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// A response without its body.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

/// A whole response.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl Response {
    pub(crate) fn text(self) -> String {
        assert_eq!(self.head.status, 200, "{:?}", String::from_utf8_lossy(&self.body));
        String::from_utf8(self.body).expect("it is text")
    }

    pub(crate) fn trailer(&self, name: &str) -> Option<&str> {
        find(&self.trailers, name)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let header = headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    header.map(|(_, value)| value.as_str())
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("it is a socket");
        stream.set_read_timeout(Some(LIMIT)).expect("it is a socket");
        stream.set_write_timeout(Some(LIMIT)).expect("it is a socket");
        Client { stream: BufReader::new(stream) }
    }

    /// The same connection, to write to while somebody else reads.
    pub(crate) fn writer(&self) -> TcpStream {
        self.stream.get_ref().try_clone().expect("it is a socket")
    }

    pub(crate) fn send(&mut self, data: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(data.as_ref()).expect("the server reads");
    }

    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"));
        self.read()
    }

    /// Sends `body` in chunks of the given sizes, the last one of them as often as needed.
    pub(crate) fn post(
        &mut self,
        path: &str,
        headers: &str,
        body: &[u8],
        chunk: usize,
    ) -> Response {
        self.send(format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\n{headers}transfer-encoding: chunked\r\n\r\n"
        ));
        for chunk in body.chunks(chunk) {
            self.send(format!("{:x}\r\n", chunk.len()));
            self.send(chunk);
            self.send("\r\n");
        }
        self.send("0\r\n\r\n");
        self.read()
    }

    /// A whole response.
    pub(crate) fn read(&mut self) -> Response {
        let head = self.head();
        let mut body = Vec::new();
        let trailers = self.body(&head, |data| body.extend_from_slice(data));
        Response { head, body, trailers: trailers.expect("the body is complete") }
    }

    pub(crate) fn head(&mut self) -> Head {
        let line = self.line().expect("there is a response");
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some("HTTP/1.1"), "{line}");
        let status = words.next().expect("a status").parse().expect("a number");
        let headers = self.fields().expect("the head is complete");
        Head { status, headers }
    }

    /// Reads a body, and gives its trailers.
    pub(crate) fn body(
        &mut self,
        head: &Head,
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<Vec<(String, String)>> {
        if let Some(length) = head.header("content-length") {
            self.data(length.parse().expect("a number"), &mut take)?;
            return Ok(Vec::new());
        }
        assert_eq!(head.header("transfer-encoding"), Some("chunked"), "{head:?}");
        loop {
            let line = self.line()?;
            let length = u64::from_str_radix(&line, 16).map_err(io::Error::other)?;
            if length == 0 {
                return self.fields();
            }
            self.data(length, &mut take)?;
            self.line()?;
        }
    }

    fn data(&mut self, mut left: u64, take: &mut impl FnMut(&[u8])) -> io::Result<()> {
        while left > 0 {
            let data = self.stream.fill_buf()?;
            let length = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            take(&data[..length]);
            self.stream.consume(length);
            left -= length as u64;
        }
        Ok(())
    }

    fn fields(&mut self) -> io::Result<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line.split_once(": ").ok_or(io::ErrorKind::InvalidData)?;
            fields.push((name.to_owned(), value.to_owned()));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Reads at least so many bytes, of whatever comes.
    pub(crate) fn expect(&mut self, bytes: usize) {
        let mut received = vec![0; bytes];
        self.stream.read_exact(&mut received).expect("the server sends");
    }
}
