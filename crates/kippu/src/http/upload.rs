//! The body of a request that is made while it is sent.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;

use super::error::Cause;

type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Cause>> + Send>>;

/// What sends takes the pieces from here. The stream belongs to the request and its response, though: the
/// [`Watch`] drops it with them, whatever still wants to send.
pub(crate) struct Upload {
    shared: Arc<Mutex<State>>,
}

/// Kept by who waits for the answer. Dropping it ends the upload.
pub(crate) struct Watch {
    shared: Arc<Mutex<State>>,
}

enum State {
    Open {
        stream: ByteStream,
        /// Who waits for the next piece.
        waker: Option<Waker>,
    },
    /// The stream is out while it is polled, because it may do anything, such as drop
    /// the response. If it panics this stays, and the body is never taken for complete.
    Polled,
    Complete,
    Failed(Cause),
    /// Nobody waits for the answer any more.
    Dropped,
}

/// Why there is no next piece, to those who send. The [`Watch`] knows more.
#[derive(Debug, thiserror::Error)]
#[error("the body of the request was not completed")]
pub(crate) struct Interrupted;

impl Upload {
    pub(super) fn new<S, B, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<Cause>,
    {
        let stream: ByteStream = Box::pin(Converted { stream: Box::pin(stream) });
        Upload { shared: Arc::new(Mutex::new(State::Open { stream, waker: None })) }
    }

    pub(super) fn watch(&self) -> Watch {
        Watch { shared: Arc::clone(&self.shared) }
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing panics while it is locked.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stream for Upload {
    type Item = Result<Bytes, Interrupted>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = lock(&self.shared);
        let mut stream = match mem::replace(&mut *state, State::Polled) {
            State::Open { stream, .. } => stream,
            State::Complete => {
                *state = State::Complete;
                return Poll::Ready(None);
            }
            other => {
                *state = other;
                return Poll::Ready(Some(Err(Interrupted)));
            }
        };
        drop(state);

        // An empty piece would say nothing, or to some that this is the end.
        let polled = loop {
            match stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(piece))) if piece.is_empty() => {}
                polled => break polled,
            }
        };

        let waker = polled.is_pending().then(|| cx.waker().clone());
        let mut state = lock(&self.shared);
        if matches!(*state, State::Dropped) {
            drop(state);
            drop(stream);
            return Poll::Ready(Some(Err(Interrupted)));
        }
        match polled {
            Poll::Ready(None) => *state = State::Complete,
            Poll::Ready(Some(Err(cause))) => {
                *state = State::Failed(cause);
                drop(state);
                drop(stream);
                return Poll::Ready(Some(Err(Interrupted)));
            }
            _ => {
                *state = State::Open { stream, waker };
                drop(state);
                return polled.map(|piece| piece.map(|piece| piece.map_err(|_| Interrupted)));
            }
        }
        drop(state);
        drop(stream);
        Poll::Ready(None)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").finish_non_exhaustive()
    }
}

impl Watch {
    /// The error of the stream; given once.
    pub(super) fn cause(&self) -> Option<Cause> {
        let mut state = lock(&self.shared);
        match mem::replace(&mut *state, State::Dropped) {
            State::Failed(cause) => Some(cause),
            other => {
                *state = other;
                None
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        if matches!(*state, State::Complete) {
            return;
        }
        let before = mem::replace(&mut *state, State::Dropped);
        drop(state);
        if let State::Open { stream, waker } = before {
            drop(stream);
            // Whoever sends must learn that nothing will come.
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

struct Converted<S> {
    stream: Pin<Box<S>>,
}

impl<S, B, E> Stream for Converted<S>
where
    S: Stream<Item = Result<B, E>>,
    B: Into<Bytes>,
    E: Into<Cause>,
{
    type Item = Result<Bytes, Cause>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.stream.as_mut().poll_next(cx);
        polled.map(|item| item.map(|item| item.map(Into::into).map_err(Into::into)))
    }
}
