//! HTTP by the host's `fetch`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;

use crate::HostError;
use crate::http::{Credentials, Error, ErrorKind, Outgoing, Redirect, Request, Upload};

mod host {
    use futures_core::Stream;
    use postcard_schema::Schema;
    use serde::{Deserialize, Serialize};

    use crate::HostError;

    #[derive(Serialize, Deserialize, Schema)]
    pub(super) struct Request {
        pub(super) method: String,
        pub(super) url: String,
        pub(super) headers: Vec<(String, String)>,
        pub(super) user_agent: String,
        pub(super) body: Option<Vec<u8>>,
        pub(super) redirect: u8,
        pub(super) credentials: u8,
    }

    #[derive(Serialize, Deserialize, Schema)]
    pub(super) struct Response {
        pub(super) handle: u32,
        pub(super) status: u16,
        pub(super) headers: Vec<(String, String)>,
        pub(super) url: String,
    }

    #[kippu::host(module = "kippu:http")]
    pub(super) async fn fetch(request: Request) -> Result<Response, HostError>;
    #[kippu::host(module = "kippu:http")]
    pub(super) async fn upload(
        request: Request,
        body: impl Stream<Item = Result<Vec<u8>, HostError>> + 'static,
    ) -> Result<Response, HostError>;
    #[kippu::host(module = "kippu:http")]
    pub(super) async fn chunk(handle: u32) -> Result<Vec<u8>, HostError>;
    #[kippu::host(module = "kippu:http")]
    pub(super) fn close(handle: u32) -> Result<(), HostError>;
}

/// The host keeps the connections.
#[derive(Debug, Default)]
pub(crate) struct Connections;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Where it came from, if the host followed redirects.
    pub(crate) url: Option<Url>,
    pub(crate) body: Body,
}

/// The ticket of the host's operation is what keeps the program going.
pub(crate) struct Hold;

pub(crate) fn hold() -> Result<Hold, Error> {
    Ok(Hold)
}

type Fetching = Pin<Box<dyn Future<Output = Result<host::Response, HostError>> + Send>>;

/// A body that is made while it is sent.
pub(crate) struct Streamed {
    body: Upload,
    /// Named where a body is streamed and nowhere else, so that other guests carry nothing of it.
    send: fn(host::Request, Upload) -> Fetching,
}

impl Streamed {
    pub(crate) fn new(body: Upload) -> Self {
        Streamed { body, send: |request, body| Box::pin(host::upload(request, Crossing(body))) }
    }
}

/// The pieces as they cross.
struct Crossing(Upload);

impl Stream for Crossing {
    type Item = Result<Vec<u8>, HostError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = Pin::new(&mut self.0).poll_next(cx);
        piece.map(|piece| {
            piece.map(|piece| {
                // The host gives the error back as the reason of the failure, if at all; whoever waits
                // for the answer has the stream's own.
                piece.map(Vec::from).map_err(|error| HostError::new(error.to_string()))
            })
        })
    }
}

type Reading = Pin<Box<dyn Future<Output = Result<Vec<u8>, HostError>> + Send + Sync>>;

/// Names the body that the host keeps. Dropping it closes it there.
pub(crate) struct Body {
    handle: Option<u32>,
    /// The read that is under way. It stays when nobody waits for it: the host may have taken its bytes from
    /// the body already.
    reading: Option<Reading>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// A `fetch` under way. Dropped when its answer is here but has not been taken, it closes the body.
struct Fetch(Option<Fetching>);

impl Future for Fetch {
    type Output = Result<host::Response, HostError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = &mut self.0 else {
            return Poll::Pending;
        };
        let polled = call.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        let Some(mut call) = self.0.take() else {
            return;
        };
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(Ok(response)) = call.as_mut().poll(&mut cx) {
            // Nobody is left to hear of an error.
            let _ = host::close(response.handle);
        }
    }
}

pub(crate) async fn exchange(_: &Connections, request: Request) -> Result<Answer, Error> {
    let headers = request.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), value.as_bytes().iter().map(|&byte| char::from(byte)).collect())
    });
    let mut message = host::Request {
        method: request.method.as_str().to_owned(),
        url: request.url.into(),
        headers: headers.collect(),
        user_agent: request.user_agent.as_bytes().iter().map(|&byte| char::from(byte)).collect(),
        body: None,
        redirect: match request.redirect {
            Redirect::Follow(_) => 0,
            Redirect::Manual => 1,
            Redirect::Error => 2,
        },
        credentials: match request.credentials {
            Credentials::Omit => 0,
            Credentials::SameOrigin => 1,
            Credentials::Include => 2,
        },
    };
    let call: Fetching = match request.body {
        Outgoing::Stream(Streamed { body, send }) => send(message, body),
        Outgoing::Bytes(bytes) => {
            message.body = Some(Vec::from(bytes));
            Box::pin(host::fetch(message))
        }
        Outgoing::None | Outgoing::Sent => Box::pin(host::fetch(message)),
    };
    let answer = Fetch(Some(call)).await;
    let response = answer.map_err(from_host)?;
    let body = Body { handle: Some(response.handle), reading: None };
    let status = StatusCode::from_u16(response.status)
        .map_err(|e| Error::with_detail(ErrorKind::Protocol, e))?;
    // The host has checked the names and values; what this crate's types cannot hold is left out.
    // A value's characters are its bytes: JavaScript shows them as Latin-1.
    let headers = response.headers.into_iter().filter_map(|(name, value)| {
        let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(bytes?).ok()?))
    });
    let mut map = HeaderMap::new();
    headers.for_each(|(name, value)| {
        map.append(name, value);
    });
    let url = match &*response.url {
        "" => None,
        text => Some(Url::parse(text).map_err(|e| Error::with_detail(ErrorKind::Protocol, e))?),
    };
    Ok(Answer { status, headers: map, url, body })
}

impl Body {
    /// The next piece, never empty; `None` at the end.
    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Error>> {
        let Some(handle) = self.handle else {
            return Poll::Ready(Ok(None));
        };
        let reading = self.reading.get_or_insert_with(|| Box::pin(host::chunk(handle)));
        let chunk = ready!(reading.as_mut().poll(cx));
        self.reading = None;
        // At its end, and when it has failed, the host has forgotten the handle.
        if !matches!(&chunk, Ok(bytes) if !bytes.is_empty()) {
            self.handle = None;
        }
        let bytes = chunk.map_err(from_host)?;
        Poll::Ready(Ok((!bytes.is_empty()).then(|| Bytes::from(bytes))))
    }

    /// `fetch` does not show any.
    pub(crate) fn poll_trailers(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, Error>> {
        Poll::Ready(Ok(None))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            // Nobody is left to hear of an error.
            let _ = host::close(handle);
        }
    }
}

fn from_host(error: HostError) -> Error {
    let kind = match error.code() {
        "dns" => ErrorKind::Dns,
        "connect" => ErrorKind::Connect,
        "tls" => ErrorKind::Tls,
        "closed" => ErrorKind::Closed,
        "timeout" => ErrorKind::Timeout,
        "protocol" => ErrorKind::Protocol,
        "url" => ErrorKind::Url,
        "redirect" => ErrorKind::Redirect,
        "unsupported" => ErrorKind::Unsupported,
        _ => ErrorKind::Other,
    };
    Error::new(kind, error)
}
