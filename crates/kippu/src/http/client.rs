//! The client and its settings.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::HeaderValue;

use super::{Error, ErrorKind, RequestBuilder};
use crate::sys;

/// How many redirects are followed unless the builder says otherwise.
const REDIRECTS: u32 = 10;

/// What is sent as `user-agent` unless the builder says otherwise.
const USER_AGENT: &str = concat!("kippu/", env!("CARGO_PKG_VERSION"));

/// Sends requests. Cloning it is cheap; the clones share settings and connections.
#[derive(Clone)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) settings: Settings,
    pub(super) connections: sys::http::Connections,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) user_agent: HeaderValue,
    pub(super) redirects: u32,
    pub(super) timeout: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            user_agent: HeaderValue::from_static(USER_AGENT),
            redirects: REDIRECTS,
            timeout: None,
        }
    }
}

impl Client {
    /// A client with the default settings. Nothing is opened until a request is
    /// sent.
    #[must_use]
    pub fn new() -> Client {
        Client::with(Settings::default())
    }

    /// Settings other than the default ones.
    pub fn builder() -> ClientBuilder {
        ClientBuilder { settings: Ok(Settings::default()) }
    }

    fn with(settings: Settings) -> Client {
        Client { inner: Arc::new(Inner { settings, connections: Default::default() }) }
    }

    /// A GET request. Errors in `url` are told when it is sent.
    pub fn get(&self, url: &str) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A HEAD request. Errors in `url` are told when it is sent.
    pub fn head(&self, url: &str) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// A POST request. Errors in `url` are told when it is sent.
    pub fn post(&self, url: &str) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A request of any method but CONNECT and TRACE, which hosts do not allow.
    /// Errors are told when it is sent.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, url)
    }
}

impl Default for Client {
    fn default() -> Self {
        Client::new()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

/// Settings of a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    settings: Result<Settings, Error>,
}

impl ClientBuilder {
    /// What is sent as `user-agent`, for requests that do not set it themselves.
    /// The default is `kippu/` and the version. Browsers send their own instead.
    pub fn user_agent(self, user_agent: &str) -> Self {
        let settings = self.settings.and_then(|settings| {
            let user_agent = HeaderValue::from_str(user_agent).map_err(|_| {
                Error::with_detail(
                    ErrorKind::Other,
                    format_args!("{user_agent:?} cannot be sent as the header user-agent"),
                )
            })?;
            Ok(Settings { user_agent, ..settings })
        });
        ClientBuilder { settings }
    }

    /// How many redirects are followed for one request. The default is 10. With 0
    /// none is: the redirecting response itself is the result.
    pub fn redirects(self, redirects: u32) -> Self {
        ClientBuilder { settings: self.settings.map(|settings| Settings { redirects, ..settings }) }
    }

    /// How long sending a request may take: connecting, sending and all redirects,
    /// until the headers of the response are there. There is no limit by default.
    /// Reading the body is not included; put [`crate::time::timeout`] around that.
    pub fn timeout(self, timeout: Duration) -> Self {
        let timeout = Some(timeout);
        ClientBuilder { settings: self.settings.map(|settings| Settings { timeout, ..settings }) }
    }

    /// A client with these settings.
    ///
    /// # Errors
    /// Of kind [`Other`](ErrorKind::Other), when the user agent cannot be a
    /// header's value.
    pub fn build(self) -> Result<Client, Error> {
        self.settings.map(Client::with)
    }
}
