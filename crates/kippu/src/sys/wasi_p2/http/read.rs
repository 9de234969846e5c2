//! Bodies that come in: of the server's requests and of the client's responses.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use wasip2::http::types::{ErrorCode, FutureTrailers, IncomingBody, IoError};
use wasip2::io::streams::{InputStream, StreamError};

use super::fields;
use crate::driver::wasi_p2::{Source, spend};

/// The most that is read at once. The host allocates what it gives in the guest, so this bounds memory, and it is large enough
/// that the call costs little for each byte.
const MOST: u64 = 64 * 1024;

/// A body that comes in, and its trailers. Dropping it ends the transfer.
pub(crate) struct Reader(State);

/// In each state a pollable stands before what it was made of, and a stream before its body: a host traps when a parent is dropped
/// first.
enum State {
    Body { source: Option<Source>, stream: InputStream, body: IncomingBody },
    Trailers { source: Option<Source>, trailers: FutureTrailers },
    Done,
}

impl Reader {
    /// Nothing comes of a body whose stream has been taken before.
    pub(crate) fn new(body: IncomingBody) -> Reader {
        match body.stream() {
            Ok(stream) => Reader(State::Body { source: None, stream, body }),
            Err(()) => Reader(State::Done),
        }
    }

    /// The next piece, never empty, or the trailers; `None` at the end. Counts as outstanding while it waits.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        let data = ready!(self.poll_data(cx));
        if let Some(data) = data {
            return Poll::Ready(Some(data.map(Frame::data)));
        }
        let trailers = ready!(self.poll_trailers(cx)).transpose();
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)))
    }

    /// The next piece, never empty; `None` at the end of the data. Counts as outstanding while it waits.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, ErrorCode>>> {
        while let State::Body { source, stream, .. } = &mut self.0 {
            spend(1);
            match stream.read(MOST) {
                Ok(bytes) if bytes.is_empty() => {
                    let source = source.get_or_insert_with(|| Source::new(stream.subscribe()));
                    ready!(source.poll_ready(cx));
                }
                Ok(bytes) => return Poll::Ready(Some(Ok(bytes.into()))),
                Err(StreamError::Closed) => self.finish(),
                Err(StreamError::LastOperationFailed(error)) => {
                    self.0 = State::Done;
                    return Poll::Ready(Some(Err(code_of(&error))));
                }
            }
        }
        Poll::Ready(None)
    }

    /// The trailers, once, when the data are read; `None` when there are none. They are waited for apart from the data, as hosts tell
    /// the end of these at once. Counts as outstanding while it waits.
    pub(crate) fn poll_trailers(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, ErrorCode>> {
        let result = loop {
            let State::Trailers { source, trailers } = &mut self.0 else {
                return Poll::Ready(Ok(None));
            };
            match trailers.get() {
                None => {
                    let source = source.get_or_insert_with(|| Source::new(trailers.subscribe()));
                    ready!(source.poll_ready(cx));
                }
                Some(Ok(found)) => {
                    break found.map(|found| found.map(|found| fields::from_host(&found)));
                }
                // They have been taken.
                Some(Err(())) => break Ok(None),
            }
        };
        self.0 = State::Done;
        Poll::Ready(result)
    }

    /// The stream has ended; what may still come are trailers.
    fn finish(&mut self) {
        if let State::Body { source, stream, body } = std::mem::replace(&mut self.0, State::Done) {
            drop(source);
            drop(stream);
            self.0 = State::Trailers { source: None, trailers: IncomingBody::finish(body) };
        }
    }
}

/// What a stream of a body failed of.
///
/// The interface has `http-error-code` to ask for more. wasmtime knows no more, and jco 0.15 fails when it is asked.
fn code_of(error: &IoError) -> ErrorCode {
    ErrorCode::InternalError(Some(error.to_debug_string()))
}
