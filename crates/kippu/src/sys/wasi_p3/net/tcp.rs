//! TCP.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use wasip3::sockets::types::{ErrorCode, TcpSocket};
use wasip3::wit_stream;
use wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};

use super::{Pump, wanted};
use crate::driver::wasi_p3::Op;
use crate::single::Single;
use crate::sys::wasi::net::{BACKLOG, Crowd, error_of, family, no_nodelay, of_wasi, to_wasi};

/// The first buffer of a connection. It grows while it is filled.
const READ_FIRST: usize = 4 * 1024;
const READ_MOST: usize = 64 * 1024;
/// The most that is written at once.
const WRITE_MOST: usize = 64 * 1024;

/// How a stream ended.
type Ending = FutureReader<Result<(), ErrorCode>>;

/// Dropping it closes the connection, after what was written.
pub(crate) struct TcpStream {
    read: Single<Read>,
    write: Single<Rc<Write>>,
    /// Whether waiting is a reason for the program to go on.
    counts: bool,
    socket: TcpSocket,
}

struct Read {
    pump: Pump,
    state: Rc<ReadState>,
    crowd: Crowd,
}

#[derive(Default)]
struct ReadState {
    /// Somebody wants to read.
    wanted: Cell<bool>,
    /// What was read and not asked for yet, and how much of it was given away.
    ahead: RefCell<(Vec<u8>, usize)>,
    ended: Cell<bool>,
    /// Why it ended, until somebody was told.
    error: Cell<Option<ErrorCode>>,
}

/// Reads when somebody wants to, and there is nothing ahead.
async fn read(mut stream: StreamReader<u8>, ending: Ending, state: Rc<ReadState>) {
    loop {
        wanted(|| state.wanted.get()).await;
        let (mut buffer, _) = state.ahead.take();
        // One that was filled was too small.
        let room = match buffer.len() == buffer.capacity() {
            true => (2 * buffer.capacity()).clamp(READ_FIRST, READ_MOST),
            false => buffer.capacity(),
        };
        buffer.clear();
        buffer.reserve_exact(room);
        let (status, buffer) = stream.read(buffer).await;
        let is_some = !buffer.is_empty();
        state.ahead.replace((buffer, 0));
        if is_some {
            state.wanted.set(false);
        } else if status == StreamResult::Dropped {
            break;
        }
    }
    drop(stream);
    state.error.set(ending.await.err());
    state.ended.set(true);
}

impl Read {
    fn poll(
        &self,
        cx: &mut Context<'_>,
        counts: bool,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            {
                let mut ahead = self.state.ahead.borrow_mut();
                let (bytes, given) = &mut *ahead;
                let rest = &bytes[*given..];
                // Nothing of what is being read is here.
                if !rest.is_empty() {
                    let count = rest.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&rest[..count]);
                    *given += count;
                    return Poll::Ready(Ok(count));
                }
            }
            if self.state.ended.get() {
                return Poll::Ready(match self.state.error.take() {
                    Some(code) => Err(error_of(code)),
                    None => Ok(0),
                });
            }
            self.state.wanted.set(true);
            self.pump.turn(&mut Context::from_waker(self.crowd.waker()), counts);
            if self.state.wanted.get() && !self.state.ended.get() {
                self.crowd.join(cx);
                return Poll::Pending;
            }
        }
    }

    /// Reads no more.
    fn close(&self) {
        self.pump.stop();
        self.state.ahead.take();
        self.state.ended.set(true);
        self.crowd.wake();
    }
}

/// The writing half, which a task of its own keeps while the peer is slow.
struct Write {
    pump: Pump,
    state: Rc<WriteState>,
    crowd: Crowd,
}

#[derive(Default)]
struct WriteState {
    /// What is written while `busy`. Kept, so that writing allocates nothing.
    buffer: Cell<Vec<u8>>,
    busy: Cell<bool>,
    /// A task of its own sees to the rest.
    attended: Cell<bool>,
    /// Nobody will write any more.
    closing: Cell<bool>,
    ended: Cell<bool>,
    /// Why it ended, until somebody was told.
    error: Cell<Option<ErrorCode>>,
}

