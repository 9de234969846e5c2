//! JavaScript hosts have no sockets that every one of them could open.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll};

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "a JavaScript host has no sockets: use kippu::http, or declare a #[kippu::host] function that opens one",
    ))
}

pub(crate) async fn lookup(_: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
    unsupported()
}

/// There is none.
pub(crate) struct TcpStream(Infallible);

impl TcpStream {
    pub(crate) async fn connect(_: SocketAddr, _: bool) -> io::Result<TcpStream> {
        unsupported()
    }

    pub(crate) fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub(crate) fn poll_write(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub(crate) fn poll_write_vectored(
        &self,
        _: &mut Context<'_>,
        _: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub(crate) fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    pub(crate) fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.0 {}
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self.0 {}
    }

    pub(crate) fn set_nodelay(&self, _: bool) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn nodelay(&self) -> io::Result<bool> {
        match self.0 {}
    }
}

/// There is none.
pub(crate) struct TcpListener(Infallible);

impl TcpListener {
    pub(crate) async fn bind(_: SocketAddr) -> io::Result<TcpListener> {
        unsupported()
    }

    pub(crate) fn poll_accept(
        &self,
        _: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        match self.0 {}
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.0 {}
    }
}

/// There is none.
pub(crate) struct UdpSocket(Infallible);

impl UdpSocket {
    pub(crate) async fn bind(_: SocketAddr) -> io::Result<UdpSocket> {
        unsupported()
    }

    pub(crate) fn connect(&self, _: SocketAddr) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) async fn send(&self, _: &[u8], _: Option<SocketAddr>) -> io::Result<usize> {
        match self.0 {}
    }

    pub(crate) fn poll_recv(
        &self,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        match self.0 {}
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.0 {}
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self.0 {}
    }
}
