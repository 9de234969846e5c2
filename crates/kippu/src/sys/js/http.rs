//! HTTP by the host's `fetch`.

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

/// Names the body that the host keeps. Dropping it closes it there.
#[derive(Debug)]
pub(crate) struct Body {
    handle: Option<u32>,
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
    let response = host::fetch(request).await.map_err(from_host)?;
    let body = Body { handle: Some(response.handle) };
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
        let chunk = host::chunk(handle).await;
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
