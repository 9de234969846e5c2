//! TCP.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use wasip2::clocks::monotonic_clock::subscribe_instant;
use wasip2::io::poll::poll;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

use super::{Gate, ready};
use crate::driver::wasi_p2::{Source, spend};
use crate::single::Single;
use crate::sys::wasi::net::{BACKLOG, error_of, family, no_nodelay, of_wasi, to_wasi};

/// At least so much is asked for, so that who reads a few bytes at a time does not leave the guest for each few.
const READ_AHEAD: usize = 4096;
/// At most so much is asked for, as the host makes room for it.
const READ_MOST: usize = 64 * 1024;

/// How long a peer may take for what a connection that nobody uses any more has still to write.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the end of a runtime waits, in all, for peers that have not taken what was written.
const GRACE: Duration = Duration::from_secs(5);

/// Dropping it closes the connection.
pub(crate) struct TcpStream {
    // The gates have pollables of the handles.
    read_gate: Gate,
    write_gate: Gate,
    /// There until it is dropped.
    handles: Option<Handles>,
    state: Single<State>,
    /// Whether waiting is a reason for the program to go on.
    counts: bool,
}

/// The streams stand before their socket.
struct Handles {
    input: InputStream,
    output: OutputStream,
    socket: TcpSocket,
}

#[derive(Default)]
struct State {
    /// What was read and not asked for yet, and how much of it was given away.
    ahead: RefCell<(Vec<u8>, usize)>,
    /// The host may still be writing what it was given.
    dirty: Cell<bool>,
    /// The host was asked to flush, and is not done.
    flushing: Cell<bool>,
    write_closed: Cell<bool>,
}

impl TcpStream {
    fn new(
        (socket, input, output): (TcpSocket, InputStream, OutputStream),
        counts: bool,
    ) -> TcpStream {
        TcpStream {
            read_gate: Gate::new(),
            write_gate: Gate::new(),
            handles: Some(Handles { input, output, socket }),
            state: Single::default(),
            counts,
        }
    }

    pub(crate) async fn connect(address: SocketAddr, counts: bool) -> io::Result<TcpStream> {
        let socket = create_tcp_socket(family(address)).map_err(error_of)?;
        socket.start_connect(&instance_network(), to_wasi(address)).map_err(error_of)?;
        // Made after the socket, and so dropped before it.
        let mut source = None;
        let (input, output) = loop {
            spend(1);
            match socket.finish_connect() {
                Ok(streams) => break streams,
                Err(ErrorCode::WouldBlock) => {
                    let source = source.get_or_insert_with(|| Source::new(socket.subscribe()));
                    ready(source, counts).await;
                }
                Err(code) => return Err(error_of(code)),
            }
        };
        drop(source);
        Ok(TcpStream::new((socket, input, output), counts))
    }

    fn handles(&self) -> io::Result<&Handles> {
        self.handles.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let given = self.give(buffer);
        if given > 0 {
            return Poll::Ready(Ok(given));
        }
        let input = &self.handles()?.input;
        let attempt = || self.try_read(input, buffer).transpose();
        let polled = self.read_gate.poll(cx, self.counts, || input.subscribe(), attempt);
        // The host gave less than it was asked for, so it has no more at present.
        if let Poll::Ready(Ok((_, true))) = polled {
            self.read_gate.block();
        }
        polled.map_ok(|(count, _)| count)
    }

    /// Gives what was read ahead.
    fn give(&self, buffer: &mut [u8]) -> usize {
        let mut ahead = self.state.ahead.borrow_mut();
        let (bytes, given) = &mut *ahead;
        let count = buffer.len().min(bytes.len() - *given);
        buffer[..count].copy_from_slice(&bytes[*given..*given + count]);
        *given += count;
        if *given == bytes.len() {
            // The host makes a new one for each read.
            *ahead = (Vec::new(), 0);
        }
        count
    }

