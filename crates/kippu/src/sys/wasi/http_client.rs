//! The HTTP client over `wasi:http`: what 0.2 and 0.3 have in common. `call` of each platform hands a request to the host.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, StatusCode};
use url::{Position, Url};

#[cfg(kippu_p2)]
use super::bindings::http::types::OutgoingRequest as Message;
#[cfg(kippu_p3)]
use super::bindings::http::types::Request as Message;
use super::bindings::http::types::{Fields, HeaderError, Scheme};
use super::http::body_error;
use super::http_fields as fields;
use crate::http::{Error, ErrorKind, Interrupted, Outgoing, Request, Upload};
use crate::single::Single;
use crate::sys::http::call::{Reader, call, end, put};
use crate::sys::http::write::Writer;
use crate::task::{JoinHandle, spawn};

/// The host keeps the connections.
#[derive(Debug, Default)]
pub(crate) struct Connections;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// No host of WASI follows redirects.
    pub(crate) url: Option<Url>,
    pub(crate) body: Body,
}

/// The operation that is waited for is what keeps the program going.
pub(crate) struct Hold;

pub(crate) fn hold() -> Result<Hold, Error> {
    Ok(Hold)
}

/// A body that is made while it is sent.
pub(crate) struct Streamed {
    body: Upload,
    /// Named where a body is streamed and nowhere else, so that other guests carry nothing of it.
    send: fn(Writer, Upload) -> Sending,
}

impl Streamed {
    pub(crate) fn new(body: Upload) -> Self {
        Streamed { body, send: |writer, body| Sending::new(send_stream(writer, body)) }
    }

    pub(crate) fn send(self, writer: Writer) -> Sending {
        (self.send)(writer, self.body)
    }
}

/// The task that sends a request's body. It goes on while the response is read, as the server may answer before it has everything;
/// dropping this ends it.
pub(crate) struct Sending(Option<Single<JoinHandle<Sent>>>);

/// An error only when the body could not be made. Whether the host takes all of it is no matter: the response tells.
type Sent = Result<(), Interrupted>;

impl Sending {
    fn new(sent: impl Future<Output = Sent> + 'static) -> Self {
        Sending(Some(Single(spawn(sent))))
    }

    /// Sends what is known already.
    pub(crate) fn bytes(writer: Writer, body: Bytes) -> Self {
        Sending::new(send_bytes(writer, body))
    }

    /// Ready when the body could not be made.
    fn poll_interrupted(&mut self, cx: &mut Context<'_>) -> Poll<Interrupted> {
        let Some(task) = &mut self.0 else {
            return Poll::Pending;
        };
        let ended = ready!(Pin::new(&mut task.0).poll(cx));
        self.0 = None;
        match ended {
            Ok(Err(interrupted)) => Poll::Ready(interrupted),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// A server that has answered needs no more of the body, so it is no error that the host takes none.
async fn send_bytes(mut writer: Writer, body: Bytes) -> Sent {
    if put(&mut writer, body).await {
        end(writer).await;
    }
    Ok(())
}

async fn send_stream(mut writer: Writer, mut body: Upload) -> Sent {
    while let Some(piece) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
        // Of a writer that is dropped unfinished the server learns that the body is not complete.
        if !put(&mut writer, piece?).await {
            return Ok(());
        }
    }
    end(writer).await;
    Ok(())
}

/// The head of a response, and who reads its body.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) reader: Reader,
}

/// Sends one request, without redirects. Dropping the future ends the exchange.
pub(crate) async fn exchange(_: &Connections, request: Request) -> Result<Answer, Error> {
    let Request { method, url, mut headers, user_agent, body, .. } = request;
    headers.entry(USER_AGENT).or_insert(user_agent);
    let length = match &body {
        // Servers wait for the length of a body that they expect, even if it is 0; and a host that is told no length may send it in
        // chunks.
        Outgoing::None => (!matches!(method, Method::GET | Method::HEAD)).then_some(0),
        Outgoing::Bytes(bytes) => Some(bytes.len()),
        Outgoing::Stream(_) | Outgoing::Sent => None,
    };
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let fields = fields::to_host(&headers).map_err(|error| refused(&headers, &error))?;
    let (head, mut sending) = call(fields, body, |message| describe(message, &method, &url))?;
    let head = {
        let mut head = pin!(head);
        poll_fn(|cx| {
            if let Poll::Ready(head) = head.as_mut().poll(cx) {
                return Poll::Ready(head);
            }
            let Some(sending) = &mut sending else {
                return Poll::Pending;
            };
            let interrupted = ready!(sending.poll_interrupted(cx));
            Poll::Ready(Err(Error::new(ErrorKind::Closed, interrupted)))
        })
        .await?
    };
    let status = StatusCode::from_u16(head.status)
        .map_err(|error| Error::with_detail(ErrorKind::Protocol, error))?;
    let body = Body { reader: head.reader, sending };
    Ok(Answer { status, headers: head.headers, url: None, body })
}

fn describe(message: &Message, method: &Method, url: &Url) -> Result<(), Error> {
    let invalid = |what: &'static str| {
        move |()| Error::with_detail(ErrorKind::Url, format_args!("the host takes no such {what}"))
    };
    let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
    message.set_scheme(Some(&scheme)).map_err(invalid("scheme"))?;
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    message.set_authority(Some(authority)).map_err(invalid("host"))?;
    let path = &url[Position::BeforePath..Position::AfterQuery];
    message.set_path_with_query(Some(path)).map_err(invalid("path"))?;
    message.set_method(&fields::method_to_host(method)).map_err(|()| {
        let detail = format_args!("the host cannot send the method {method}");
        Error::with_detail(ErrorKind::Unsupported, detail)
    })
}

/// Why the host does not take all of `headers`.
fn refused(headers: &HeaderMap, error: &HeaderError) -> Error {
    let fields = Fields::new();
    for (name, value) in headers {
        if let Err(error) = fields.append(name.as_str(), value.as_bytes()) {
            let (kind, why) = match error {
                HeaderError::Forbidden => (ErrorKind::Unsupported, "the host does not allow it"),
                _ => (ErrorKind::Other, "the host does not take its value"),
            };
            return Error::with_detail(kind, format_args!("the header {name}: {why}"));
        }
    }
    Error::with_detail(ErrorKind::Other, format_args!("the headers: {error}"))
}

/// The body of a response, as it comes in. Dropping it ends the transfer, also that of the request.
pub(crate) struct Body {
    reader: Reader,
    sending: Option<Sending>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("sending", &self.sending.is_some()).finish_non_exhaustive()
    }
}

impl Body {
    /// The next piece, never empty; `None` at the end.
    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Error>> {
        let data = ready!(self.reader.poll_data(cx)).transpose();
        if !matches!(data, Ok(Some(_))) {
            self.sending = None;
        }
        Poll::Ready(data.map_err(|code| body_error(&code)))
    }

    /// What follows the body, once [`poll_chunk`](Body::poll_chunk) has said that it ends. Given once.
    pub(crate) fn poll_trailers(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, Error>> {
        let trailers = ready!(self.reader.poll_trailers(cx));
        Poll::Ready(trailers.map_err(|code| body_error(&code)))
    }
}