/// Writes what is in the buffer, until nobody will write any more.
async fn write(mut stream: StreamWriter<u8>, ending: Ending, state: Rc<WriteState>) {
    loop {
        wanted(|| state.busy.get() || state.closing.get()).await;
        if !state.busy.get() {
            break;
        }
        // It gives back what it could not write, when the peer has gone.
        let mut buffer = stream.write_all(state.buffer.take()).await;
        if !buffer.is_empty() {
            break;
        }
        buffer.clear();
        state.buffer.set(buffer);
        state.busy.set(false);
    }
    drop(stream);
    state.error.set(ending.await.err());
    state.ended.set(true);
    state.busy.set(false);
}

impl Write {
    /// Is the host still to be given something, or to say how it went?
    fn is_under_way(&self) -> bool {
        let state = &self.state;
        !state.ended.get() && (state.busy.get() || state.closing.get())
    }

    /// Lets it go on, and what is left to a task of its own.
    fn go_on(self: &Rc<Self>, counts: bool) {
        // Whose waker must stay the one that is rung.
        if self.state.attended.get() {
            return;
        }
        self.pump.turn(&mut Context::from_waker(self.crowd.waker()), counts);
        if self.is_under_way() {
            let attendant = Attendant(self.clone());
            let attend = async move {
                let Attendant(write) = &attendant;
                poll_fn(|cx| {
                    write.pump.turn(cx, true);
                    if write.is_under_way() { Poll::Pending } else { Poll::Ready(()) }
                })
                .await;
            };
            let spawned = crate::rt::try_with(|inner| drop(inner.executor.spawn(attend)));
            // Else whoever waits for it sees to it.
            self.state.attended.set(spawned.is_some());
        }
    }

    /// Waits while something is under way.
    fn poll_idle(self: &Rc<Self>, cx: &mut Context<'_>, counts: bool) -> Poll<()> {
        if self.is_under_way() {
            self.go_on(counts);
        }
        if !self.is_under_way() {
            return Poll::Ready(());
        }
        self.crowd.join(cx);
        Poll::Pending
    }

    fn ended(&self) -> io::Result<()> {
        match self.state.error.take() {
            Some(code) => Err(error_of(code)),
            None => Ok(()),
        }
    }

    fn poll_write(
        self: &Rc<Self>,
        cx: &mut Context<'_>,
        counts: bool,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let state = &self.state;
        if !state.closing.get() {
            ready!(self.poll_idle(cx, counts));
        }
        self.ended()?;
        if state.ended.get() || state.closing.get() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut buffer = state.buffer.take();
        for part in data {
            buffer.extend_from_slice(&part[..part.len().min(WRITE_MOST - buffer.len())]);
        }
        let count = buffer.len();
        state.buffer.set(buffer);
        state.busy.set(true);
        self.go_on(counts);
        // The peer had gone before.
        self.ended()?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: &Rc<Self>, cx: &mut Context<'_>, counts: bool) -> Poll<io::Result<()>> {
        ready!(self.poll_idle(cx, counts));
        Poll::Ready(self.ended())
    }

    /// Writes no more than what it was given.
    fn close(self: &Rc<Self>, counts: bool) {
        if !self.state.closing.replace(true) {
            self.go_on(counts);
            self.crowd.wake();
        }
    }
}

/// Is dropped when its task ends, or is ended.
struct Attendant(Rc<Write>);

impl Drop for Attendant {
    fn drop(&mut self) {
        self.0.state.attended.set(false);
        self.0.crowd.wake();
    }
}

