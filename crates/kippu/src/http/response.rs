//! The answer to a request.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use url::Url;

use super::Error;
use crate::sys::http::{Answer, Body};

/// The answer to a request: its head, and its body as it comes in. Dropping it ends
/// the transfer.
#[derive(Debug)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    url: Url,
    body: Body,
}

impl Response {
    pub(super) fn new(answer: Answer, url: Url) -> Self {
        let Answer { status, headers, body } = answer;
        Response { status, headers, url, body }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers. Names are in lower case.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Where the response came from, after redirects, without a fragment.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The next piece of the body, as it arrives and never empty; `None` at the end.
    ///
    /// # Errors
    /// [`Closed`](super::ErrorKind::Closed) when the connection ends too early,
    /// [`Protocol`](super::ErrorKind::Protocol) when what comes is not HTTP. There
    /// is nothing more to read then.
    ///
    /// # Cancellation
    /// Dropping the future loses nothing.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.body.chunk().await.map_err(|error| error.at(&self.url))
    }

    /// The rest of the body, whatever its size. Read [`chunk`](Response::chunk)s
    /// instead to set a limit.
    ///
    /// # Errors
    /// Those of [`chunk`](Response::chunk).
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// The rest of the body as text. It is taken as UTF-8, whatever the headers say:
    /// a byte order mark at the start is removed, and what is not UTF-8 becomes
    /// U+FFFD, as `Response.text()` of JavaScript does.
    ///
    /// # Errors
    /// Those of [`chunk`](Response::chunk).
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}
