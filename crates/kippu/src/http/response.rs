//! The answer to a request.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use url::Url;

use super::request::why;
use super::upload::Watch;
use super::whole::{Whole, without_mark};
use super::{BytesStream, Error, ErrorKind, Reader};
use crate::sys;
use crate::time::{Sleep, sleep};

/// The answer to a request: its head, and its body as it comes in. Dropping it ends
/// the transfer.
#[derive(Debug)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    url: Url,
    transfer: Transfer,
    waiting: Option<Waiting>,
    /// Once they are known.
    trailers: Option<HeaderMap>,
}

/// What is still under way when the head is here.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) body: sys::http::Body,
    /// Of the request's body, if that was a stream.
    pub(super) watch: Option<Watch>,
    pub(super) timeout: Option<Duration>,
}

/// Somebody waits for the next piece.
struct Waiting {
    /// While it does, the program is not stuck.
    _hold: sys::http::Hold,
    limit: Option<Sleep>,
}

/// Somebody who reads, and may stop waiting.
struct Reading<'a>(&'a mut Response);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.waiting = None;
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Response {
    pub(super) fn new(
        status: StatusCode,
        headers: HeaderMap,
        url: Url,
        transfer: Transfer,
    ) -> Self {
        Response { status, headers, url, transfer, waiting: None, trailers: None }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers. Names are in lower case. A name that came several times, such as
    /// `set-cookie`, has several values.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Where the response came from, after redirects, without a fragment.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How many bytes the body has, as the header `content-length` says; for a HEAD request how many it
    /// would have. `None` when the server or the host does not tell.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The next piece of the body, as it arrives and never empty; `None` at the end.
    ///
    /// # Errors
    /// [`Closed`](ErrorKind::Closed) when the connection ends too early,
    /// [`Protocol`](ErrorKind::Protocol) when what comes is not HTTP, [`Body`](ErrorKind::Body)
    /// when the request was still being sent and its stream failed. There
    /// is nothing more to read then. [`Timeout`](ErrorKind::Timeout) after the
    /// [read timeout](super::ClientBuilder::read_timeout); reading may go on.
    ///
    /// # Cancellation
    /// Dropping the future loses nothing.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let reading = Reading(self);
        poll_fn(|cx| reading.0.poll_chunk(cx)).await
    }

    /// Like [`chunk`](Response::chunk), for futures that cannot wait there. Until it is ready or the
    /// response is dropped, somebody counts as waiting.
    pub(super) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Error>> {
        let polled = self.transfer.body.poll_chunk(cx);
        let result = ready!(self.settle(polled, cx));
        let goes_on = match &result {
            Ok(piece) => piece.is_some(),
            Err(error) => error.kind() == ErrorKind::Timeout,
        };
        if !goes_on {
            self.transfer.watch = None;
        }
        Poll::Ready(result)
    }

    /// What came of waiting for the host; when nothing did, the error that ends waiting.
    fn settle<T>(
        &mut self,
        polled: Poll<Result<T, Error>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Error>> {
        let result = match polled {
            Poll::Ready(result) => result.map_err(|error| why(error, self.transfer.watch.as_ref())),
            Poll::Pending => Err(ready!(self.wait(cx))),
        };
        self.waiting = None;
        Poll::Ready(result.map_err(|error| error.at(&self.url)))
    }

    /// Ready with the error that ends waiting.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            None => {
                let _hold = match sys::http::hold() {
                    Ok(hold) => hold,
                    Err(error) => return Poll::Ready(error),
                };
                let limit = self.transfer.timeout.map(sleep);
                self.waiting.insert(Waiting { _hold, limit })
            }
        };
        match &mut waiting.limit {
            Some(limit) => Pin::new(limit).poll(cx).map(|()| {
                let limit = self.transfer.timeout.unwrap_or_default();
                Error::with_detail(
                    ErrorKind::Timeout,
                    format_args!("nothing more of the body within {limit:?}"),
                )
            }),
            None => Poll::Pending,
        }
    }

    /// What the server sent after the body, such as a checksum of it: headers like those before. Mostly it
    /// is nothing, and the map is empty; on JavaScript hosts, whose `fetch` does not show it, always.
    ///
    /// What is left of the body is read first, and thrown away.
    ///
    /// Servers may send trailers only to who asks for them with the header `te: trailers`.
    ///
    /// ```no_run
    /// # async fn f(mut response: kippu::http::Response) -> Result<(), kippu::http::Error> {
    /// let mut size = 0;
    /// while let Some(chunk) = response.chunk().await? {
    ///     size += chunk.len();
    /// }
    /// let checksum = response.trailers().await?.get("x-checksum");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`chunk`](Response::chunk).
    ///
    /// # Cancellation
    /// Dropping the future loses nothing but what was thrown away.
    pub async fn trailers(&mut self) -> Result<&HeaderMap, Error> {
        {
            let reading = Reading(self);
            poll_fn(|cx| reading.0.poll_trailers(cx)).await?;
        }
        Ok(self.trailers.get_or_insert_default())
    }

    /// Ready when the trailers are known.
    fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.trailers.is_none() {
            while ready!(self.poll_chunk(cx))?.is_some() {}
            let polled = self.transfer.body.poll_trailers(cx);
            self.trailers = Some(ready!(self.settle(polled, cx))?.unwrap_or_default());
        }
        Poll::Ready(Ok(()))
    }

    /// The rest of the body as a stream of the pieces that [`chunk`](Response::chunk) gives.
    pub fn bytes_stream(self) -> BytesStream {
        BytesStream::new(self)
    }

    /// The rest of the body as an `AsyncRead` and `AsyncBufRead` of `futures-io`. The errors are those of
    /// [`chunk`](Response::chunk), inside `std::io::Error`s.
    pub fn into_reader(self) -> Reader {
        Reader::new(self)
    }

    /// The rest of the body, whatever its size. Read [`chunk`](Response::chunk)s
    /// instead to set a limit.
    ///
    /// # Errors
    /// Those of [`chunk`](Response::chunk).
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let mut whole = Whole::default();
        while let Some(chunk) = self.chunk().await? {
            whole.push(chunk);
        }
        Ok(whole.into_bytes())
    }

    /// The rest of the body as text. It is taken as UTF-8, whatever the headers say:
    /// a byte order mark at the start is removed, and what is not UTF-8 becomes
    /// U+FFFD, as `Response.text()` of JavaScript does.
    ///
    /// # Errors
    /// Those of [`chunk`](Response::chunk).
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        Ok(String::from_utf8_lossy(without_mark(&bytes)).into_owned())
    }

    /// The rest of the body, which is JSON, as a value.
    ///
    /// # Errors
    /// Those of [`chunk`](Response::chunk), and [`Decode`](ErrorKind::Decode) when it is no JSON or not that
    /// of a `T`.
    #[cfg(feature = "json")]
    pub async fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        let url = self.url.clone();
        let bytes = self.bytes().await?;
        let bytes = without_mark(&bytes);
        serde_json::from_slice(bytes)
            .map_err(|error| Error::with_detail(ErrorKind::Decode, error).at(&url))
    }
}
