//! What the sockets of WASI 0.2 and 0.3 have in common: addresses, errors, and who waits.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

#[cfg(kippu_p2)]
use wasip2::sockets::network as types;
#[cfg(kippu_p3)]
use wasip3::sockets::types;

use self::types::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4Address, Ipv4SocketAddress,
    Ipv6Address, Ipv6SocketAddress,
};
use crate::driver::waiters::{Waiter, Waiters};
use crate::single::Single;

/// How many connections may wait to be accepted. The host may hold fewer.
pub(crate) const BACKLOG: u64 = 1024;

pub(crate) fn family(address: SocketAddr) -> IpAddressFamily {
    match address {
        SocketAddr::V4(_) => IpAddressFamily::Ipv4,
        SocketAddr::V6(_) => IpAddressFamily::Ipv6,
    }
}

fn v4(address: Ipv4Address) -> Ipv4Addr {
    Ipv4Addr::new(address.0, address.1, address.2, address.3)
}

fn v6(address: Ipv6Address) -> Ipv6Addr {
    let (a, b, c, d, e, f, g, h) = address;
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

pub(crate) fn ip(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4(address) => IpAddr::V4(v4(address)),
        IpAddress::Ipv6(address) => IpAddr::V6(v6(address)),
    }
}

pub(crate) fn of_wasi(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }) => {
            SocketAddr::V4(SocketAddrV4::new(v4(address), port))
        }
        IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info, address, scope_id }) => {
            SocketAddr::V6(SocketAddrV6::new(v6(address), port, flow_info, scope_id))
        }
    }
}

pub(crate) fn to_wasi(address: SocketAddr) -> IpSocketAddress {
    match address {
        SocketAddr::V4(address) => {
            let [a, b, c, d] = address.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) })
        }
        SocketAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: address.port(),
                flow_info: address.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: address.scope_id(),
            })
        }
    }
}

/// The error that other hosts give for the same reason.
pub(crate) fn error_of(code: ErrorCode) -> io::Error {
    use io::ErrorKind;
    let kind = match code {
        ErrorCode::AccessDenied => {
            return io::Error::new(
                ErrorKind::PermissionDenied,
                "the host does not allow it (for wasmtime there is `-S inherit-network`)",
            );
        }
        ErrorCode::NotSupported => ErrorKind::Unsupported,
        ErrorCode::InvalidArgument | ErrorCode::DatagramTooLarge => ErrorKind::InvalidInput,
        ErrorCode::OutOfMemory => ErrorKind::OutOfMemory,
        ErrorCode::Timeout => ErrorKind::TimedOut,
        ErrorCode::InvalidState => ErrorKind::NotConnected,
        ErrorCode::AddressNotBindable => ErrorKind::AddrNotAvailable,
        ErrorCode::AddressInUse => ErrorKind::AddrInUse,
        ErrorCode::RemoteUnreachable => ErrorKind::HostUnreachable,
        ErrorCode::ConnectionRefused => ErrorKind::ConnectionRefused,
        ErrorCode::ConnectionReset => ErrorKind::ConnectionReset,
        ErrorCode::ConnectionAborted => ErrorKind::ConnectionAborted,
        #[cfg(kippu_p3)]
        ErrorCode::ConnectionBroken => ErrorKind::BrokenPipe,
        #[cfg(kippu_p2)]
        ErrorCode::WouldBlock => ErrorKind::WouldBlock,
        // What only name lookup gives is told there.
        other => return io::Error::other(format!("the host says: {other:?}")),
    };
    kind.into()
}

/// WASI has no such option.
pub(crate) fn no_nodelay<T>() -> io::Result<T> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "WASI has no TCP_NODELAY: write each message in one piece, and ignore this error",
    ))
}

/// What several tasks wait for together: one waker for the host's side, which wakes them all.
pub(crate) struct Crowd {
    members: Arc<Members>,
    /// Rings `members`. Kept, so that waiting makes none.
    waker: Waker,
}

#[derive(Default)]
struct Members {
    waiting: Single<RefCell<Waiters>>,
    /// Kept from one wake to the next, so that waking allocates nothing.
    woken: Single<Cell<Vec<Waiter>>>,
}

impl Crowd {
    pub(crate) fn new() -> Crowd {
        let members = Arc::<Members>::default();
        Crowd { waker: Waker::from(Arc::clone(&members)), members }
    }

    /// The waker of all.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Lets the task of `cx` be woken with the others, the next time.
    pub(crate) fn join(&self, cx: &Context<'_>) {
        let displaced = self.members.waiting.borrow_mut().add(cx.waker(), ());
        displaced.settle();
    }

    /// Wakes all.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }
}

impl Wake for Members {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A waker may run any code, so nothing is borrowed while they are rung.
        let mut woken = self.woken.take();
        woken.extend(self.waiting.borrow_mut().drain());
        woken.drain(..).for_each(Waiter::wake);
        self.woken.set(woken);
    }
}
