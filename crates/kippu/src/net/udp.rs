//! Datagrams.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;

use super::{ToAddrs, about, destination, first_of, no_address};
use crate::sys;

/// The most that the payload of a datagram can have: 65,535 less the header of UDP. IPv4 has room for 20 bytes less.
const MOST: usize = 65_527;

/// A UDP socket: sends and receives datagrams, which may get lost, come twice, or in another order.
///
/// ```
/// use kippu::net::UdpSocket;
///
/// # kippu::block_on(async {
/// let server = UdpSocket::bind("127.0.0.1:0").await?;
/// let client = UdpSocket::bind("127.0.0.1:0").await?;
/// client.send_to(b"ping", server.local_addr()?).await?;
///
/// let mut buffer = [0; 1500];
/// let (count, from) = server.recv_from(&mut buffer).await?;
/// assert_eq!((&buffer[..count], from), (&b"ping"[..], client.local_addr()?));
/// # std::io::Result::Ok(())
/// # }).unwrap().unwrap();
/// ```
///
/// See the [module](super) for sharing and errors. That nobody listens at the other end may or may not be told, as
/// `ConnectionRefused`, by a later send or receive of a connected socket.
pub struct UdpSocket {
    inner: sys::net::UdpSocket,
    is_ipv4: bool,
}

impl UdpSocket {
    /// A socket at the first of the addresses that can be had. Port 0 means any free port: [`local_addr`](UdpSocket::local_addr) says which one.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`, `PermissionDenied` and others of the first address, when none can be had. And those of [`ToAddrs::to_addrs`].
    pub async fn bind(addresses: impl ToAddrs) -> io::Result<UdpSocket> {
        let addresses = addresses.to_addrs().await?;
        let inner = first_of(&addresses, async |address| {
            sys::net::UdpSocket::bind(address)
                .await
                .map_err(|error| about(error, format_args!("cannot bind {address}")))
        })
        .await?;
        let is_ipv4 = inner.local_addr()?.is_ipv4();
        Ok(UdpSocket { inner, is_ipv4 })
    }

    /// Makes the first of the addresses that can be had the peer: [`send`](UdpSocket::send) sends to it, and what others send is not received. May be called
    /// again, for another peer.
    ///
    /// # Errors
    /// `InvalidInput` for an address of the other family, and those of [`ToAddrs::to_addrs`].
    pub async fn connect(&self, addresses: impl ToAddrs) -> io::Result<()> {
        let addresses = addresses.to_addrs().await?;
        first_of(&addresses, async |address| self.inner.connect(self.reachable(address)?)).await
    }

    /// Sends a datagram to the peer, and gives its length. It may be empty.
    ///
    /// # Errors
    /// `NotConnected` without a peer; `InvalidInput` when it is larger than a datagram can be; and others.
    ///
    /// # Cancellation
    /// A future that is dropped while it waits for room has sent nothing, or, on WASI 0.3, maybe.
    pub async fn send(&self, data: &[u8]) -> io::Result<usize> {
        self.send_any(data, None).await
    }

    /// Sends a datagram to the first of `addresses` that is of this socket's family, and gives its length. It may be empty.
    ///
    /// # Errors
    /// `InvalidInput` when it is larger than a datagram can be or no address is of this socket's family; those of [`ToAddrs::to_addrs`]; and others. On
    /// a socket with a peer, some hosts send to no other address.
    ///
    /// # Cancellation
    /// As for [`send`](UdpSocket::send).
    pub async fn send_to(&self, data: &[u8], addresses: impl ToAddrs) -> io::Result<usize> {
        let addresses = addresses.to_addrs().await?;
        let first = addresses.first().copied().ok_or_else(no_address)?;
        let address = addresses.into_iter().find(|address| address.is_ipv4() == self.is_ipv4);
        let to = self.reachable(address.unwrap_or(first))?;
        self.send_any(data, Some(to)).await
    }

    /// Receives a datagram and gives its length: that of the part that fits into `buffer`. The rest is lost.
    ///
    /// # Errors
    /// What the system says; on Windows also that a datagram did not fit.
    ///
    /// # Cancellation
    /// Dropping the future loses no datagram.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.recv_from(buffer).await?.0)
    }

    /// The same, and who sent it.
    ///
    /// # Errors
    /// As for [`recv`](UdpSocket::recv).
    ///
    /// # Cancellation
    /// Dropping the future loses no datagram.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.inner.poll_recv(cx, buffer)).await
    }

    /// This socket's address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// The peer's address.
    ///
    /// # Errors
    /// `NotConnected` without one.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    async fn send_any(&self, data: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        if data.len() > MOST {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} bytes do not fit into a datagram", data.len()),
            ));
        }
        self.inner.send(data, to).await
    }

    /// Where to send to when asked for `address`.
    fn reachable(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        if self.is_ipv4 != address.is_ipv4() {
            let family = if self.is_ipv4 { "IPv4" } else { "IPv6" };
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{address} cannot be reached by this socket, which is one of {family}"),
            ));
        }
        destination(address)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket")
            .field("local", &self.local_addr().ok())
            .field("peer", &self.peer_addr().ok())
            .finish()
    }
}
