//! The client and its settings.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::HeaderValue;

use super::options::Options;
use super::{Credentials, Error, ErrorKind, Redirect, RequestBuilder};
use crate::sys;

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
    pub(super) options: Options,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { user_agent: HeaderValue::from_static(USER_AGENT), options: Options::default() }
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

    /// A PUT request. Errors in `url` are told when it is sent.
    pub fn put(&self, url: &str) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// A PATCH request. Errors in `url` are told when it is sent.
    pub fn patch(&self, url: &str) -> RequestBuilder {
        self.request(Method::PATCH, url)
    }

    /// A DELETE request. Errors in `url` are told when it is sent.
    pub fn delete(&self, url: &str) -> RequestBuilder {
        self.request(Method::DELETE, url)
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

    fn with(self, change: impl FnOnce(&mut Options)) -> Self {
        let settings = self.settings.map(|mut settings| {
            change(&mut settings.options);
            settings
        });
        ClientBuilder { settings }
    }

    /// How many redirects are followed for one request. The default is 10. With 0
    /// none is: the redirecting response itself is the result. Short for
    /// [`redirect`](ClientBuilder::redirect) with [`Follow`](Redirect::Follow) or
    /// [`Manual`](Redirect::Manual).
    pub fn redirects(self, redirects: u32) -> Self {
        self.redirect(if redirects == 0 { Redirect::Manual } else { Redirect::Follow(redirects) })
    }

    /// What is done about redirects. The default is to follow 10.
    pub fn redirect(self, redirect: Redirect) -> Self {
        self.with(|options| options.redirect = redirect)
    }

    /// Which requests a browser sends its cookies with. The default is those to the page's own origin.
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.with(|options| options.credentials = credentials)
    }

    /// How long sending a request may take: connecting, sending and all redirects,
    /// until the headers of the response are there. There is no limit by default.
    /// Reading the body is not included: see [`read_timeout`](ClientBuilder::read_timeout), and for the
    /// whole put [`crate::time::timeout`] around it.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeout = Some(timeout))
    }

    /// How long the next piece of a response's body may keep whoever reads it waiting. There is no limit
    /// by default. Time in which nobody reads does not count.
    pub fn read_timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.read_timeout = Some(timeout))
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
