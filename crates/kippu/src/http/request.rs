//! One request, from its URL to the headers of its response.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::{Client, Error, ErrorKind, Request, Response, redirect};
use crate::sys;

/// Whether the client itself says this, about the message and the connection.
/// Browsers do not let anybody else set these, and a wrong one could smuggle in a
/// second request.
fn is_reserved(name: &HeaderName) -> bool {
    [CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE]
        .contains(name)
}

/// A request that is being put together. Made by [`Client::request`] and its kin.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    client: Client,
    /// The first error, told by `send`.
    request: Result<Request, Error>,
    timeout: Option<Duration>,
}

impl RequestBuilder {
    pub(super) fn new(client: Client, method: Method, url: &str) -> Self {
        let timeout = client.inner.settings.timeout;
        let request = parsed(url).and_then(|url| {
            if matches!(method, Method::CONNECT | Method::TRACE) {
                let detail = format_args!("the method {method} cannot be sent");
                return Err(Error::with_detail(ErrorKind::Other, detail).at(&url));
            }
            Ok(Request { method, url, headers: HeaderMap::new(), body: None })
        });
        RequestBuilder { client, request, timeout }
    }

    /// Adds a header. A name may be used several times. Requests without `accept` and
    /// `user-agent` get `*/*` and what the client's builder says.
    ///
    /// Headers about the connection and the length of the message (`connection`,
    /// `content-length`, `expect`, `host`, `te`, `trailer`, `transfer-encoding`,
    /// `upgrade`) are the client's own: setting one is an error. Errors are told
    /// when the request is sent.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        HeaderName: TryFrom<N, Error: fmt::Display>,
        HeaderValue: TryFrom<V, Error: fmt::Display>,
    {
        self.request = self.request.and_then(|mut request| {
            let added = parsed_header(name, value).and_then(|(name, value)| {
                request.headers.try_append(name, value).map_err(|error| error.to_string())
            });
            match added {
                Ok(_) => Ok(request),
                Err(detail) => Err(Error::with_detail(ErrorKind::Other, detail).at(&request.url)),
            }
        });
        self
    }

    /// Sets the body. GET and HEAD requests cannot have one; that is told when the
    /// request is sent.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        if let Ok(request) = &mut self.request {
            request.body = Some(Bytes::from(body.into()));
        }
        self
    }

    /// How long sending may take, instead of what the client's builder says. See
    /// [`ClientBuilder::timeout`](super::ClientBuilder::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends the request, follows redirects, and gives the response once its headers
    /// are there. A status such as 404 is a response, not an error.
    ///
    /// After 301, 302 and 303 the next request is a GET without body, or a HEAD if this
    /// one is; after 307 and 308 it is the same request again. `authorization`,
    /// `cookie` and `proxy-authorization` are not sent to another origin.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    ///
    /// # Cancellation
    /// Dropping the future ends the exchange.
    pub async fn send(self) -> Result<Response, Error> {
        let mut request = self.request?;
        if matches!(request.method, Method::GET | Method::HEAD) && request.body.is_some() {
            let detail = format_args!("a {} request cannot have a body", request.method);
            return Err(Error::with_detail(ErrorKind::Other, detail).at(&request.url));
        }
        let headers = &mut request.headers;
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(USER_AGENT).or_insert(self.client.inner.settings.user_agent.clone());
        let Some(limit) = self.timeout else {
            return exchange(&self.client, request).await;
        };
        let url = request.url.clone();
        match crate::time::timeout(limit, exchange(&self.client, request)).await {
            Ok(result) => result,
            Err(_) => {
                let detail = format_args!("no response within {limit:?}");
                Err(Error::with_detail(ErrorKind::Timeout, detail).at(&url))
            }
        }
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            // Headers may hold secrets.
            Ok(request) => f
                .debug_struct("RequestBuilder")
                .field("method", &request.method)
                .field("url", &request.url.as_str())
                .field("timeout", &self.timeout)
                .finish_non_exhaustive(),
            Err(error) => f.debug_tuple("RequestBuilder").field(error).finish(),
        }
    }
}

/// Sends `request` and follows redirects.
async fn exchange(client: &Client, mut request: Request) -> Result<Response, Error> {
    let inner = &*client.inner;
    let limit = inner.settings.redirects;
    let mut followed = 0;
    loop {
        let once = Request {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let answer = sys::http::exchange(&inner.connections, once)
            .await
            .map_err(|error| error.at(&request.url))?;
        let url = request.url.clone();
        if limit == 0 || !redirect::follow(&mut request, answer.status, &answer.headers)? {
            return Ok(Response::new(answer, url));
        }
        if followed == limit {
            let detail = format_args!("gave up after {limit} redirects");
            return Err(Error::with_detail(ErrorKind::TooManyRedirects, detail).at(&url));
        }
        followed += 1;
    }
}

fn parsed(text: &str) -> Result<Url, Error> {
    match Url::parse(text) {
        Ok(url) => checked(url),
        Err(error) => Err(Error::with_detail(ErrorKind::Url, error).at_text(text)),
    }
}

/// `url` without its fragment, which is never sent, if it is one that every host
/// can fetch.
pub(super) fn checked(mut url: Url) -> Result<Url, Error> {
    let refused = if !matches!(url.scheme(), "http" | "https") {
        Some(format!("the scheme is {:?}; only http and https can be fetched", url.scheme()))
    } else if !url.username().is_empty() || url.password().is_some() {
        Some("it holds credentials; send them in the header authorization".to_owned())
    } else {
        None
    };
    match refused {
        Some(detail) => Err(Error::with_detail(ErrorKind::Url, detail).at(&url)),
        None => {
            url.set_fragment(None);
            Ok(url)
        }
    }
}

fn parsed_header<N, V>(name: N, value: V) -> Result<(HeaderName, HeaderValue), String>
where
    HeaderName: TryFrom<N, Error: fmt::Display>,
    HeaderValue: TryFrom<V, Error: fmt::Display>,
{
    let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
    if is_reserved(&name) {
        return Err(format!("the header {name} is set by the client itself"));
    }
    match HeaderValue::try_from(value) {
        Ok(value) => Ok((name, value)),
        Err(error) => Err(format!("the header {name}: {error}")),
    }
}
