//! An HTTP/1.1 server on sockets.

use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use self::connections::Connections;
use super::{Handler, IntoHandler, respond};
use crate::net::{TcpListener, TcpStream, ToAddrs};
use crate::task;
use crate::time::sleep;

#[cfg(any(kippu_native, target_os = "wasi"))]
mod connection;
#[cfg(not(any(kippu_native, target_os = "wasi")))]
#[path = "serve/never.rs"]
mod connection;
mod connections;
#[cfg(any(kippu_native, target_os = "wasi"))]
mod exchange;
#[cfg(any(kippu_native, target_os = "wasi"))]
mod socket;

/// How long nothing is accepted after an error such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// After so many connections in a row, other tasks have a turn.
const ACCEPTS_IN_A_ROW: usize = 16;

/// Where a request came from: natively in the [extensions](http::Request::extensions) of each.
///
/// ```
/// use kippu::http::server::{PeerAddr, Request};
///
/// async fn handle(request: Request) -> String {
///     match request.extensions().get::<PeerAddr>() {
///         Some(PeerAddr(address)) => format!("You are at {address}.\n"),
///         None => "This host does not tell where you are.\n".to_owned(),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);

/// Serves HTTP/1.1 on an address until the future is dropped: [`Server`] with its default settings.
///
/// ```no_run
/// use kippu::http::server::{IntoResponse, Request};
///
/// async fn handle(request: Request) -> impl IntoResponse {
///     format!("You asked for {}.\n", request.uri().path())
/// }
///
/// #[kippu::main]
/// async fn main() -> std::io::Result<()> {
///     kippu::http::serve("127.0.0.1:8080", handle).await
/// }
/// ```
///
/// # Errors
/// Those of [`Server::bind`] and [`Server::serve`].
///
/// # Cancellation
/// Dropping the future closes the listener and all connections, and drops what the handlers are doing.
pub async fn serve<Kind>(address: impl ToAddrs, handler: impl IntoHandler<Kind>) -> io::Result<()> {
    Server::bind(address).await?.serve(handler).await
}

/// An HTTP/1.1 server that listens on an address, with its settings.
///
/// Each connection is a task. Requests of one connection are answered one after another, as the protocol asks; those of several
/// concurrently.
///
/// ```no_run
/// use std::time::Duration;
/// use kippu::http::server::{Request, Server};
///
/// #[kippu::main]
/// async fn main() -> std::io::Result<()> {
///     let server = Server::bind("127.0.0.1:0").await?
///         .max_connections(1_000)
///         .grace(Duration::from_secs(5));
///     kippu::println!("listening at {}", server.local_addr()?);
///     let ctrl_c = async {
///         let _ = kippu::signal::ctrl_c().await;
///     };
///     server.serve_until(async |_: Request| "Hello!\n", ctrl_c).await
/// }
/// ```
///
/// It has no TLS and no HTTP/2: what faces the internet stands behind a proxy that does.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    settings: Settings,
}

#[derive(Clone, Debug)]
struct Settings {
    header_timeout: Duration,
    keep_alive: Duration,
    max_connections: usize,
    max_header_size: usize,
    grace: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            header_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(60),
            max_connections: usize::MAX,
            max_header_size: 64 * 1024,
            grace: Duration::from_secs(30),
        }
    }
}

