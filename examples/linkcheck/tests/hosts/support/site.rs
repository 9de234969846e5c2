//! An HTTP server for tests: `std::net` and a thread per connection, which is as plain as can be
//! and can do what no proper server would, such as reset a connection.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::routes;

/// No connection of a test lives longer, so that no thread outlives a hanging test for long.
const LONGEST_CONNECTION: Duration = Duration::from_secs(60);

/// A request's start.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// How many requests for this path came before.
    pub(crate) earlier: usize,
    pub(crate) user_agent: String,
}

/// What the server does about a request.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Answers.
    Answer(Answer),
    /// Takes its time, then answers.
    Delay(Duration, Answer),
    /// Sends the start of a page, and no more while the client waits.
    Stall,
    /// Says nothing while the client waits.
    Silence,
    /// Resets the connection.
    Reset,
    /// Says something that is not HTTP.
    Nonsense,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Site {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    /// Method and path of every request.
    requests: Vec<(String, String)>,
    /// When each of them came.
    times: Vec<Instant>,
    per_path: HashMap<String, usize>,
    at_once: usize,
    most_at_once: usize,
}

/// Turns a TCP connection into what requests are read from.
type Wrap = Box<dyn Fn(TcpStream) -> io::Result<Box<dyn Connection>> + Send + Sync>;

pub(crate) trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

impl Site {
    /// A plain HTTP server.
    pub(crate) fn start() -> Self {
        Self::start_with(Box::new(|stream| Ok(Box::new(stream))))
    }

    /// A server whose connections are wrapped, as in TLS.
    pub(crate) fn start_with(wrap: Wrap) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port's number");
        let shared = Arc::new(Shared::default());
        let (wrap, for_thread) = (Arc::new(wrap), Arc::clone(&shared));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if for_thread.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, wrap) = (Arc::clone(&for_thread), Arc::clone(&wrap));
                // An error here is the client's going away, which tests do on purpose.
                thread::spawn(move || serve(stream, &wrap, &shared));
            }
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT` and the path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The methods of all requests for a path, in order.
    pub(crate) fn methods(&self, path: &str) -> Vec<String> {
        let log = self.shared.log();
        log.requests.iter().filter(|(_, at)| at == path).map(|(method, _)| method.clone()).collect()
    }

    /// Method and path of all requests, in order.
    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        self.shared.log().requests.clone()
    }

    /// When each request came, in order.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.shared.log().times.clone()
    }

    /// The most requests that were under way at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.log().most_at_once
    }

    /// How many requests are under way.
    pub(crate) fn at_once(&self) -> usize {
        self.shared.log().at_once
    }

    /// Waits until `condition` holds.
    pub(crate) fn wait_until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !condition(self) {
            assert!(started.elapsed() < Duration::from_secs(30), "waited for {what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Forgets all requests, as if just started.
    pub(crate) fn reset(&self) {
        self.wait_until("all requests to end", |site| site.at_once() == 0);
        *self.shared.log() = Log::default();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way.
struct UnderWay<'a>(&'a Shared);

impl<'a> UnderWay<'a> {
    /// Notes the request down, and counts it as under way until dropped.
    fn begin(shared: &'a Shared, request: &mut Request) -> Self {
        let mut log = shared.log();
        let count = log.per_path.entry(request.path.clone()).or_default();
        request.earlier = *count;
        *count += 1;
        log.requests.push((request.method.clone(), request.path.clone()));
        log.times.push(Instant::now());
        log.at_once += 1;
        log.most_at_once = log.most_at_once.max(log.at_once);
        Self(shared)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut log = self.0.log();
        // `reset` waits for 0, so this cannot be a request of an earlier test.
        log.at_once = log.at_once.saturating_sub(1);
    }
}

fn serve(stream: TcpStream, wrap: &Wrap, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(LONGEST_CONNECTION))?;
    stream.set_nodelay(true)?;
    let raw = stream.try_clone()?;
    let mut reader = BufReader::new(wrap(stream)?);
    while let Some(mut request) = read_request(&mut reader)? {
        let under_way = UnderWay::begin(shared, &mut request);
        let is_head = request.method == "HEAD";
        match routes::action(&request) {
            Action::Answer(answer) => respond(reader.get_mut(), &answer, is_head, under_way)?,
            Action::Delay(time, answer) => {
                thread::sleep(time);
                respond(reader.get_mut(), &answer, is_head, under_way)?;
            }
            Action::Stall => {
                let start =
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000\r\n\r\n<p>";
                reader.get_mut().write_all(start.as_bytes())?;
                return wait_for_end(&mut reader);
            }
            Action::Silence => return wait_for_end(&mut reader),
            Action::Reset => {
                // With a linger time of 0 closing resets.
                return socket2::SockRef::from(&raw).set_linger(Some(Duration::ZERO));
            }
            Action::Nonsense => {
                return reader.get_mut().write_all(b"220 mail.example ESMTP\r\n");
            }
        }
    }
    Ok(())
}

/// Reads until the client is gone.
fn wait_for_end(reader: &mut impl Read) -> io::Result<()> {
    let mut rest = [0; 256];
    while reader.read(&mut rest)? > 0 {}
    Ok(())
}

fn read_request(reader: &mut BufReader<Box<dyn Connection>>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no request line"));
    };
    let mut user_agent = String::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Ok(None);
        }
        let header = header.trim_end();
        if header.is_empty() {
            return Ok(Some(Request { method, path, earlier: 0, user_agent }));
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("user-agent")
        {
            value.trim().clone_into(&mut user_agent);
        }
    }
}

fn respond(
    stream: &mut impl Write,
    answer: &Answer,
    is_head: bool,
    under_way: UnderWay<'_>,
) -> io::Result<()> {
    let mut bytes = format!("HTTP/1.1 {} Whatever\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", answer.body.len()).as_bytes());
    if !is_head {
        bytes.extend_from_slice(&answer.body);
    }
    // Before the client can know of the answer and begin its next request.
    drop(under_way);
    stream.write_all(&bytes)?;
    stream.flush()
}
