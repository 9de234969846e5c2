//! Bodies that come in: of the server's requests and of the client's responses.

use std::future::IntoFuture;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use wasip3::http::types::{ErrorCode, Trailers};
use wit_bindgen::{FutureReader, StreamReader, StreamResult};

use super::fields;
use crate::driver::wasi_p3::Op;

/// The most that is read at once: it bounds memory, and is large enough that the call costs little for each byte.
const MOST: usize = 64 * 1024;
/// A piece of at least this size keeps the buffer that it was read into; a smaller one is copied, so that few bytes never hold much
/// memory.
const WORTH_A_BUFFER: usize = MOST / 2;

type TrailersReader = FutureReader<Result<Option<Trailers>, ErrorCode>>;

/// A body that comes in, and its trailers. Dropping it ends the transfer.
pub(crate) struct Reader {
    state: State,
    /// Comes after the stream, which tells nothing of errors.
    trailers: Option<TrailersReader>,
}

enum State {
    Idle(StreamReader<u8>, Vec<u8>),
    Reading(Pin<Box<dyn Future<Output = Piece> + Send>>),
    Trailers(Pin<Box<dyn Future<Output = Result<Option<Trailers>, ErrorCode>> + Send>>),
    Done,
}

/// What a read gave, and the stream again if there may be more.
type Piece = (StreamReader<u8>, StreamResult, Vec<u8>);

impl Reader {
    pub(crate) fn new(stream: StreamReader<u8>, trailers: TrailersReader) -> Reader {
        Reader { state: State::Idle(stream, Vec::new()), trailers: Some(trailers) }
    }

    /// The next piece, never empty, or the trailers; `None` at the end. Counts as outstanding while it waits.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        if let Some(data) = ready!(self.poll_data(cx)) {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let trailers = ready!(self.poll_trailers(cx)).transpose();
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)))
    }

    /// The next piece, never empty; `None` at the end of the data. [`poll_trailers`](Reader::poll_trailers) tells whether that is all
    /// of them. Counts as outstanding while it waits.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match &mut self.state {
                State::Idle(..) => self.start(),
                State::Reading(read) => {
                    let (stream, result, buffer) = ready!(read.as_mut().poll(cx));
                    self.state = State::Done;
                    match result {
                        StreamResult::Complete(0) => self.state = State::Idle(stream, buffer),
                        StreamResult::Complete(_) => {
                            return Poll::Ready(Some(self.give(stream, buffer)));
                        }
                        StreamResult::Dropped | StreamResult::Cancelled => {
                            return Poll::Ready(None);
                        }
                    }
                }
                State::Trailers(_) | State::Done => return Poll::Ready(None),
            }
        }
    }

    fn start(&mut self) {
        if let State::Idle(mut stream, mut buffer) = mem::replace(&mut self.state, State::Done) {
            buffer.reserve(MOST);
            self.state = State::Reading(Box::pin(Op::new(async move {
                let (result, buffer) = stream.read(buffer).await;
                (stream, result, buffer)
            })));
        }
    }

    fn give(&mut self, stream: StreamReader<u8>, mut buffer: Vec<u8>) -> Bytes {
        let is_large = buffer.len() >= WORTH_A_BUFFER;
        let data = if is_large {
            Bytes::from(mem::take(&mut buffer))
        } else {
            Bytes::copy_from_slice(&buffer)
        };
        buffer.clear();
        self.state = State::Idle(stream, buffer);
        data
    }

    /// The trailers, once, when the data are read; `None` when there are none. Counts as outstanding while it waits.
    ///
    /// # Errors
    /// When the data were not all.
    pub(crate) fn poll_trailers(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, ErrorCode>> {
        if let Some(trailers) = self.trailers.take() {
            self.state = State::Trailers(Box::pin(Op::new(trailers.into_future())));
        }
        let State::Trailers(trailers) = &mut self.state else {
            return Poll::Ready(Ok(None));
        };
        let trailers = ready!(trailers.as_mut().poll(cx));
        self.state = State::Done;
        Poll::Ready(trailers.map(|found| found.map(|found| fields::from_host(&found))))
    }
}
