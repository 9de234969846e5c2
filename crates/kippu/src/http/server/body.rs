//! Bodies of requests and responses.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::http::error::Cause;
use crate::http::whole::{Whole, without_mark};
use crate::http::{Error, ErrorKind};

/// The body of a request or of a response: bytes, and perhaps trailers behind them.
///
/// A handler reads that of its request by the methods below, or gives it on as it is, for example as the body of its response. It is
/// an [`http_body::Body`] too, for all that works with these.
///
/// There is one reader: what has been read is gone. Whoever reads on, also by another method or through [`http_body::Body`], gets
/// the rest, and trailers at its end. After its end, and after an error, a body is empty.
///
/// Nothing is read ahead of its reader by more than a buffer, so a body of any size takes little memory. Dropping a request's
/// body early is no error: the rest of it is thrown away.
///
/// ```
/// use kippu::http::server::{Body, Request, Response};
///
/// async fn count(request: Request) -> Result<String, kippu::http::Error> {
///     let mut body = request.into_body();
///     let mut count = 0;
///     while let Some(chunk) = body.chunk().await? {
///         count += chunk.len();
///     }
///     Ok(format!("{count} bytes\n"))
/// }
/// ```
#[derive(Default)]
pub struct Body {
    kind: Kind,
    /// They came while somebody read data only.
    trailers: Option<HeaderMap>,
    /// Those of the body itself are left out.
    replaces_trailers: bool,
}

#[derive(Default)]
enum Kind {
    /// Never empty.
    Bytes(Bytes),
    Streamed(Pin<Box<dyn HttpBody<Data = Bytes, Error = Error> + Send>>),
    #[default]
    Done,
}

impl Body {
    /// No bytes.
    #[must_use]
    pub const fn empty() -> Body {
        Body { kind: Kind::Done, trailers: None, replaces_trailers: false }
    }