impl Server {
    /// Listens on the first address that can be had. Port 0 means any free one: [`local_addr`](Server::local_addr) tells.
    ///
    /// # Errors
    /// Those of [`TcpListener::bind`], such as [`AddrInUse`](io::ErrorKind::AddrInUse).
    /// [`Unsupported`](io::ErrorKind::Unsupported) on JavaScript hosts, which have no sockets, and for
    /// wasm32-unknown-unknown also on WASI: build for wasm32-wasip2 there, or let the host listen, by
    /// [`macro@crate::http_handler`].
    pub async fn bind(address: impl ToAddrs) -> io::Result<Server> {
        // hyper asks std for the time, and std has none there but a panic.
        if cfg!(all(kippu_wasi, not(target_os = "wasi"))) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "an HTTP server on a socket needs a build for wasm32-wasip2; #[kippu::http_handler] needs none",
            ));
        }
        let listener = TcpListener::bind(address).await?;
        Ok(Server { listener, settings: Settings::default() })
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// How long a client may take to send the head of a request, from its first byte, or of the first one from when it
    /// connected. Then the connection is closed. 30 seconds unless set.
    #[must_use]
    pub fn header_timeout(mut self, limit: Duration) -> Server {
        self.settings.header_timeout = limit;
        self
    }

    /// How long a connection is kept for the next request. 60 seconds unless set; zero closes connections after each response.
    #[must_use]
    pub fn keep_alive(mut self, idle: Duration) -> Server {
        self.settings.keep_alive = idle;
        self
    }

    /// How many connections there may be at once. Others wait in the system's queue until one of these ends. As many as the
    /// system allows unless set; 0 counts as 1.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Server {
        self.settings.max_connections = count.max(1);
        self
    }

    /// How many bytes the head of a request may have. A client that sends more gets 431 (Request Header Fields Too
    /// Large). 64 KiB unless set. More than 100 headers are too many in any case.
    #[must_use]
    pub fn max_header_size(mut self, bytes: usize) -> Server {
        self.settings.max_header_size = bytes;
        self
    }

    /// How long [`serve_until`](Server::serve_until) lets exchanges go on once it was told to stop. 30 seconds unless set.
    #[must_use]
    pub fn grace(mut self, limit: Duration) -> Server {
        self.settings.grace = limit;
        self
    }

    /// Serves until the future is dropped.
    ///
    /// Too many open files and the like are survived: they are written to standard error, and accepting goes on after a pause.
    ///
    /// # Errors
    /// When the listener can accept nothing any more.
    ///
    /// # Cancellation
    /// Dropping the future closes the listener and all connections, and drops what the handlers are doing.
    pub async fn serve<Kind>(self, handler: impl IntoHandler<Kind>) -> io::Result<()> {
        self.serve_until(handler, pending()).await
    }

    /// Serves until `stop` is ready, and stops in order: the listener is closed, so are connections without a request, exchanges go on
    /// to their end, and when all are done, or the [grace time](Server::grace) is over, this is complete.
    ///
    /// # Errors
    /// When the listener can accept nothing any more.
    ///
    /// # Cancellation
    /// Dropping the future closes the listener and all connections, and drops what the handlers are doing.
    pub async fn serve_until<Kind>(
        self,
        handler: impl IntoHandler<Kind>,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let Server { listener, settings } = self;
        let handler = handler.into_handler();
        let connections = Connections::new(settings.max_connections);
        let grace = settings.grace;
        let settings = Arc::new(settings);
        {
            let accepting = accept_all(listener, &handler, &settings, connections.table());
            let (mut accepting, mut stop) = (pin!(accepting), pin!(stop));
            poll_fn(|cx| match stop.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Ok(())),
                Poll::Pending => accepting.as_mut().poll(cx),
            })
            .await?;
        }
        connections.stop();
        let _ = crate::time::timeout(grace, connections.ended()).await;
        Ok(())
    }
}

/// Ends only by an error.
async fn accept_all(
    listener: TcpListener,
    handler: &impl Handler,
    settings: &Arc<Settings>,
    connections: &Arc<connections::Table>,
) -> io::Result<()> {
    let mut in_a_row = 0;
    let mut failing = false;
    loop {
        connections.room().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                failing = false;
                start(stream, peer, handler, settings, connections);
                in_a_row += 1;
                if in_a_row == ACCEPTS_IN_A_ROW {
                    in_a_row = 0;
                    task::yield_now().await;
                }
            }
            Err(error) => match fate(&error) {
                Fate::One => {}
                Fate::Passes => {
                    // Once, until it is better: a server that is short of files shall not also fill the disk.
                    if !failing {
                        respond::report("a connection cannot be accepted, trying again", &error);
                    }
                    failing = true;
                    sleep(PAUSE).await;
                }
                Fate::Lasts => return Err(error),
            },
        }
    }
}

fn start(
    stream: TcpStream,
    peer: SocketAddr,
    handler: &impl Handler,
    settings: &Arc<Settings>,
    connections: &Arc<connections::Table>,
) {
    // Hosts without the option do without it.
    let _ = stream.set_nodelay(true);
    let seat = connections.seat();
    let connection = connection::run(stream, peer, handler.clone(), Arc::clone(settings), seat);
    drop(task::Builder::new().name("http connection").spawn(connection));
}

/// What an error of accept is about.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// One connection, which is gone.
    One,
    /// The system's state, which changes.
    Passes,
    /// The listener.
    Lasts,
}

fn fate(error: &io::Error) -> Fate {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionAborted
        | Kind::ConnectionReset
        | Kind::ConnectionRefused
        | Kind::BrokenPipe
        | Kind::TimedOut
        | Kind::Interrupted => Fate::One,
        Kind::InvalidInput | Kind::NotConnected | Kind::Unsupported => Fate::Lasts,
        _ => Fate::Passes,
    }
}
