//! A web server on plain threads, which sends exactly the bytes that a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server has received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// The number of the connection, from 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(found, _)| found == name);
        let value = values.next();
        assert!(values.next().is_none(), "{name} was sent more than once");
        value.map(|(_, value)| value.as_str())
    }
}

pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Answers each request by what `answer` writes. A connection stays open until
    /// `answer` gives `false` or the client closes it.
    pub(crate) fn start(
        answer: impl Fn(&Received, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Server {
        Server::start_on("127.0.0.1", answer)
    }

    /// Like [`Server::start`], on an address of this machine.
    pub(crate) fn start_on(
        host: &str,
        answer: impl Fn(&Received, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind((host, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (shared, answer) = (Arc::clone(&log), Arc::new(answer));
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let stream = stream.expect("a connection");
                let (log, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                thread::spawn(move || serve(connection, stream, &log, &*answer));
            }
        });
        Server { address, log }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far.
    pub(crate) fn log(&self) -> Vec<Received> {
        self.log.lock().expect("no panic").clone()
    }
}

fn serve(
    connection: usize,
    stream: TcpStream,
    log: &Mutex<Vec<Received>>,
    answer: &(dyn Fn(&Received, &mut TcpStream) -> bool + Send + Sync),
) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut stream = stream;
    while let Some(mut request) = receive(&mut reader) {
        request.connection = connection;
        log.lock().expect("no panic").push(request.clone());
        if !answer(&request, &mut stream) {
            return;
        }
    }
}

fn receive(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request = Received {
        method: words.next().expect("a method"),
        target: words.next().expect("a target"),
        ..Received::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let length = usize::from_str_radix(line.trim(), 16).ok()?;
            let mut piece = vec![0; length + 2];
            reader.read_exact(&mut piece).ok()?;
            request.body.extend_from_slice(&piece[..length]);
            if length == 0 {
                break;
            }
        }
    } else if let Some(length) = request.header("content-length") {
        request.body = vec![0; length.parse().expect("a number")];
        reader.read_exact(&mut request.body).ok()?;
    }
    Some(request)
}

/// Writes a whole response with a length.
pub(crate) fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &str) -> bool {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").is_ok()
}
