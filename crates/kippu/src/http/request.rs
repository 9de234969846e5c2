//! One request, from its URL to the headers of its response.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::error::Cause;
use super::options::Options;
use super::response::Transfer;
use super::upload::{Upload, Watch};
use super::{
    Client, Credentials, Error, ErrorKind, Outgoing, Redirect, Request, Response, redirect,
};
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
    /// Of a streamed body.
    watch: Option<Watch>,
    options: Options,
}

impl RequestBuilder {
    pub(super) fn new(client: Client, method: Method, url: &str) -> Self {
        let settings = &client.inner.settings;
        let options = settings.options.clone();
        let request = parsed(url).and_then(|url| {
            if matches!(method, Method::CONNECT | Method::TRACE) {
                let detail = format_args!("the method {method} cannot be sent");
                return Err(Error::with_detail(ErrorKind::Other, detail).at(&url));
            }
            Ok(Request {
                method,
                url,
                headers: HeaderMap::new(),
                user_agent: settings.user_agent.clone(),
                body: Outgoing::None,
                redirect: options.redirect,
                credentials: options.credentials,
            })
        });
        RequestBuilder { client, request, watch: None, options }
    }

    /// Adds a header. A name may be used several times. Requests without `accept` and
    /// `user-agent` get `*/*` and what the client's builder says.
    ///
    /// Headers about the connection and the length of the message (`connection`,
    /// `content-length`, `expect`, `host`, `te`, `trailer`, `transfer-encoding`,
    /// `upgrade`) are the client's own: setting one is an error. Only `te: trailers` may be set, which asks
    /// for [trailers](Response::trailers). Pages must not set some more, such as
    /// `cookie` and `origin`: there these are an error too, of kind
    /// [`Unsupported`](ErrorKind::Unsupported). Errors are told when the request is sent.
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

    /// Adds a pair to the URL's query.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if let Ok(request) = &mut self.request {
            request.url.query_pairs_mut().append_pair(name, value);
        }
        self
    }

    /// Sets the body. GET and HEAD requests cannot have one; that is told when the
    /// request is sent.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = Bytes::from(body.into());
        self.with_body(Outgoing::Bytes(body), None)
    }

    /// Sets a body that is made while it is sent: the next piece is asked for when the connection takes it.
    /// It has no `content-length`. GET and HEAD requests cannot have one; that is told when the request is sent.
    ///
    /// An error of the stream fails the request, or the response if that has begun: with the kind
    /// [`Body`](ErrorKind::Body), and the stream's error as the source. The stream is dropped at its
    /// end, when the exchange fails, and at the latest with the response, so read that to its end if the
    /// server answers early. It cannot be sent again, see [`Redirect`].
    ///
    /// In pages, where sending a stream depends on browser and protocol, it is collected first.
    ///
    /// ```no_run
    /// # async fn f(lines: impl kippu::stream::Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static)
    /// # -> Result<(), kippu::http::Error> {
    /// let client = kippu::http::Client::new();
    /// let response = client.put("https://example.org/log").body_stream(lines).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn body_stream<S, B, E>(self, body: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let upload = Upload::new(body);
        let watch = upload.watch();
        self.with_body(Outgoing::Stream(sys::http::Streamed::new(upload)), Some(watch))
    }

    /// Sets the body to `value` as JSON, and `content-type` to `application/json` unless it is set
    /// already. A value that cannot be JSON is an error of kind [`Body`](ErrorKind::Body), told when
    /// the request is sent.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.request = self.request.and_then(|mut request| match serde_json::to_vec(value) {
            Ok(json) => {
                request.body = Outgoing::Bytes(json.into());
                let json = HeaderValue::from_static("application/json");
                request.headers.entry(http::header::CONTENT_TYPE).or_insert(json);
                Ok(request)
            }
            Err(error) => Err(Error::with_detail(ErrorKind::Body, error).at(&request.url)),
        });
        self.watch = None;
        self
    }

    fn with_body(mut self, body: Outgoing, watch: Option<Watch>) -> Self {
        if let Ok(request) = &mut self.request {
            request.body = body;
            self.watch = watch;
        }
        self
    }

    /// What is done about redirects, instead of what the client's builder says.
    pub fn redirect(mut self, redirect: Redirect) -> Self {
        self.options.redirect = redirect;
        self
    }

    /// Whether a browser sends its cookies, instead of what the client's builder says.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.options.credentials = credentials;
        self
    }

    /// How long sending may take, instead of what the client's builder says. See
    /// [`ClientBuilder::timeout`](super::ClientBuilder::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// How long the next piece of the response's body may take, instead of what the client's builder says. See
    /// [`ClientBuilder::read_timeout`](super::ClientBuilder::read_timeout).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.options.read_timeout = Some(timeout);
        self
    }

    /// Sends the request, follows [redirects](Redirect), and gives the response once its headers
    /// are there. A status such as 404 is a response, not an error.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    ///
    /// # Cancellation
    /// Dropping the future ends the exchange.
    pub async fn send(self) -> Result<Response, Error> {
        let mut request = self.request?;
        let has_body = !matches!(request.body, Outgoing::None);
        if matches!(request.method, Method::GET | Method::HEAD) && has_body {
            let detail = format_args!("a {} request cannot have a body", request.method);
            return Err(Error::with_detail(ErrorKind::Other, detail).at(&request.url));
        }
        request.redirect = self.options.redirect;
        request.credentials = self.options.credentials;
        request.headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        let url = request.url.clone();
        let sending = exchange(&self.client, request, self.watch, self.options.read_timeout);
        let Some(limit) = self.options.timeout else {
            return sending.await;
        };
        match crate::time::timeout(limit, sending).await {
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
                .field("options", &self.options)
                .finish_non_exhaustive(),
            Err(error) => f.debug_tuple("RequestBuilder").field(error).finish(),
        }
    }
}

