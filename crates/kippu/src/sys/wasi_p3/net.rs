//! Sockets of WASI 0.3.
//!
//! What a socket does in one direction is a *pump*: a future that lives as long as the socket, and in which one operation of the host after the other is
//! awaited. Whoever wants the next one polls the pump. So an operation outlives the future that asked for it, nothing that it brings is lost
//! when that is dropped, and none needs memory of its own.

mod tcp;
mod udp;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use wasip3::sockets::ip_name_lookup::{ErrorCode, resolve_addresses};

pub(crate) use self::tcp::{TcpListener, TcpStream};
pub(crate) use self::udp::UdpSocket;
use crate::driver::wasi_p3::Op;
use crate::single::Single;
use crate::sys::wasi::net::ip;

/// The addresses that the host's resolver has.
pub(crate) async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found = Op::new(resolve_addresses(host.to_owned())).await.map_err(|code| match code {
        ErrorCode::AccessDenied => io::ErrorKind::PermissionDenied.into(),
        ErrorCode::InvalidArgument => io::ErrorKind::InvalidInput.into(),
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
        ErrorCode::Other(text) => io::Error::other(match text {
            Some(text) => format!("the host says: {text}"),
            None => "the host's resolver failed".to_owned(),
        }),
    })?;
    Ok(found.into_iter().map(|address| SocketAddr::new(ip(address), port)).collect())
}

/// What a socket does in one direction. See the module's text.
struct Pump(Single<RefCell<Option<Operations>>>);

type Operations = Pin<Box<dyn Future<Output = ()>>>;

impl Pump {
    fn new(future: impl Future<Output = ()> + 'static) -> Pump {
        Pump(Single(RefCell::new(Some(Box::pin(future)))))
    }

    /// Lets it go on as far as it can. `counts` says whether what it waits for then is a reason for the program to go on.
    fn turn(&self, cx: &mut Context<'_>, counts: bool) {
        let Some(mut future) = self.0.take() else { return };
        let once = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready()));
        let polled = match counts {
            true => pin!(Op::new(once)).poll(cx),
            false => pin!(Op::unref(once)).poll(cx),
        };
        if polled != Poll::Ready(true) {
            self.0.replace(Some(future));
        }
    }

    /// Ends what it does.
    fn stop(&self) {
        let future = self.0.take();
        drop(future);
    }
}

/// In a pump: waits until somebody wants the next operation.
async fn wanted(condition: impl Fn() -> bool) {
    poll_fn(|_| if condition() { Poll::Ready(()) } else { Poll::Pending }).await;
}