    /// `None` when nothing is there yet. Also says whether there was less than was asked for.
    fn try_read(
        &self,
        input: &InputStream,
        buffer: &mut [u8],
    ) -> io::Result<Option<(usize, bool)>> {
        spend(1);
        let most = buffer.len().clamp(READ_AHEAD, READ_MOST);
        let bytes = match input.read(most as u64) {
            Ok(bytes) if bytes.is_empty() => return Ok(None),
            Ok(bytes) => bytes,
            Err(StreamError::Closed) => return Ok(Some((0, false))),
            Err(error) => return Err(stream_error(&error)),
        };
        let is_short = bytes.len() < most;
        self.state.ahead.replace((bytes, 0));
        Ok(Some((self.give(buffer), is_short)))
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(data)])
    }

    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let output = &self.handles()?.output;
        let attempt = || self.try_write(output, data).transpose();
        self.write_gate.poll(cx, self.counts, || output.subscribe(), attempt)
    }

    /// `None` when there is no room.
    fn try_write(&self, output: &OutputStream, data: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        if self.state.write_closed.get() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        spend(3);
        let room = output.check_write().map_err(|error| stream_error(&error))?;
        if room == 0 {
            return Ok(None);
        }
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let mut joined = Vec::new();
        let data = match data {
            [part] => &part[..part.len().min(room)],
            // A call of the host costs more than a copy.
            parts => {
                for part in parts {
                    joined.extend_from_slice(&part[..part.len().min(room - joined.len())]);
                }
                &joined
            }
        };
        output.write(data).map_err(|error| stream_error(&error))?;
        self.state.dirty.set(true);
        self.state.flushing.set(false);
        Ok(Some(data.len()))
    }

    /// Waits until the host has given everything to the system.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let output = &self.handles()?.output;
        let attempt = || self.try_flush(output).transpose();
        self.write_gate.poll(cx, self.counts, || output.subscribe(), attempt)
    }

    /// `None` when it goes on.
    fn try_flush(&self, output: &OutputStream) -> io::Result<Option<()>> {
        let State { dirty, flushing, write_closed, .. } = &*self.state;
        if !dirty.get() {
            return Ok(Some(()));
        }
        spend(2);
        let flushed = match flushing.replace(true) {
            true => Ok(()),
            false => output.flush(),
        };
        match flushed.and_then(|()| output.check_write()) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            // The end that was asked for, after all that was written.
            Err(StreamError::Closed) if write_closed.get() => {}
            Err(error) => return Err(stream_error(&error)),
        }
        dirty.set(false);
        flushing.set(false);
        Ok(Some(()))
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let handles = self.handles()?;
        let how = match how {
            Shutdown::Read => ShutdownType::Receive,
            Shutdown::Write => ShutdownType::Send,
            Shutdown::Both => ShutdownType::Both,
        };
        if how != ShutdownType::Send {
            *self.state.ahead.borrow_mut() = (Vec::new(), 0);
        }
        let result = match handles.socket.shutdown(how) {
            // Closed is closed, even when the peer was faster.
            Ok(()) | Err(ErrorCode::InvalidState) => Ok(()),
            Err(code) => Err(error_of(code)),
        };
        if how != ShutdownType::Receive && result.is_ok() {
            self.state.write_closed.set(true);
            self.write_gate.retry();
        }
        if how != ShutdownType::Send {
            self.read_gate.retry();
        }
        result
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.handles()?.socket.local_address().map(of_wasi).map_err(error_of)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.handles()?.socket.remote_address().map(of_wasi).map_err(error_of)
    }

    pub(crate) fn set_nodelay(&self, _: bool) -> io::Result<()> {
        no_nodelay()
    }

    pub(crate) fn nodelay(&self) -> io::Result<bool> {
        no_nodelay()
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        self.read_gate.close();
        self.write_gate.close();
        let Some(Handles { input, output, socket }) = self.handles.take() else { return };
        drop(input);
        // Else the host could not tell what is being written from what its own buffers have no room for.
        let _ = socket.shutdown(ShutdownType::Send);
        // One value, whose parts are dropped in their order.
        let rest = Rest { output, socket };
        // To let go of a stream that is being written, the host makes the whole guest wait until the peer has taken all;
        // and the peer may be in this guest.
        if self.state.dirty.get() && rest.is_being_written() {
            Lingering(Some(rest)).leave();
        }
    }
}

/// What is left of a connection that nobody uses any more. The stream stands before its socket.
struct Rest {
    output: OutputStream,
    #[expect(dead_code, reason = "kept until the stream is gone")]
    socket: TcpSocket,
}

impl Rest {
    fn is_being_written(&self) -> bool {
        spend(1);
        matches!(self.output.check_write(), Ok(0))
    }
}

/// A connection whose peer shall have all that was written.
struct Lingering(Option<Rest>);

impl Lingering {
    /// Lets a task of its own wait.
    fn leave(self) {
        // Without a runtime its drop waits for a while.
        let _ = crate::rt::try_with(|inner| drop(inner.executor.spawn(self.written())));
    }

