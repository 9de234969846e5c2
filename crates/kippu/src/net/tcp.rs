//! Streams and who accepts them.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use super::connect::connect;
use super::{ToAddrs, about, first_of};
use crate::sys;

/// A TCP connection. Dropping it closes it.
///
/// It reads and writes by its own functions, and, as `TcpStream` and `&TcpStream`, by the traits of `futures-io`, which `futures-util`
/// and others build upon. See the [module](super) for sharing, cancellation and errors.
///
/// What is written goes to the operating system at once, or on WASI to the host's socket. There at most some 64 KiB may still wait
/// for a slow peer when a write is done, also after the stream is dropped; they are lost when the program ends first. So
/// [`flush`](TcpStream::flush) or [`close`](TcpStream::close) before the end.
pub struct TcpStream {
    inner: sys::net::TcpStream,
}

impl TcpStream {
    pub(super) fn new(inner: sys::net::TcpStream) -> TcpStream {
        TcpStream { inner }
    }

    /// Connects to the first of the addresses that answers. They are tried in turn, IPv6 and IPv4 alternating; each one has a head start of
    /// 250 ms before the next one is tried beside it.
    ///
    /// # Errors
    /// When none answers: the error of the first one that failed. And those of [`ToAddrs::to_addrs`].
    ///
    /// # Cancellation
    /// Dropping the future ends all attempts.
    pub async fn connect(addresses: impl ToAddrs) -> io::Result<TcpStream> {
        let addresses = addresses.to_addrs().await?;
        connect(&addresses, true).await
    }

    /// Reads what is there into `buffer`, waiting until there is something, and gives how many bytes these are: 0 at the end, when the peer will
    /// send no more, and for an empty buffer.
    ///
    /// # Errors
    /// `ConnectionReset` when the peer broke off, and others.
    ///
    /// # Cancellation
    /// Dropping the future loses no byte.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, buffer)).await
    }

    /// Fills `buffer`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the peer ends before, and those of [`read`](TcpStream::read).
    ///
    /// # Cancellation
    /// What was read until then is in the buffer, and lost with it.
    pub async fn read_exact(&self, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read(buffer).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => buffer = &mut buffer[count..],
            }
        }
        Ok(())
    }

    /// Writes a first part of `data`, as much as there is room for, waiting until there is some, and gives how many bytes these are.
    ///
    /// # Errors
    /// `BrokenPipe` after a [`shutdown`](TcpStream::shutdown) or when the peer reads no more, `ConnectionReset`, and others. That the
    /// peer has gone is noticed only when it says so: a first write may still succeed.
    ///
    /// # Cancellation
    /// A future that is dropped has written nothing.
    pub async fn write(&self, data: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_write(cx, data)).await
    }

    /// Writes all of `data`.
    ///
    /// # Errors
    /// Those of [`write`](TcpStream::write). Some first part of the data may have been written.
    ///
    /// # Cancellation
    /// Some first part of the data has been written.
    pub async fn write_all(&self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            match self.write(data).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => data = &data[count..],
            }
        }
        Ok(())
    }

    /// Waits until the system has taken all that was written. Natively it has already.
    ///
    /// # Errors
    /// Those of [`write`](TcpStream::write).
    ///
    /// # Cancellation
    /// Dropping the future ends the wait only.
    pub async fn flush(&self) -> io::Result<()> {
        poll_fn(|cx| self.inner.poll_flush(cx)).await
    }

    /// [`flush`](TcpStream::flush), then [`shutdown`](TcpStream::shutdown) of the write half: the peer has all and reads the end.
    /// Reading goes on.
    ///
    /// # Errors
    /// Those of [`write`](TcpStream::write).
    ///
    /// # Cancellation
    /// Dropping the future may leave the half open.
    pub async fn close(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_close(cx)).await
    }

    /// Closes one half of the connection, or both, at once.
    ///
    /// Without the write half, the peer reads the end, after all that was written, and writes here fail with `BrokenPipe`. Without the read half, reads here give
    /// the end. A half that is closed already stays closed.
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
    }

    /// This end's address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// The other end's address.
    ///
    /// # Errors
    /// `NotConnected` when the connection has ended.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    /// Whether small packets are sent at once instead of being collected while an earlier one is not acknowledged (`TCP_NODELAY`).
    ///
    /// # Errors
    /// `Unsupported` on WASI, which has no such option: packets are collected there unless the host does otherwise. Write a message in one
    /// piece, and ignore this error.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.inner.set_nodelay(on)
    }

    /// See [`set_nodelay`](TcpStream::set_nodelay).
    ///
    /// # Errors
    /// `Unsupported` on WASI.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.inner.nodelay()
    }

    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.inner.poll_read(cx, buffer)
    }

    fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.inner.poll_write(cx, data)
    }

    fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if data.iter().all(|part| part.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.inner.poll_write_vectored(cx, data)
    }

    fn poll_close(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(self.inner.poll_flush(cx));
        let closed = self.inner.shutdown(Shutdown::Write);
        Poll::Ready(match flushed {
            // It is closed already.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => closed,
            flushed => flushed.and(closed),
        })
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local", &self.local_addr().ok())
            .field("peer", &self.peer_addr().ok())
            .finish()
    }
}

/// The same for `TcpStream` and `&TcpStream`.
macro_rules! traits {
    ($($type:ty),*) => {$(
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                TcpStream::poll_read(&self, cx, buffer)
            }
        }

        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                TcpStream::poll_write(&self, cx, data)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                TcpStream::poll_write_vectored(&self, cx, data)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.inner.poll_flush(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                TcpStream::poll_close(&self, cx)
            }
        }
    )*};
}

traits!(TcpStream, &TcpStream);

/// Accepts TCP connections. Dropping it ends that; connections that were not accepted yet are reset.
///
/// See the [module](super) for sharing and errors.
pub struct TcpListener {
    inner: sys::net::TcpListener,
}

impl TcpListener {
    /// Listens at the first of the addresses that can be had. Port 0 means any free port:
    /// [`local_addr`](TcpListener::local_addr) says which one.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`, `PermissionDenied` and others of the first address, when none can be had. And those of [`ToAddrs::to_addrs`].
    ///
    /// # Cancellation
    /// Dropping the future leaves nothing behind.
    pub async fn bind(addresses: impl ToAddrs) -> io::Result<TcpListener> {
        let addresses = addresses.to_addrs().await?;
        let inner = first_of(&addresses, async |address| {
            sys::net::TcpListener::bind(address)
                .await
                .map_err(|error| about(error, format_args!("cannot listen at {address}")))
        })
        .await?;
        Ok(TcpListener { inner })
    }

    /// The next connection, and its peer's address.
    ///
    /// # Errors
    /// Some are about one connection only, such as `ConnectionAborted`, and others pass, such as too many open files: a server goes on
    /// accepting, after a moment.
    ///
    /// # Cancellation
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (inner, peer) = poll_fn(|cx| self.inner.poll_accept(cx)).await?;
        Ok((TcpStream { inner }, peer))
    }

    /// The address that it listens at.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener").field("local", &self.local_addr().ok()).finish()
    }
}
