//! TCP on the driver's sockets.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use socket2::{Domain, Protocol, Socket, Type};

#[cfg(test)]
mod tests;

use crate::driver::native::blocking::blocking;
use crate::driver::native::source::{Direction, Source};
use crate::driver::native::{Shared, current};
use crate::time::{Sleep, sleep};

/// How long one address is tried before the next one is tried beside it: the
/// "connection attempt delay" that RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// The addresses of `host`, looked up by the system on the blocking pool. Never
/// empty.
///
/// # Errors
/// What the system's resolver says.
pub(crate) async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let target = (host.to_owned(), port);
    let found = blocking(move || target.to_socket_addrs().map(Vec::from_iter)).await??;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(found)
}

/// A TCP connection on the current runtime's driver. Dropping it closes it.
pub(crate) struct TcpStream {
    source: Source,
}

impl TcpStream {
    /// Connects to the first of `addresses` that answers. They are tried in order,
    /// families in turn; each gets a head start before the next one is tried beside
    /// it. `counts` says whether waiting on the connection counts as an outstanding
    /// operation of the program. Dropping the future closes all attempts.
    ///
    /// # Errors
    /// The error of the first address that failed, when all have.
    pub(crate) async fn connect(addresses: &[SocketAddr], counts: bool) -> io::Result<TcpStream> {
        type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;
        let shared = current()?;
        let mut waiting = families_in_turn(addresses).into_iter();
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut head_start: Option<Sleep> = None;
        let mut first_error = None;
        poll_fn(|cx| {
            loop {
                let mut index = 0;
                while let Some(attempt) = attempts.get_mut(index) {
                    match attempt.as_mut().poll(cx) {
                        Poll::Pending => index += 1,
                        Poll::Ready(Ok(stream)) => return Poll::Ready(Ok(stream)),
                        Poll::Ready(Err(error)) => {
                            drop(attempts.remove(index));
                            first_error.get_or_insert(error);
                            head_start = None;
                        }
                    }
                }
                if let Some(sleep) = &mut head_start
                    && Pin::new(sleep).poll(cx).is_pending()
                {
                    return Poll::Pending;
                }
                head_start = None;
                let Some(address) = waiting.next() else {
                    return match (attempts.is_empty(), first_error.take()) {
                        (true, Some(error)) => Poll::Ready(Err(error)),
                        (true, None) => Poll::Ready(Err(io::Error::new(
                            io::ErrorKind::InvalidInput,
                            "no address to connect to",
                        ))),
                        (false, error) => {
                            first_error = error;
                            Poll::Pending
                        }
                    };
                };
                attempts.push(Box::pin(connect_one(Arc::clone(&shared), address, counts)));
                if waiting.len() > 0 {
                    head_start = Some(sleep(HEAD_START));
                }
            }
        })
        .await
    }

    /// Sends small packets at once instead of collecting them (`TCP_NODELAY`).
    pub(crate) fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.source.socket().set_nodelay(on)
    }
}

/// `addresses` in order, but with IPv4 and IPv6 taking turns, so that a broken
/// family costs one head start and not one per address.
fn families_in_turn(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.iter().partition(|address| address.is_ipv4() == first_is_v4);
    let mut second = second.into_iter();
    let mut result = Vec::with_capacity(addresses.len());
    for address in first {
        result.push(address);
        result.extend(second.next());
    }
    result.extend(second);
    result
}

async fn connect_one(
    shared: Arc<Shared>,
    address: SocketAddr,
    counts: bool,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(error) if !is_under_way(&error) => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let source = Source::new(shared, socket.into(), counts)?;
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

/// Whether connecting goes on in the background.
fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::INPROGRESS) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_io(cx, Direction::Read, |mut socket| socket.read(buffer))
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_io(cx, Direction::Write, |mut socket| socket.write(data))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_io(cx, Direction::Write, |mut socket| socket.write_vectored(data))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match self.source.socket().shutdown(Shutdown::Write) {
            // The peer was faster: closed is closed.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        })
    }
}
