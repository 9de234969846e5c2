//! A server on a thread of its own, and a client that sends exactly the bytes that a test wants.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kippu::http::server::{IntoHandler, Server};

/// No test takes so long.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server that stops with the test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: async_channel::Sender<()>,
    thread: Option<thread::JoinHandle<io::Result<()>>>,
}

/// Starts a server with the handler that `make` makes on the server's thread.
pub(crate) fn start<H, Kind>(make: impl FnOnce() -> H + Send + 'static) -> Running
where
    H: IntoHandler<Kind>,
{
    start_with(|server| server, make)
}

/// Like [`start`], with settings.
pub(crate) fn start_with<H, Kind>(
    configure: impl FnOnce(Server) -> Server + Send + 'static,
    make: impl FnOnce() -> H + Send + 'static,
) -> Running
where
    H: IntoHandler<Kind>,
{
    let (stop, stopped) = async_channel::bounded(1);
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        let serving = async move {
            let server = configure(Server::bind("127.0.0.1:0").await?);
            tell.send(server.local_addr()?).expect("the test waits");
            // It also ends when the test has dropped its end.
            let stop = async move {
                let _ = stopped.recv().await;
            };
            server.serve_until(make(), stop).await
        };
        kippu::block_on(serving).expect("no deadlock")
    });
    let address = told.recv_timeout(LONG).expect("a bound server");
    Running { address, stop, thread: Some(thread) }
}

impl Running {
    /// Tells it to stop, without waiting.
    pub(crate) fn tell_to_stop(&self) {
        self.stop.close();
    }

    /// Whether it has stopped.
    pub(crate) fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(thread::JoinHandle::is_finished)
    }

    /// Stops it and waits until it has.
    pub(crate) fn stop(mut self) {
        self.join();
    }

    fn join(&mut self) {
        self.tell_to_stop();
        if let Some(thread) = self.thread.take() {
            let result = thread.join().expect("the server does not panic");
            result.expect("the server stops in order");
        }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// The response to a GET on a connection of its own.
    pub(crate) fn get(&self, path: &str) -> Answer {
        let mut client = self.connect();
        client.send(&format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"));
        client.answer()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.join();
        }
    }
}

/// One connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// A response.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        Client::from(TcpStream::connect(address).expect("the server listens"))
    }

    pub(crate) fn from(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(LONG)).expect("a socket");
        stream.set_write_timeout(Some(LONG)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Client { stream: BufReader::new(stream) }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes()).expect("the server reads");
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// A whole response, but not that to a HEAD request.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = self.line();
                let size = usize::from_str_radix(&size, 16).expect("the size of a chunk");
                if size == 0 {
                    answer.trailers = self.headers();
                    break;
                }
                self.read(&mut answer.body, size);
                assert_eq!(self.line(), "");
            }
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse().expect("a length");
            self.read(&mut answer.body, length);
        } else if answer.status >= 200 && answer.status != 204 && answer.status != 304 {
            self.stream.read_to_end(&mut answer.body).expect("the rest");
        }
        answer
    }

    /// The head of a response.
    pub(crate) fn head(&mut self) -> Answer {
        let line = self.line();
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        Answer { status, headers: self.headers(), ..Answer::default() }
    }

    fn headers(&mut self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else {
                assert_eq!(line, "");
                return headers;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line");
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("not a line: {line:?}")).to_owned()
    }

    pub(crate) fn read(&mut self, body: &mut Vec<u8>, size: usize) {
        let start = body.len();
        body.resize(start + size, 0);
        self.stream.read_exact(&mut body[start..]).expect("the rest of the body");
    }

    /// All that comes until the server closes the connection, by whatever means.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => {
                panic!("the server has not closed the connection: {error}")
            }
            _ => rest,
        }
    }

    /// Whether the server says nothing for so long.
    pub(crate) fn is_quiet_for(&mut self, time: Duration) -> bool {
        self.socket().set_read_timeout(Some(time)).expect("a socket");
        let quiet = match self.stream.fill_buf() {
            Ok(_) => false,
            Err(error) => {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
            }
        };
        self.socket().set_read_timeout(Some(LONG)).expect("a socket");
        quiet
    }
}

/// Waits until `done`.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "{what}: not within {LONG:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Says that it was dropped.
pub(crate) struct Dropped(pub(crate) mpsc::Sender<&'static str>, pub(crate) &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        // The test may be over.
        let _ = self.0.send(self.1);
    }
}

/// A stream that `next` makes.
pub(crate) fn pieces<T>(
    next: impl FnMut() -> Option<T> + Send + 'static,
) -> impl kippu::stream::Stream<Item = T> + Send + 'static {
    struct Pieces<F>(F);

    impl<F> Unpin for Pieces<F> {}

    impl<T, F: FnMut() -> Option<T>> kippu::stream::Stream for Pieces<F> {
        type Item = T;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<T>> {
            std::task::Poll::Ready((self.0)())
        }
    }

    Pieces(next)
}