    async fn written(mut self) {
        if let Some(rest) = &self.0 {
            let mut source = Source::new(rest.output.subscribe());
            let written = async {
                while rest.is_being_written() {
                    source.ready().await;
                }
            };
            if crate::time::timeout(PATIENCE, written).await.is_err() {
                drop(source);
                // The host would go on waiting; it closes them when the instance ends.
                return std::mem::forget(self.0.take());
            }
        }
        // Dropped here, where the host has nothing to wait for.
        self.0 = None;
    }
}

thread_local! {
    /// Until when the end of a runtime waits, in ns of the monotonic clock.
    static GRACE_ENDS: Cell<Option<u64>> = const { Cell::new(None) };
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(rest) = self.0.take() else { return };
        let now = crate::time::now_ns();
        let grace = GRACE.as_nanos() as u64;
        // All that are dropped together share one.
        let ends = GRACE_ENDS.get().filter(|ends| now < ends + grace).unwrap_or(now + grace);
        GRACE_ENDS.set(Some(ends));
        while rest.is_being_written() {
            if crate::time::now_ns() >= ends {
                // The host would go on waiting; it closes them when the instance ends.
                return std::mem::forget(rest);
            }
            poll(&[&rest.output.subscribe(), &subscribe_instant(ends)]);
        }
    }
}

fn stream_error(error: &StreamError) -> io::Error {
    let StreamError::LastOperationFailed(error) = error else {
        return io::ErrorKind::BrokenPipe.into();
    };
    // WASI 0.2 gives a text only, which names the code in the spelling of the host.
    let text = error.to_debug_string();
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let said = letters(&text).to_ascii_lowercase();
    let kinds = [
        ("connectionreset", io::ErrorKind::ConnectionReset),
        ("econnreset", io::ErrorKind::ConnectionReset),
        ("connectionaborted", io::ErrorKind::ConnectionAborted),
        ("connectionbroken", io::ErrorKind::BrokenPipe),
        ("brokenpipe", io::ErrorKind::BrokenPipe),
        ("epipe", io::ErrorKind::BrokenPipe),
        ("connectionrefused", io::ErrorKind::ConnectionRefused),
        ("remoteunreachable", io::ErrorKind::HostUnreachable),
        ("timeout", io::ErrorKind::TimedOut),
        ("timedout", io::ErrorKind::TimedOut),
    ];
    let kind = kinds.iter().find(|(name, _)| said.contains(name)).map(|(_, kind)| *kind);
    io::Error::new(kind.unwrap_or(io::ErrorKind::Other), text)
}

pub(crate) struct TcpListener {
    gate: Gate,
    socket: TcpSocket,
}

impl TcpListener {
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        let socket = create_tcp_socket(family(address)).map_err(error_of)?;
        let mut source = None;
        socket.start_bind(&instance_network(), to_wasi(address)).map_err(error_of)?;
        finish(&socket, &mut source, TcpSocket::finish_bind).await?;
        // A hint that hosts may not take.
        let _ = socket.set_listen_backlog_size(BACKLOG);
        socket.start_listen().map_err(error_of)?;
        finish(&socket, &mut source, TcpSocket::finish_listen).await?;
        drop(source);
        Ok(TcpListener { gate: Gate::new(), socket })
    }

    pub(crate) fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let attempt = || {
            spend(1);
            match self.socket.accept() {
                Err(ErrorCode::WouldBlock) => None,
                result => Some(result.map_err(error_of)),
            }
        };
        let subscribe = || self.socket.subscribe();
        let accepted = ready!(self.gate.poll(cx, true, subscribe, attempt))?;
        let stream = TcpStream::new(accepted, true);
        // The peer may have broken off meanwhile.
        let peer = stream.peer_addr().map_err(|_| io::ErrorKind::ConnectionAborted)?;
        Poll::Ready(Ok((stream, peer)))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_address().map(of_wasi).map_err(error_of)
    }
}

/// Waits for the second half of an operation.
async fn finish(
    socket: &TcpSocket,
    source: &mut Option<Source>,
    second: fn(&TcpSocket) -> Result<(), ErrorCode>,
) -> io::Result<()> {
    loop {
        match second(socket) {
            Ok(()) => return Ok(()),
            Err(ErrorCode::WouldBlock) => {
                source.get_or_insert_with(|| Source::new(socket.subscribe())).ready().await;
            }
            Err(code) => return Err(error_of(code)),
        }
    }
}
