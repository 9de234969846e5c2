//! A connection as hyper wants it.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

use super::connection::Progress;
use crate::net::TcpStream;
use crate::time::{Instant, Sleep, sleep};

/// The most that is read at once.
const CHUNK: usize = 16 * 1024;

/// The most that is read of a client to notice that it goes, while nobody wants what it sends.
const AHEAD: usize = CHUNK;

/// How long a client that was answered may go on sending what nobody wants, and how long without a pause.
const LINGER: Duration = Duration::from_secs(30);
const LINGER_QUIET: Duration = Duration::from_secs(2);

/// After so many pieces of that in a row, other tasks have a turn.
const DISCARDS_IN_A_ROW: usize = 16;

thread_local! {
    /// hyper lends memory that may be uninitialized. Reading goes through this, which costs a copy and needs no unsafe code. One
    /// is enough for all connections of a thread, since it is used only within one call.
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

fn with_scratch<T>(use_it: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut scratch = SCRATCH.take().unwrap_or_else(|| vec![0; CHUNK].into_boxed_slice());
    let result = use_it(&mut scratch);
    SCRATCH.set(Some(scratch));
    result
}

/// hyper has one clone, the connection's task another.
#[derive(Clone)]
pub(super) struct Socket {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    stream: TcpStream,
    progress: Rc<Progress>,
    /// What was read before hyper asked for it.
    ahead: BytesMut,
    /// hyper waits for the client to send something, or to go.
    awaited: bool,
    /// The client has sent all, or can send no more.
    ended: bool,
    closing: Closing,
}

enum Closing {
    Not,
    /// The client knows that nothing will come. If the socket were closed while the client still sends, its system
    /// would throw away what it has not read yet, perhaps the response. So what comes is read, for a while.
    Lingers {
        /// Ready when the client pauses for too long.
        quiet: Sleep,
        end: Instant,
    },
}

impl Socket {
    pub(super) fn new(stream: TcpStream, progress: Rc<Progress>) -> Socket {
        let (ahead, closing) = (BytesMut::new(), Closing::Not);
        let inner = Inner { stream, progress, ahead, awaited: false, ended: false, closing };
        Socket { inner: Rc::new(RefCell::new(inner)) }
    }

    /// hyper is about to be polled.
    pub(super) fn hyper_is_polled(&self) {
        self.inner.borrow_mut().awaited = false;
    }

    /// Ready when the client has gone, as far as hyper does not notice that itself: it reads nothing while a handler leaves
    /// the request's body unread, or while the next request is here already.
    pub(super) fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self.inner.borrow_mut();
        while !this.awaited && this.ahead.len() < AHEAD {
            let room = AHEAD - this.ahead.len();
            let count = with_scratch(|scratch| {
                let max = room.min(scratch.len());
                let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut scratch[..max]));
                // An error ends it as well.
                let count = read.unwrap_or_default();
                this.ahead.extend_from_slice(&scratch[..count]);
                Poll::Ready(count)
            });
            if ready!(count) == 0 {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

impl Inner {
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Closing::Lingers { quiet, end } = &mut self.closing else {
            return Poll::Ready(());
        };
        for _ in 0..DISCARDS_IN_A_ROW {
            let stream = Pin::new(&mut self.stream);
            match with_scratch(|scratch| stream.poll_read(cx, scratch)) {
                Poll::Ready(Ok(1..)) if Instant::now() < *end => {
                    quiet.reset((Instant::now() + LINGER_QUIET).min(*end));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Pin::new(quiet).poll(cx),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Read for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self.inner.borrow_mut();
        if !this.ahead.is_empty() {
            let count = this.ahead.len().min(buffer.remaining());
            buffer.put_slice(&this.ahead.split_to(count));
            this.progress.read();
            return Poll::Ready(Ok(()));
        }
        let read = with_scratch(|scratch| {
            let max = buffer.remaining().min(scratch.len());
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut scratch[..max]));
            if let Ok(count) = read {
                buffer.put_slice(&scratch[..count]);
            }
            Poll::Ready(read)
        });
        this.awaited = read.is_pending();
        let read = ready!(read);
        match read {
            Ok(1..) => this.progress.read(),
            Ok(0) | Err(_) => this.ended = true,
        }
        Poll::Ready(read.map(|_| ()))
    }
}

impl Write for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self.inner.borrow_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, data);
        this.progress.wrote(result.is_pending());
        result
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self.inner.borrow_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, data);
        this.progress.wrote(result.is_pending());
        result
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner.borrow_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self.inner.borrow_mut();
        if let Closing::Not = this.closing {
            ready!(Pin::new(&mut this.stream).poll_close(cx))?;
            if this.ended || this.progress.is_idle_end() {
                return Poll::Ready(Ok(()));
            }
            let end = Instant::now() + LINGER;
            this.closing = Closing::Lingers { quiet: sleep(LINGER_QUIET), end };
            this.progress.linger();
        }
        this.poll_discard(cx).map(Ok)
    }
}
