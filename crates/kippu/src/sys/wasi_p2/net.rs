//! Sockets of WASI 0.2.
//!
//! Each operation is tried first, and only when it would block the socket's pollable is waited for: one for each direction, made the first
//! time. Pollables and streams are children of their socket, which the host does not let go before them, so they stand before
//! it in every struct.

mod tcp;
mod udp;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use wasip2::io::poll::Pollable;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::ErrorCode;

pub(crate) use self::tcp::{TcpListener, TcpStream};
pub(crate) use self::udp::UdpSocket;
use crate::driver::wasi_p2::{Source, spend};
use crate::single::Single;
use crate::sys::wasi::net::{Crowd, error_of, ip};

/// The addresses that the host's resolver has.
pub(crate) async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let network = instance_network();
    let names = resolve_addresses(&network, host).map_err(lookup_error)?;
    // Made after the stream, and so dropped before it.
    let mut source = None;
    let mut found = Vec::new();
    loop {
        spend(1);
        match names.resolve_next_address() {
            Ok(Some(address)) => found.push(SocketAddr::new(ip(address), port)),
            Ok(None) => return Ok(found),
            Err(ErrorCode::WouldBlock) => {
                source.get_or_insert_with(|| Source::new(names.subscribe())).ready().await;
            }
            Err(code) => return Err(lookup_error(code)),
        }
    }
}

fn lookup_error(code: ErrorCode) -> io::Error {
    match code {
        ErrorCode::NameUnresolvable => {
            io::Error::new(io::ErrorKind::NotFound, "the host's resolver does not know this name")
        }
        ErrorCode::TemporaryResolverFailure => {
            io::Error::new(io::ErrorKind::NotFound, "the host's resolver has no answer at present")
        }
        ErrorCode::PermanentResolverFailure => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the host's resolver does not answer (wasmtime needs `-S allow-ip-name-lookup`)",
        ),
        code => error_of(code),
    }
}

/// One direction of a socket, and who waits for it.
struct Gate {
    inner: Single<Inner>,
}

struct Inner {
    source: RefCell<Option<Source>>,
    /// Trying makes no sense until the host says that the source is ready.
    blocked: Cell<bool>,
    crowd: Crowd,
}

impl Gate {
    fn new() -> Gate {
        let inner =
            Inner { source: RefCell::new(None), blocked: Cell::new(false), crowd: Crowd::new() };
        Gate { inner: Single(inner) }
    }

    /// Calls `attempt` until it gives something. When it gives nothing it would block: then the task of `cx` waits for the pollable that
    /// `subscribe` makes. `counts` says whether that is a reason for the program to go on.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        counts: bool,
        subscribe: impl Fn() -> Pollable,
        mut attempt: impl FnMut() -> Option<T>,
    ) -> Poll<T> {
        let Inner { source, blocked, crowd } = &*self.inner;
        loop {
            if !blocked.get() {
                if let Some(done) = attempt() {
                    return Poll::Ready(done);
                }
                blocked.set(true);
            }
            let ready = {
                let mut source = source.borrow_mut();
                let source = source.get_or_insert_with(|| Source::new(subscribe()));
                let mut all = Context::from_waker(crowd.waker());
                match counts {
                    true => source.poll_ready(&mut all),
                    false => source.poll_ready_unref(&mut all),
                }
            };
            if ready.is_pending() {
                crowd.join(cx);
                return Poll::Pending;
            }
            blocked.set(false);
        }
    }

    /// Says that trying makes no sense before the host says that it is ready. It may be so already: a wait then ends at once.
    fn block(&self) {
        self.inner.blocked.set(true);
    }

    /// Lets all that wait try again.
    fn retry(&self) {
        self.inner.blocked.set(false);
        self.inner.crowd.wake();
    }

    /// Drops the pollable, so that what it was made of may be dropped. The next one that waits makes another.
    fn close(&self) {
        drop(self.inner.source.take());
        self.inner.blocked.set(false);
    }
}

/// Waits once.
async fn ready(source: &mut Source, counts: bool) {
    poll_fn(|cx| if counts { source.poll_ready(cx) } else { source.poll_ready_unref(cx) }).await;
}
