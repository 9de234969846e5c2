//! Streams across the JavaScript boundary: values that come one after another.
//!
//! | what | in Rust | in JavaScript |
//! |---|---|---|
//! | a host function gives it, or an export takes it | [`HostStream<T>`] | an async iterable, an iterable or a `ReadableStream` |
//! | an export gives it, or a host function takes it | `impl Stream<Item = T> + 'static` | an async iterator |
//!
//! Both are pulled: an item is made when the other side asks for it, one at a time. An `impl Stream` of
//! `Result`s fails with its first `Err`: JavaScript's `next()` rejects, and the stream is over.
//!
//! ```no_run
//! use kippu::HostError;
//! use kippu::stream::{HostStream, Stream};
//!
//! /// JavaScript gives lines, for example by an `async function*`.
//! #[kippu::host]
//! fn lines(path: &str) -> Result<HostStream<String>, HostError>;
//!
//! /// JavaScript takes numbers: `for await (const n of exports.squares(lines))`.
//! #[kippu::export]
//! fn squares(numbers: HostStream<f64>) -> impl Stream<Item = Result<f64, HostError>> {
//!     Squares(numbers)
//! }
//!
//! struct Squares(HostStream<f64>);
//!
//! impl Stream for Squares {
//!     type Item = Result<f64, HostError>;
//!     fn poll_next(
//!         mut self: std::pin::Pin<&mut Self>,
//!         cx: &mut std::task::Context<'_>,
//!     ) -> std::task::Poll<Option<Self::Item>> {
//!         let next = std::pin::Pin::new(&mut self.0).poll_next(cx);
//!         next.map(|item| item.map(|number| number.map(|n| n * n)))
//!     }
//! }
//! ```

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pub use futures_core::Stream;
use futures_io::AsyncRead;

use crate::HostError;
#[cfg(kippu_js)]
use crate::driver::js::streams::Pull;

type Local<T> = Pin<Box<dyn Stream<Item = Result<T, HostError>> + Send>>;

/// A stream that the host gives: see the [module](self).
///
/// An item that is an `Err` is what JavaScript threw, and the last one; or it says that a value is not of the
/// type `T`, which ends the stream as well.
///
/// Streams of `Vec<u8>`, which may be a `ReadableStream` of `Uint8Array`s, are also [`AsyncRead`]s.
///
/// # Cancellation
/// Dropping the future of [`next`](HostStream::next) loses nothing: the item that is on its way is the next one.
/// Dropping the stream before its end calls the iterator's `return()`, or the `ReadableStream`'s `cancel()`.
pub struct HostStream<T> {
    /// `None` after the end.
    source: Option<Source<T>>,
    /// Of streams of bytes: what was not read yet of the item that came last, and where it begins.
    rest: (Vec<u8>, usize),
}

enum Source<T> {
    Local(Local<T>),
    #[cfg(kippu_js)]
    Host(Pull<T>),
}

impl<T> HostStream<T> {
    /// Wraps a Rust stream, for what stands in for the host natively and in tests.
    pub fn new(stream: impl Stream<Item = Result<T, HostError>> + Send + 'static) -> Self {
        HostStream::of(Source::Local(Box::pin(stream)))
    }

    #[cfg(kippu_js)]
    pub(crate) fn from_host(pull: Pull<T>) -> Self {
        HostStream::of(Source::Host(pull))
    }

    fn of(source: Source<T>) -> Self {
        HostStream { source: Some(source), rest: (Vec::new(), 0) }
    }

    /// The next item; `None` at the end, and always after it.
    pub async fn next(&mut self) -> Option<Result<T, HostError>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, HostError>>> {
        let item = match &mut self.source {
            None => return Poll::Ready(None),
            Some(Source::Local(stream)) => ready!(stream.as_mut().poll_next(cx)),
            #[cfg(kippu_js)]
            Some(Source::Host(pull)) => ready!(pull.poll_next(cx)),
        };
        if !matches!(item, Some(Ok(_))) {
            self.source = None;
        }
        Poll::Ready(item)
    }
}

// Nothing in it is pinned by its place: the local stream has a box of its own.
impl<T> Unpin for HostStream<T> {}

impl<T> Stream for HostStream<T> {
    type Item = Result<T, HostError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl AsyncRead for HostStream<Vec<u8>> {
    /// An error of the host becomes an [`io::Error`] of the kind that its code says, as for files.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        while self.rest.1 == self.rest.0.len() {
            match ready!(self.poll_item(cx)) {
                None => return Poll::Ready(Ok(0)),
                Some(item) => self.rest = (item?, 0),
            }
        }
        let (bytes, from) = &mut self.rest;
        let len = buf.len().min(bytes.len() - *from);
        buf[..len].copy_from_slice(&bytes[*from..*from + len]);
        *from += len;
        Poll::Ready(Ok(len))
    }
}

impl<T> fmt::Debug for HostStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostStream").field("ended", &self.source.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    struct Items<T>(VecDeque<Result<T, HostError>>);

    impl<T: Unpin> Stream for Items<T> {
        type Item = Result<T, HostError>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.pop_front())
        }
    }

    fn stream<T: Unpin + Send + 'static>(
        items: impl IntoIterator<Item = Result<T, HostError>>,
    ) -> HostStream<T> {
        HostStream::new(Items(items.into_iter().collect()))
    }

    #[test]
    fn an_error_is_the_last_item() {
        let mut numbers = stream([Ok(1), Err(HostError::new("torn")), Ok(2)]);
        crate::block_on(async {
            assert_eq!(numbers.next().await, Some(Ok(1)));
            assert_eq!(numbers.next().await, Some(Err(HostError::new("torn"))));
            assert_eq!(numbers.next().await, None);
            assert_eq!(numbers.next().await, None);
        })
        .expect("nothing waits");
    }

    #[test]
    fn bytes_are_read_in_pieces_of_any_size() {
        let chunks = [&b"abc"[..], b"", b"defgh"].map(|bytes| Ok(bytes.to_vec()));
        let mut bytes = stream(chunks);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut read = |len: usize| {
            let mut buf = vec![0; len];
            match Pin::new(&mut bytes).poll_read(&mut cx, &mut buf) {
                Poll::Ready(Ok(n)) => String::from_utf8_lossy(&buf[..n]).into_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([read(2), read(9), read(0), read(4), read(4)], ["ab", "c", "", "defg", "h"]);
        assert_eq!(read(1), "");
    }

    #[test]
    fn an_error_while_reading_has_a_kind() {
        let gone = HostError::new("gone").with_code("ENOENT");
        let mut bytes = stream::<Vec<u8>>([Err(gone)]);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let Poll::Ready(Err(error)) = Pin::new(&mut bytes).poll_read(&mut cx, &mut [0; 4]) else {
            panic!("no error");
        };
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
