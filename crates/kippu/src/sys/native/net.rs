//! Sockets of the operating system, on the driver's watch.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::net::{self, Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::{Domain, Protocol, Socket, Type};

use crate::driver::native::blocking::blocking;
use crate::driver::native::current;
use crate::driver::native::source::{Direction, Source};

/// How many connections may wait to be accepted. The system may hold fewer.
const BACKLOG: i32 = 1024;

/// The addresses of `host`, looked up by the system on the blocking pool.
///
/// # Errors
/// What the system's resolver says.
pub(crate) async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let target = (host.to_owned(), port);
    let found = blocking(move || target.to_socket_addrs().map(Vec::from_iter)).await?;
    found.map_err(|error| match error.raw_os_error() {
        Some(_) => error,
        // The resolver's own errors have no kind.
        None => io::Error::new(io::ErrorKind::NotFound, error),
    })
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // As everywhere on WASI. Else it depends on the system's settings.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Closed is closed, even when the peer was faster.
fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}

/// Dropping it closes the connection.
pub(crate) struct TcpStream {
    source: Source<net::TcpStream>,
}

impl TcpStream {
    /// `counts` says whether waiting on the connection counts as an outstanding
    /// operation of the program. Dropping the future ends the attempt.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) async fn connect(address: SocketAddr, counts: bool) -> io::Result<TcpStream> {
        let shared = current()?;
        let socket = open(address, Type::STREAM, Protocol::TCP)?;
        match socket.connect(&address.into()) {
            Err(error) if !is_under_way(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let source = Source::<net::TcpStream>::new(shared, socket.into(), counts)?;
        poll_fn(|cx| {
            source.poll_io(cx, Direction::Write, |socket| {
                if let Some(error) = socket.take_error()? {
                    return Err(error);
                }
                match socket.peer_addr() {
                    Ok(_) => Ok(()),
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                        Err(io::ErrorKind::WouldBlock.into())
                    }
                    Err(error) => Err(error),
                }
            })
        })
        .await?;
        Ok(TcpStream { source })
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_io(cx, Direction::Read, |mut socket| socket.read(buffer))
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.source.poll_io(cx, Direction::Write, |mut socket| socket.write(data))
    }

    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_io(cx, Direction::Write, |mut socket| socket.write_vectored(data))
    }

    /// The system sends what it was given, whatever becomes of the program.
    pub(crate) fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        unless_closed(self.source.socket().shutdown(how))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.socket().local_addr()
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.socket().peer_addr()
    }

    pub(crate) fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.source.socket().set_nodelay(on)
    }

    pub(crate) fn nodelay(&self) -> io::Result<bool> {
        self.source.socket().nodelay()
    }
}

/// Whether connecting goes on in the background.
fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::INPROGRESS) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}

pub(crate) struct TcpListener {
    source: Source<net::TcpListener>,
}

impl TcpListener {
    /// Does not wait; the signature is that of other platforms.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        let shared = current()?;
        let socket = open(address, Type::STREAM, Protocol::TCP)?;
        // A port whose last connections are still being closed may be used again. On Windows this option means something else.
        #[cfg(not(windows))]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener { source: Source::<net::TcpListener>::new(shared, socket.into(), true)? })
    }

    pub(crate) fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let accept = |listener: &net::TcpListener| listener.accept();
        let (socket, peer) = ready!(self.source.poll_io(cx, Direction::Read, accept))?;
        socket.set_nonblocking(true)?;
        let source = Source::new(Arc::clone(self.source.shared()), socket, true)?;
        Poll::Ready(Ok((TcpStream { source }, peer)))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.socket().local_addr()
    }
}

pub(crate) struct UdpSocket {
    source: Source<net::UdpSocket>,
}

impl UdpSocket {
    /// Does not wait; the signature is that of other platforms.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
        let shared = current()?;
        let socket = open(address, Type::DGRAM, Protocol::UDP)?;
        socket.bind(&address.into())?;
        Ok(UdpSocket { source: Source::<net::UdpSocket>::new(shared, socket.into(), true)? })
    }

    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<()> {
        self.source.socket().connect(address)
    }

    /// Without `to`, sends to the peer that it is connected with.
    pub(crate) async fn send(&self, data: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        let send = |socket: &net::UdpSocket| match to {
            Some(to) => socket.send_to(data, to),
            None => socket.send(data),
        };
        poll_fn(|cx| self.source.poll_io(cx, Direction::Write, send)).await.map_err(named)
    }

    /// What does not fit into `buffer` is lost.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let received =
            ready!(self.source.poll_io(cx, Direction::Read, |socket| socket.recv_from(buffer)));
        Poll::Ready(received.map_err(named))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.socket().local_addr()
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.socket().peer_addr()
    }
}

/// Gives a kind to errors that std has none for.
fn named(error: io::Error) -> io::Error {
    #[cfg(unix)]
    let kind = match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::MSGSIZE) => io::ErrorKind::InvalidInput,
        Some(rustix::io::Errno::DESTADDRREQ) => io::ErrorKind::NotConnected,
        _ => return error,
    };
    #[cfg(not(unix))]
    let kind = match error.raw_os_error() {
        // WSAEMSGSIZE
        Some(10_040) => io::ErrorKind::InvalidInput,
        _ => return error,
    };
    io::Error::new(kind, error)
}