impl TcpStream {
    fn new(socket: TcpSocket, counts: bool) -> TcpStream {
        let (input, input_ending) = socket.receive();
        let state = Rc::<ReadState>::default();
        let pump = Pump::new(read(input, input_ending, state.clone()));
        let read = Read { pump, state, crowd: Crowd::new() };

        let (output, data) = wit_stream::new();
        let output_ending = socket.send(data);
        let state = Rc::<WriteState>::default();
        let pump = Pump::new(write(output, output_ending, state.clone()));
        let write = Write { pump, state, crowd: Crowd::new() };

        TcpStream { read: Single(read), write: Single(Rc::new(write)), counts, socket }
    }

    pub(crate) async fn connect(address: SocketAddr, counts: bool) -> io::Result<TcpStream> {
        let socket = TcpSocket::create(family(address)).map_err(error_of)?;
        let connecting = socket.connect(to_wasi(address));
        let connected = match counts {
            true => Op::new(connecting).await,
            false => Op::unref(connecting).await,
        };
        connected.map_err(error_of)?;
        Ok(TcpStream::new(socket, counts))
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.read.poll(cx, self.counts, buffer)
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(data)])
    }

    pub(crate) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write.poll_write(cx, self.counts, data)
    }

    /// Waits until the host has given everything to the system.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write.poll_flush(cx, self.counts)
    }

    /// The end follows what was written, which may take a while.
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how != Shutdown::Write {
            self.read.close();
        }
        if how != Shutdown::Read {
            self.write.close(self.counts);
        }
        Ok(())
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_local_address().map(of_wasi).map_err(error_of)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_remote_address().map(of_wasi).map_err(error_of)
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
        self.read.pump.stop();
        let state = &self.write.state;
        if state.busy.get() && !state.ended.get() {
            // Whoever attends to it goes on with what the peer shall still have.
            self.write.close(true);
        } else if !state.attended.get() {
            self.write.pump.stop();
        }
    }
}

pub(crate) struct TcpListener {
    pump: Pump,
    state: Single<Rc<AcceptState>>,
    crowd: Crowd,
    socket: TcpSocket,
}

#[derive(Default)]
struct AcceptState {
    wanted: Cell<bool>,
    /// Accepted and not asked for yet.
    accepted: Cell<Option<TcpSocket>>,
    ended: Cell<bool>,
}

/// Accepts when somebody wants to.
async fn accept(mut stream: StreamReader<TcpSocket>, state: Rc<AcceptState>) {
    loop {
        wanted(|| state.wanted.get()).await;
        let (status, mut sockets) = stream.read(Vec::with_capacity(1)).await;
        if let Some(socket) = sockets.pop() {
            state.accepted.set(Some(socket));
            state.wanted.set(false);
        } else if status == StreamResult::Dropped {
            state.ended.set(true);
            return;
        }
    }
}

impl TcpListener {
    /// Does not wait; the signature is that of other platforms.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        let socket = TcpSocket::create(family(address)).map_err(error_of)?;
        socket.bind(to_wasi(address)).map_err(error_of)?;
        // A hint that hosts may not take.
        let _ = socket.set_listen_backlog_size(BACKLOG);
        let stream = socket.listen().map_err(error_of)?;
        let state = Rc::<AcceptState>::default();
        Ok(TcpListener {
            pump: Pump::new(accept(stream, state.clone())),
            state: Single(state),
            crowd: Crowd::new(),
            socket,
        })
    }

    pub(crate) fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        loop {
            if let Some(socket) = self.state.accepted.take() {
                // The peer may have broken off meanwhile.
                let peer = socket.get_remote_address();
                let peer = peer.map_err(|_| io::ErrorKind::ConnectionAborted)?;
                return Poll::Ready(Ok((TcpStream::new(socket, true), of_wasi(peer))));
            }
            if self.state.ended.get() {
                return Poll::Ready(Err(io::Error::other("the host listens no more")));
            }
            self.state.wanted.set(true);
            self.pump.turn(&mut Context::from_waker(self.crowd.waker()), true);
            if self.state.wanted.get() && !self.state.ended.get() {
                self.crowd.join(cx);
                return Poll::Pending;
            }
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_local_address().map(of_wasi).map_err(error_of)
    }
}