/// Sends `request` and does as its redirect mode says.
async fn exchange(
    client: &Client,
    mut request: Request,
    mut watch: Option<Watch>,
    read_timeout: Option<Duration>,
) -> Result<Response, Error> {
    let mut followed = 0;
    loop {
        let body = match &mut request.body {
            Outgoing::None => Outgoing::None,
            Outgoing::Bytes(bytes) => Outgoing::Bytes(bytes.clone()),
            stream => std::mem::replace(stream, Outgoing::Sent),
        };
        let once = Request {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            user_agent: request.user_agent.clone(),
            body,
            ..request
        };
        let answer = sys::http::exchange(&client.inner.connections, once).await;
        let answer = answer.map_err(|error| why(error, watch.as_ref()).at(&request.url))?;
        if let Some(location) = redirect::location(answer.status, &answer.headers) {
            match request.redirect {
                Redirect::Manual => {}
                Redirect::Error => {
                    let status = answer.status.as_u16();
                    let detail = format_args!("{status} leads to {location}");
                    return Err(Error::with_detail(ErrorKind::Redirect, detail).at(&request.url));
                }
                Redirect::Follow(limit) if followed == limit => {
                    let detail = format_args!("gave up after {limit} redirects");
                    let error = Error::with_detail(ErrorKind::TooManyRedirects, detail);
                    return Err(error.at(&request.url));
                }
                Redirect::Follow(_) => {
                    redirect::follow(&mut request, answer.status, &location)?;
                    followed += 1;
                    watch = None;
                    continue;
                }
            }
        }
        // The host has followed redirects by itself if it gives another URL.
        let url = answer.url.clone().unwrap_or_else(|| request.url.clone());
        let transfer = Transfer { body: answer.body, watch, timeout: read_timeout };
        return Ok(Response::new(answer.status, answer.headers, url, transfer));
    }
}

/// `error`, or the error of the streamed body that led to it.
pub(super) fn why(error: Error, watch: Option<&Watch>) -> Error {
    match watch.and_then(Watch::cause) {
        Some(cause) => Error::new(ErrorKind::Body, cause as Cause),
        None => error,
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
    let value =
        HeaderValue::try_from(value).map_err(|error| format!("the header {name}: {error}"))?;
    // To ask for trailers says nothing about the message.
    let asks_for_trailers = name == TE && value == "trailers";
    if is_reserved(&name) && !asks_for_trailers {
        return Err(format!("the header {name} is set by the client itself"));
    }
    Ok((name, value))
}
