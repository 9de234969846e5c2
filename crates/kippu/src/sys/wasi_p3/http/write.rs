//! Bodies that go out: of the server's responses and of the client's requests.

use bytes::Bytes;
use http::HeaderMap;
use wasip3::http::types::{ErrorCode, Trailers};
use wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamWriter};

use super::fields;
use crate::driver::wasi_p3::Op;
use crate::single::Single;

/// What comes after the data of a body.
type End = Result<Option<Trailers>, ErrorCode>;

/// A body that goes out. Dropping it before it is finished tells the other side that it is not complete.
pub(crate) struct Writer {
    stream: Single<StreamWriter<u8>>,
    end: Single<FutureWriter<End>>,
}

/// Nobody reads it any more.
#[derive(Debug)]
pub(crate) struct Closed;

impl Writer {
    /// The body, and its two ends for the host.
    pub(crate) fn new() -> (Writer, StreamReader<u8>, FutureReader<End>) {
        let (stream, data) = wasip3::wit_stream::new();
        let (end, trailers) = wasip3::wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
        (Writer { stream: Single(stream), end: Single(end) }, data, trailers)
    }

    /// Writes all of `data`, as fast as the other side reads it.
    ///
    /// # Errors
    /// When nobody reads it any more.
    ///
    /// # Cancellation
    /// Some of it may have been written.
    pub(crate) async fn write(&mut self, data: Bytes) -> Result<(), Closed> {
        let left = Op::new(self.stream.write_all(data.into())).await;
        if left.is_empty() { Ok(()) } else { Err(Closed) }
    }

    /// Says that this is all, and waits until the other side knows.
    ///
    /// # Cancellation
    /// The other side learns that it is not complete.
    pub(crate) async fn finish(self, trailers: Option<&HeaderMap>) {
        drop(self.stream);
        let trailers = trailers.map(fields::to_host_allowed);
        // That nobody reads it any more is no error.
        let _ = Op::new(self.end.0.write(Ok(trailers))).await;
    }
}

/// The end of a body without data, for the host.
pub(crate) fn empty() -> FutureReader<End> {
    let (_end, trailers) = wasip3::wit_future::new(|| Ok(None));
    trailers
}
