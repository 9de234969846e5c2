//! Bodies that go out: of the server's responses and of the client's requests.

use http::HeaderMap;
use wasip2::http::types::{ErrorCode, OutgoingBody};
use wasip2::io::streams::{OutputStream, StreamError};

use super::fields;
use crate::driver::wasi_p2::{Source, spend};

/// A body that goes out. Dropping it before it is finished tells the other side that it is not complete.
///
/// The fields drop in this order: a host traps when a stream is dropped before its pollable, or a body before its stream.
pub(crate) struct Writer {
    source: Option<Source>,
    stream: OutputStream,
    body: OutgoingBody,
}

impl Writer {
    /// `None` when the body's stream has been taken before.
    pub(crate) fn new(body: OutgoingBody) -> Option<Writer> {
        let stream = body.write().ok()?;
        Some(Writer { source: None, stream, body })
    }

    /// Writes all of `data` if the host takes it at once; says whether it has.
    ///
    /// # Errors
    /// When nobody reads it any more.
    pub(crate) fn try_write(&mut self, data: &[u8]) -> Result<bool, StreamError> {
        if self.stream.check_write()? < data.len() as u64 {
            return Ok(false);
        }
        spend(3);
        self.stream.write(data)?;
        Ok(true)
    }

    /// Writes all of `data`, as fast as the other side reads it.
    ///
    /// # Errors
    /// When nobody reads it any more.
    ///
    /// # Cancellation
    /// Some of it may have been written.
    pub(crate) async fn write(&mut self, mut data: &[u8]) -> Result<(), StreamError> {
        while !data.is_empty() {
            let room = self.room().await?;
            let (now, later) = data.split_at(data.len().min(room));
            spend(3);
            self.stream.write(now)?;
            data = later;
        }
        Ok(())
    }

    /// Waits until all that was written is on its way.
    ///
    /// # Errors
    /// When nobody reads it any more.
    pub(crate) async fn flush(&mut self) -> Result<(), StreamError> {
        self.stream.flush()?;
        self.room().await.map(drop)
    }

    /// How many bytes may be written, at least one.
    async fn room(&mut self) -> Result<usize, StreamError> {
        loop {
            let room = self.stream.check_write()?;
            if room > 0 {
                return Ok(usize::try_from(room).unwrap_or(usize::MAX));
            }
            let source = self.source.get_or_insert_with(|| Source::new(self.stream.subscribe()));
            source.ready().await;
        }
    }

    /// Says that this is all.
    ///
    /// # Errors
    /// When it is not as long as the header `content-length` says. The other side learns that it is not complete.
    pub(crate) fn finish(self, trailers: Option<&HeaderMap>) -> Result<(), ErrorCode> {
        let Writer { source, stream, body } = self;
        drop(source);
        drop(stream);
        OutgoingBody::finish(body, trailers.map(fields::to_host_allowed))
    }
}
