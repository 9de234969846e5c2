//! TCP, UDP and names: the same on an operating system and on WASI, for IPv4 and IPv6.
//!
//! ```no_run
//! use kippu::net::{TcpListener, TcpStream};
//!
//! #[kippu::main]
//! async fn main() -> std::io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     kippu::task::spawn(async move {
//!         while let Ok((stream, _peer)) = listener.accept().await {
//!             kippu::task::spawn(async move {
//!                 let mut buffer = [0; 1024];
//!                 while let Ok(count @ 1..) = stream.read(&mut buffer).await {
//!                     if stream.write_all(&buffer[..count]).await.is_err() {
//!                         break;
//!                     }
//!                 }
//!             });
//!         }
//!     });
//!
//!     let stream = TcpStream::connect(address).await?;
//!     stream.write_all(b"hello").await?;
//!     let mut answer = [0; 5];
//!     stream.read_exact(&mut answer).await?;
//!     assert_eq!(&answer, b"hello");
//!     Ok(())
//! }
//! ```
//!
//! # Sharing
//!
//! Every function takes `&self`, so one task may read while another writes, with the stream in an `Arc`. Several tasks may also wait for
//! the same thing: each event wakes all of them, and who comes first gets the data or the connection.
//!
//! # Cancellation
//!
//! Dropping a future loses nothing: what a dropped read would have got, the next one gets; a connection that a dropped accept would
//! have got, the next one gets; a connection that was being made is given up. A dropped [`write_all`](TcpStream::write_all) has
//! written some first part of its data, as with an operating system.
//!
//! # Hosts
//!
//! | | operating system | WASI 0.2 and 0.3 | JavaScript |
//! |---|---|---|---|
//! | TCP, UDP, names | yes | when the host allows them: `wasmtime run -S inherit-network -S allow-ip-name-lookup` | `Unsupported` |
//! | [`set_nodelay`](TcpStream::set_nodelay) | yes | `Unsupported`: WASI has no such option | |
//!
//! JavaScript hosts have no sockets that a page could open: use `kippu::http` there, or a host function of your own.
//!
//! The following holds on every host, whatever its system does by itself:
//! - A socket of IPv6 is for IPv6 only: `[::]:80` does not take IPv4's connections; bind `0.0.0.0:80` beside it.
//! - A listener takes a port whose last connections are still being closed.
//! - Connecting or sending to `0.0.0.0` or `::` means this machine: `127.0.0.1` or `::1`. To port 0 it is `InvalidInput`.
//!
//! # Errors
//!
//! They are `std::io::Error`, and what counts is the kind:
//!
//! | kind | when |
//! |---|---|
//! | `ConnectionRefused` | nobody listens there |
//! | `AddrInUse`, `AddrNotAvailable` | binding: the port is taken, the address is not this machine's |
//! | `TimedOut`, `HostUnreachable`, `NetworkUnreachable` | nobody answers, there is no way there |
//! | `ConnectionReset`, `ConnectionAborted`, `BrokenPipe` | the peer ended the connection in the middle; a peer on WASI that drops one with data unread makes reads end first |
//! | `NotConnected` | this socket has no peer |
//! | `NotFound` | the resolver does not know the name, or cannot be reached |
//! | `InvalidInput` | an address that cannot be, or a datagram that is too large |
//! | `PermissionDenied` | the system or the host does not allow it |
//! | `Unsupported` | the host cannot do it |

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

mod addrs;
mod connect;
mod tcp;
mod udp;

pub use std::net::Shutdown;

pub use addrs::ToAddrs;
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;

#[cfg(all(kippu_native, feature = "http"))]
pub(crate) use connect::connect;

/// The addresses of `host`, each with `port`: never none, and in the order in which the host's resolver would have them tried.
///
/// `host` may be a name or an IP address, with a scope where there is one (`fe80::1%2`). Addresses are not asked for anywhere.
///
/// # Errors
/// `NotFound` when the resolver does not know the name or cannot be reached; `InvalidInput` when it cannot be a name; `Unsupported`
/// on JavaScript hosts.
///
/// # Cancellation
/// Dropping the future forgets the answer; the host may go on asking.
///
/// ```
/// # kippu::block_on(async {
/// let addresses = kippu::net::lookup("::1", 80).await?;
/// assert_eq!(addresses, ["[::1]:80".parse().unwrap()]);
/// # std::io::Result::Ok(())
/// # }).unwrap().unwrap();
/// ```
pub async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Some(address) = addrs::numeric(host, port) {
        return Ok(vec![address]);
    }
    if host.is_empty() || host.contains('\0') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{host:?} is not the name of a host"),
        ));
    }
    resolve(host, port).await.map_err(|error| about(error, format_args!("cannot look up {host}")))
}

/// What the host's resolver has on a name: never nothing.
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let mut found = crate::sys::net::lookup(host, port).await?;
    // A resolver may give an address once for each kind of socket.
    let mut index = 0;
    while let Some(address) = found.get(index) {
        if found[..index].contains(address) {
            found.remove(index);
        } else {
            index += 1;
        }
    }
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(found)
}

/// The same error, with what was being done before its text. Its kind stays.
fn about(error: io::Error, what: std::fmt::Arguments<'_>) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// Where to connect or send to when asked for `address`.
///
/// # Errors
/// `InvalidInput` for port 0.
fn destination(mut address: SocketAddr) -> io::Result<SocketAddr> {
    if address.port() == 0 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("nobody can be reached at port 0 ({address})"),
        ));
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    Ok(address)
}

/// Tries the addresses in turn and gives what the first one gave that worked, else the first error.
///
/// # Errors
/// `InvalidInput` when there is none.
async fn first_of<T>(
    addresses: &[SocketAddr],
    mut attempt: impl AsyncFnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut first_error = None;
    for address in addresses {
        match attempt(*address).await {
            Ok(value) => return Ok(value),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error.unwrap_or_else(no_address))
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "no address is given")
}