    /// A body that is made while it is sent, piece by piece: the stream is polled when there is room for more.
    ///
    /// When it fails the message cannot be completed, so the connection ends. Dropping the body drops the stream.
    ///
    /// ```
    /// use kippu::http::server::{Body, Response};
    /// use kippu::stream::Stream;
    ///
    /// fn log(lines: impl Stream<Item = std::io::Result<String>> + Send + 'static) -> Response {
    ///     Response::new(Body::stream(lines))
    /// }
    /// ```
    pub fn stream<S, B, E>(stream: S) -> Body
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Body::new(Streamed { stream })
    }

    /// Any body, for example one with trailers.
    ///
    /// Its errors become those of this body: of kind [`Body`](ErrorKind::Body), unless they are [`Error`]s
    /// already.
    pub fn new<B>(body: B) -> Body
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // One of these in another would only cost time.
        let mut body = Some(body);
        if let Some(same) = (&mut body as &mut dyn std::any::Any).downcast_mut::<Option<Body>>() {
            return same.take().unwrap_or_default();
        }
        match body {
            Some(body) if !body.is_end_stream() => Body {
                kind: Kind::Streamed(Box::pin(Converted { body })),
                trailers: None,
                replaces_trailers: false,
            },
            _ => Body::empty(),
        }
    }

    /// The same body with `trailers` at its end, and not those of its own if these have not been read. Whoever makes trailers only at the end gives
    /// [`new`](Body::new) a body that does.
    ///
    /// HTTP/1.1 sends a response's trailers only if the request's header `te` has `trailers`, and those only that the response's
    /// header `trailer` names; others are left out.
    #[must_use]
    pub fn with_trailers(mut self, trailers: HeaderMap) -> Body {
        self.trailers = Some(trailers);
        self.replaces_trailers = true;
        self
    }

    /// The next piece, as it comes and never empty; `None` at the end.
    ///
    /// # Errors
    /// Of a request: [`Closed`](ErrorKind::Closed) when the client ends the connection too early,
    /// [`Protocol`](ErrorKind::Protocol) when what it sends is not HTTP. Of another body: what its maker gives. There is nothing more to
    /// read then.
    ///
    /// # Cancellation
    /// Dropping the future loses nothing.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|cx| self.poll_chunk(cx)).await.transpose()
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            let frame = match ready!(self.poll_next_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => frame,
            };
            match frame.into_data() {
                Ok(data) => return Poll::Ready(Some(Ok(data))),
                Err(frame) => self.keep(frame.into_trailers().ok()),
            }
        }
    }

    /// What comes next, except trailers that were kept.
    fn poll_next_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = match &mut self.kind {
            Kind::Done => return Poll::Ready(None),
            Kind::Bytes(bytes) => {
                let bytes = mem::take(bytes);
                self.kind = Kind::Done;
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Kind::Streamed(body) => body,
        };
        loop {
            let next = ready!(body.as_mut().poll_frame(cx));
            match &next {
                // An empty piece would say nothing, or to some that this is the end.
                Some(Ok(frame)) if frame.data_ref().is_some_and(Bytes::is_empty) => continue,
                Some(Ok(frame)) if frame.is_trailers() && self.replaces_trailers => continue,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.kind = Kind::Done,
            }
            return Poll::Ready(next);
        }
    }

    fn keep(&mut self, trailers: Option<HeaderMap>) {
        match (&mut self.trailers, trailers) {
            (Some(kept), Some(more)) => kept.extend(more),
            (kept @ None, more) => *kept = more,
            (Some(_), None) => {}
        }
    }

    /// The rest of the body, whatever its size: natively nothing limits what a client may send. Read
    /// [`chunk`](Body::chunk)s instead to set a limit.
    ///
    /// # Errors
    /// Those of [`chunk`](Body::chunk).
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        self.rest().await
    }

    async fn rest(&mut self) -> Result<Bytes, Error> {
        let mut whole = Whole::default();
        while let Some(chunk) = self.chunk().await? {
            whole.push(chunk);
        }
        Ok(whole.into_bytes())
    }

    /// The rest of the body as text. It is taken as UTF-8, whatever the headers say: a byte order mark at the
    /// start is removed, and what is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// Those of [`chunk`](Body::chunk).
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        Ok(String::from_utf8_lossy(without_mark(&bytes)).into_owned())
    }

    /// The rest of the body, which is JSON, as a value.
    ///
    /// # Errors
    /// Those of [`chunk`](Body::chunk), and [`Decode`](ErrorKind::Decode) when it is no JSON or not that of
    /// a `T`.
    #[cfg(feature = "json")]
    pub async fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        let bytes = self.bytes().await?;
        let bytes = without_mark(&bytes);
        serde_json::from_slice(bytes).map_err(|error| Error::with_detail(ErrorKind::Decode, error))
    }

    /// The trailers, once the rest of the body is read, which is thrown away; `None` when there are none.
    ///
    /// They are given once. After a body's last [`chunk`](Body::chunk) it does not wait.
    ///
    /// # Errors
    /// Those of [`chunk`](Body::chunk).
    ///
    /// # Cancellation
    /// Dropping the future loses no trailers.
    pub async fn trailers(&mut self) -> Result<Option<HeaderMap>, Error> {
        while self.chunk().await?.is_some() {}
        Ok(self.trailers.take())
    }

    /// The rest of the body as a stream of the pieces that [`chunk`](Body::chunk) gives, for example to send it on with
    /// [`RequestBuilder::body_stream`](crate::http::RequestBuilder::body_stream). Trailers are left out.
    pub fn bytes_stream(
        self,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + Unpin + fmt::Debug + 'static {
        Chunks { body: self }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let next = ready!(this.poll_next_frame(cx));
        Poll::Ready(match next {
            None => this.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))),
            next => next,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.trailers.is_none()
            && match &self.kind {
                Kind::Done => true,
                Kind::Bytes(_) => false,
                Kind::Streamed(body) => body.is_end_stream(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = match &self.kind {
            Kind::Done => SizeHint::with_exact(0),
            Kind::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Streamed(body) => body.size_hint(),
        };
        if self.trailers.is_some() {
            // HTTP/1.1 has no trailers behind a body whose length it announces.
            let lower = hint.lower();
            hint = SizeHint::new();
            hint.set_lower(lower);
        }
        hint
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hint = self.size_hint();
        f.debug_struct("Body")
            .field("ended", &self.is_end_stream())
            .field("exact_size", &hint.exact())
            .finish_non_exhaustive()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        let kind = if bytes.is_empty() { Kind::Done } else { Kind::Bytes(bytes) };
        Body { kind, trailers: None, replaces_trailers: false }
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Body {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Body {
        Bytes::from_static(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        Bytes::from(text).into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Bytes::from(bytes).into()
    }
}

impl From<()> for Body {
    fn from((): ()) -> Body {
        Body::empty()
    }
}

/// An error of any body as one of ours.
fn convert(cause: Cause) -> Error {
    match cause.downcast::<Error>() {
        Ok(error) => *error,
        Err(cause) => Error::new(ErrorKind::Body, cause),
    }
}

pin_project! {
    struct Converted<B> {
        #[pin]
        body: B,
    }
}

impl<B> HttpBody for Converted<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Cause>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(self.project().body.poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(|error| convert(error.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pin_project! {
    struct Streamed<S> {
        #[pin]
        stream: S,
    }
}

impl<S, B, E> HttpBody for Streamed<S>
where
    S: Stream<Item = Result<B, E>>,
    B: Into<Bytes>,
{
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        let piece = ready!(self.project().stream.poll_next(cx));
        Poll::Ready(piece.map(|piece| piece.map(|piece| Frame::data(piece.into()))))
    }
}

#[derive(Debug)]
struct Chunks {
    body: Body,
}

impl Stream for Chunks {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.body.poll_chunk(cx)
    }
}
