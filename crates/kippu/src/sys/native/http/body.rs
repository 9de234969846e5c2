//! The body of a request as hyper wants it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use hyper::body::{Body, Frame, SizeHint};

use crate::http::{Interrupted, Outgoing, Upload};

/// A body that is made while it is sent. hyper does all that is needed, so it is nothing more.
pub(crate) struct Streamed(Upload);

impl Streamed {
    pub(crate) fn new(upload: Upload) -> Self {
        Streamed(upload)
    }
}

pub(super) enum Sending {
    /// All at once; empty when it has been taken.
    Bytes(Bytes),
    Stream(Upload),
}

impl From<Outgoing> for Sending {
    fn from(body: Outgoing) -> Self {
        match body {
            Outgoing::Bytes(bytes) => Sending::Bytes(bytes),
            Outgoing::Stream(Streamed(upload)) => Sending::Stream(upload),
            Outgoing::None | Outgoing::Sent => Sending::Bytes(Bytes::new()),
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        match self.get_mut() {
            Sending::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Sending::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Sending::Stream(upload) => {
                let piece = Pin::new(upload).poll_next(cx);
                piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Sending::Bytes(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Sending::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Sending::Stream(_) => SizeHint::default(),
        }
    }
}
