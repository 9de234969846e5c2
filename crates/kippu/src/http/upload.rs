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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Never ready; gives `watch` away at its second poll.
    struct Waits {
        polls: usize,
        watch: Arc<Mutex<Option<Watch>>>,
    }

    impl Stream for Waits {
        type Item = Result<Bytes, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.polls += 1;
            if self.polls == 2 {
                drop(self.watch.lock().expect("no panic").take());
            }
            Poll::Pending
        }
    }

    fn upload() -> (Upload, Arc<Mutex<Option<Watch>>>) {
        let watch = Arc::new(Mutex::new(None));
        let upload = Upload::new(Waits { polls: 0, watch: Arc::clone(&watch) });
        *watch.lock().expect("no panic") = Some(upload.watch());
        (upload, watch)
    }

    #[test]
    fn who_sends_is_woken_when_nobody_waits_for_the_answer_any_more() {
        let (mut upload, watch) = upload();
        let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&wakes));
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut upload).poll_next(&mut cx).is_pending());
        drop(watch.lock().expect("no panic").take());
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        let Poll::Ready(Some(Err(_))) = Pin::new(&mut upload).poll_next(&mut cx) else {
            panic!("it is taken for complete");
        };
    }

    #[test]
    fn empty_pieces_are_left_out() {
        struct Pieces(Vec<&'static str>);

        impl Stream for Pieces {
            type Item = Result<&'static str, Infallible>;

            fn poll_next(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Self::Item>> {
                Poll::Ready(self.0.pop().map(Ok))
            }
        }

        let mut upload = Upload::new(Pieces(vec!["", "some", "", ""]));
        let mut cx = Context::from_waker(Waker::noop());
        let mut next = || match Pin::new(&mut upload).poll_next(&mut cx) {
            Poll::Ready(piece) => piece.map(|piece| piece.expect("no error")),
            Poll::Pending => panic!("all is there"),
        };
        assert_eq!(next().as_deref(), Some(&b"some"[..]));
        assert_eq!([next(), next()], [None, None]);
    }

    #[test]
    fn the_answer_may_go_while_the_stream_is_polled() {
        let (mut upload, _watch) = upload();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut upload).poll_next(&mut cx).is_pending());
        let Poll::Ready(Some(Err(_))) = Pin::new(&mut upload).poll_next(&mut cx) else {
            panic!("nobody would ever wake it");
        };
    }
}
