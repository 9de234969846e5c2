//! Choices that a client makes for all its requests, and a request for itself.

use std::time::Duration;

/// What is done about a response that redirects: 301, 302, 303, 307 and 308 with a `location`.
///
/// After 303, and after 301 and 302 of a POST, the next request is a GET without body (or a HEAD if
/// the first one is); otherwise it is the same request again. `authorization`, `cookie` and
/// `proxy-authorization` are not sent to another origin. A body that was a
/// [stream](super::RequestBuilder::body_stream) cannot be sent again: where that would be needed the error is
/// [`ErrorKind::Redirect`](super::ErrorKind::Redirect).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Redirect {
    /// Follow up to so many, one more is the error
    /// [`TooManyRedirects`](super::ErrorKind::TooManyRedirects). The default is 10.
    ///
    /// In a page the browser follows, up to its own limit.
    Follow(u32),
    /// The redirecting response itself is the result.
    ///
    /// A page cannot see one: there it is the error
    /// [`Unsupported`](super::ErrorKind::Unsupported). Responses that do not redirect are as ever.
    Manual,
    /// A redirect is the error [`Redirect`](super::ErrorKind::Redirect).
    Error,
}

impl Default for Redirect {
    fn default() -> Self {
        Redirect::Follow(10)
    }
}

/// Which requests a page's browser sends its cookies and other credentials with, and of which
/// responses it keeps cookies. On other hosts nobody keeps cookies, and this
/// changes nothing: there send `cookie` and read `set-cookie` yourself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Credentials {
    /// None.
    Omit,
    /// Those to the page's own origin.
    #[default]
    SameOrigin,
    /// All. Another origin must allow that, or the request fails.
    Include,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) redirect: Redirect,
    pub(crate) credentials: Credentials,
    pub(crate) timeout: Option<Duration>,
    pub(crate) read_timeout: Option<Duration>,
}
