//! One connection, from its first request to its end.

use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use hyper::server::conn::http1;
use hyper::service::service_fn;

use super::Settings;
use super::connections::{Order, Seat};
use super::exchange::exchange;
use super::socket::Socket;
use crate::http::server::Handler;
use crate::net::TcpStream;
use crate::time::{Instant, sleep};

/// What a connection may buffer, in each direction: enough for large bodies to be fast. A larger head has more.
const BUFFER: usize = 64 * 1024;

/// What the client is doing, as far as its time is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The first request is awaited.
    New,
    /// A request has begun to come.
    Head,
    /// A request is here, and its response not yet.
    Exchange,
    /// The next request is awaited.
    Idle,
}

/// How far a connection is. Its parts note here what they see.
pub(super) struct Progress {
    phase: Cell<Phase>,
    since: Cell<Instant>,
    /// The client does not take what goes out.
    stalled: Cell<bool>,
    /// It is being ended although nothing is wrong, because there is no request.
    idle_end: Cell<bool>,
    /// It is closed, and what the client still sends is thrown away for a while, which has an end of its own.
    lingers: Cell<bool>,
}

impl Progress {
    fn new() -> Progress {
        let (phase, since) = (Cell::new(Phase::New), Cell::new(Instant::now()));
        let [stalled, idle_end, lingers] = std::array::from_fn(|_| Cell::new(false));
        Progress { phase, since, stalled, idle_end, lingers }
    }

    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(Instant::now());
    }

    /// Something came.
    pub(super) fn read(&self) {
        match self.phase.get() {
            // Its time began when the client connected.
            Phase::New => self.phase.set(Phase::Head),
            Phase::Idle => self.enter(Phase::Head),
            Phase::Head | Phase::Exchange => {}
        }
    }

    /// Something was written, or could not be. The end of a large response goes when its body is made already: only then the
    /// connection is idle.
    pub(super) fn wrote(&self, stalled: bool) {
        self.stalled.set(stalled);
        if self.phase.get() == Phase::Idle {
            self.since.set(Instant::now());
        }
    }

    /// A request is here.
    pub(super) fn begin(&self) {
        self.phase.set(Phase::Exchange);
    }

    /// Its response is complete.
    pub(super) fn end(&self) {
        self.enter(Phase::Idle);
    }

    /// Whether the connection ends because there was no request: nothing can be lost then.
    pub(super) fn is_idle_end(&self) -> bool {
        self.idle_end.get()
    }

    /// What the client still sends is thrown away from now on.
    pub(super) fn linger(&self) {
        self.lingers.set(true);
    }

    /// When the patience with the client ends.
    fn deadline(&self, settings: &Settings) -> Option<Instant> {
        if self.lingers.get() {
            return None;
        }
        let limit = match self.phase.get() {
            Phase::Exchange => return None,
            Phase::Idle if self.stalled.get() => return None,
            Phase::New | Phase::Head => settings.header_timeout,
            // It is about to be closed, which may take more than one turn.
            Phase::Idle if settings.keep_alive.is_zero() => settings.header_timeout,
            Phase::Idle => settings.keep_alive,
        };
        self.since.get().checked_add(limit)
    }
}

/// Serves one connection until it ends, in whatever way: that a client goes away is no error of the server.
pub(super) async fn run<H: Handler>(
    stream: TcpStream,
    peer: SocketAddr,
    handler: H,
    settings: Arc<Settings>,
    mut seat: Seat,
) {
    let progress = Rc::new(Progress::new());
    let socket = Socket::new(stream, Rc::clone(&progress));
    let own_socket = socket.clone();
    let service =
        service_fn(|request| exchange(handler.clone(), request, peer, Rc::clone(&progress)));
    let mut connection = pin!(builder(&settings).serve_connection(socket, service));
    let mut stopping = false;
    // The earliest time at which patience may end. It is moved only when it has come: most requests are faster.
    let mut timer = pin!(sleep(settings.header_timeout.min(settings.keep_alive)).unref());
    poll_fn(|cx| {
        let order = seat.poll_order(cx);
        if order == Order::End {
            return Poll::Ready(());
        }
        if order == Order::Stop && !stopping {
            stopping = true;
            progress.idle_end.set(matches!(progress.phase.get(), Phase::New | Phase::Idle));
            connection.as_mut().graceful_shutdown();
        }
        own_socket.hyper_is_polled();
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if progress.phase.get() == Phase::Exchange && own_socket.poll_gone(cx).is_ready() {
            return Poll::Ready(());
        }
        while let Some(deadline) = progress.deadline(&settings) {
            if deadline < timer.deadline() {
                timer.reset(deadline);
            }
            if timer.as_mut().poll(cx).is_pending() {
                break;
            }
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.reset(deadline);
        }
        Poll::Pending
    })
    .await;
}

fn builder(settings: &Settings) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .keep_alive(!settings.keep_alive.is_zero())
        .max_header_size(settings.max_header_size)
        .max_buf_size(settings.max_header_size.max(BUFFER))
        // Ours does not mistake an idle connection for a slow one.
        .header_read_timeout(None);
    builder
}
