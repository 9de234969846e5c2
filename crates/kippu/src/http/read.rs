//! The body of a response as the traits of others.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_io::{AsyncBufRead, AsyncRead};
use http::HeaderMap;

use super::{Error, Response};

/// The body of a response as it comes in, in pieces that are never empty. Made by
/// [`Response::bytes_stream`]. It ends after an error, unless that was a
/// [`Timeout`](super::ErrorKind::Timeout). Dropping it ends the transfer.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct BytesStream {
    response: Response,
    ended: bool,
}

impl BytesStream {
    pub(super) fn new(response: Response) -> Self {
        BytesStream { response, ended: false }
    }

    /// Like [`Response::trailers`].
    ///
    /// # Errors
    /// Those of [`Response::trailers`].
    ///
    /// # Cancellation
    /// Dropping the future loses nothing but what was thrown away.
    pub async fn trailers(&mut self) -> Result<&HeaderMap, Error> {
        self.ended = true;
        self.response.trailers().await
    }
}

impl Stream for BytesStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.response.poll_chunk(cx)).transpose();
        self.ended = match &next {
            Some(Ok(_)) => false,
            Some(Err(error)) => error.kind() != super::ErrorKind::Timeout,
            None => true,
        };
        Poll::Ready(next)
    }
}

impl FusedStream for BytesStream {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

/// Reads the body of a response. Made by [`Response::into_reader`]. Dropping it ends the transfer.
#[derive(Debug)]
pub struct Reader {
    stream: BytesStream,
    /// What was read of the last piece and not taken yet.
    piece: Bytes,
}

impl Reader {
    pub(super) fn new(response: Response) -> Self {
        Reader { stream: BytesStream::new(response), piece: Bytes::new() }
    }

    /// Like [`Response::trailers`].
    ///
    /// # Errors
    /// Those of [`Response::trailers`].
    ///
    /// # Cancellation
    /// Dropping the future loses nothing but what was thrown away.
    pub async fn trailers(&mut self) -> Result<&HeaderMap, Error> {
        self.piece = Bytes::new();
        self.stream.trailers().await
    }
}

impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.piece.is_empty()
            && let Some(piece) = ready!(Pin::new(&mut this.stream).poll_next(cx))
        {
            this.piece = piece?;
        }
        Poll::Ready(Ok(&this.piece))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.piece.advance(amount);
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let piece = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&piece[..count]);
        self.consume(count);
        Poll::Ready(Ok(count))
    }
}
