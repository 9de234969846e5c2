//! HTTP by the host's `fetch`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::HostError;
use crate::http::{Error, ErrorKind, Request};

mod host {
    use postcard_schema::Schema;
    use serde::{Deserialize, Serialize};

    use crate::HostError;

    #[derive(Serialize, Deserialize, Schema)]
    pub(super) struct Request {
        pub(super) method: String,
        pub(super) url: String,
        pub(super) headers: Vec<(String, String)>,
        pub(super) body: Option<Vec<u8>>,
    }

    #[derive(Serialize, Deserialize, Schema)]
    pub(super) struct Response {
        pub(super) handle: u32,
        pub(super) status: u16,
        pub(super) headers: Vec<(String, String)>,
    }

    #[kippu::host(module = "kippu:http")]
    pub(super) async fn fetch(request: Request) -> Result<Response, HostError>;
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
    pub(crate) body: Body,
}

type Reading = Pin<Box<dyn Future<Output = Result<Vec<u8>, HostError>> + Send + Sync>>;

/// Names the body that the host keeps. Dropping it closes it there.
pub(crate) struct Body {
    handle: Option<u32>,
    /// A read that nobody waits for at the moment. The host may have taken its bytes from the body already, so
    /// the next read goes on with it.
    reading: Option<Reading>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// A `fetch` under way. Dropped when its answer is here but has not been taken, it closes the body.
struct Fetch<F: Future<Output = Result<host::Response, HostError>> + Unpin>(Option<F>);

impl<F: Future<Output = Result<host::Response, HostError>> + Unpin> Drop for Fetch<F> {
    fn drop(&mut self) {
        let Some(mut call) = self.0.take() else {
            return;
        };
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(Ok(response)) = Pin::new(&mut call).poll(&mut cx) {
            // Nobody is left to hear of an error.
            let _ = host::close(response.handle);
        }
    }
}

pub(crate) async fn exchange(_: &Connections, request: Request) -> Result<Answer, Error> {
    let headers = request.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), value.as_bytes().iter().map(|&byte| char::from(byte)).collect())
    });
    let request = host::Request {
        method: request.method.as_str().to_owned(),
        url: request.url.into(),
        headers: headers.collect(),
        body: request.body.map(Vec::from),
    };
    let mut fetch = Fetch(Some(host::fetch(request)));
    let answer = match &mut fetch.0 {
        Some(call) => call.await,
        None => unreachable!("it was made in the line above"),
    };
    fetch.0 = None;
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
    Ok(Answer { status, headers: map, body })
}

impl Body {
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(handle) = self.handle else {
            return Ok(None);
        };
        let chunk = self.reading.get_or_insert_with(|| Box::pin(host::chunk(handle))).await;
        self.reading = None;
        // At its end, and when it has failed, the host has forgotten the handle.
        if !matches!(&chunk, Ok(bytes) if !bytes.is_empty()) {
            self.handle = None;
        }
        let bytes = chunk.map_err(from_host)?;
        Ok((!bytes.is_empty()).then(|| Bytes::from(bytes)))
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
        _ => ErrorKind::Other,
    };
    Error::with_detail(kind, error)
}
