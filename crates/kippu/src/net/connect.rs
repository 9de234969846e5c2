//! Connecting to the first of several addresses that answers.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::{TcpStream, destination, no_address};
use crate::sys;
use crate::time::{Sleep, sleep};

/// How long one address is tried before the next one is tried beside it: the
/// "connection attempt delay" that RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of `addresses` that answers. They are tried in order,
/// families in turn; each gets a head start before the next one is tried beside
/// it. `counts` says whether waiting on the connection counts as an outstanding
/// operation of the program. Dropping the future ends all attempts.
///
/// # Errors
/// The error of the first address that failed, when all have.
pub(crate) async fn connect(addresses: &[SocketAddr], counts: bool) -> io::Result<TcpStream> {
    type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;
    // Nothing to race with.
    if let [address] = addresses {
        return connect_one(*address, counts).await;
    }
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
                if !attempts.is_empty() {
                    return Poll::Pending;
                }
                return Poll::Ready(Err(first_error.take().unwrap_or_else(no_address)));
            };
            attempts.push(Box::pin(connect_one(address, counts)));
            if waiting.len() > 0 {
                head_start = Some(sleep(HEAD_START));
            }
        }
    })
    .await
}

async fn connect_one(address: SocketAddr, counts: bool) -> io::Result<TcpStream> {
    let inner = sys::net::TcpStream::connect(destination(address)?, counts).await?;
    Ok(TcpStream::new(inner))
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

#[cfg(all(test, kippu_native))]
mod tests;
