//! What can go wrong with a request.

use std::fmt;

use url::Url;

/// An error of any library, or of the program's own.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, the same on every host for the same cause.
///
/// A page's `fetch` tells little: there most failures before the response, also that another origin does
/// not permit the request, are [`Connect`](ErrorKind::Connect), and later ones
/// [`Closed`](ErrorKind::Closed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL cannot be parsed, or is not one that can be fetched: its scheme is
    /// not http or https, it has no host, or it holds credentials.
    Url,
    /// The name of the server could not be resolved.
    Dns,
    /// No connection could be made: refused, or the network is unreachable.
    Connect,
    /// No secure connection could be made: the certificate is not trusted or does
    /// not fit, or the two sides have no protocol in common.
    Tls,
    /// The time that was set for the request, or for reading on, is over.
    Timeout,
    /// The connection ended before the response was complete; to a server, before the request was.
    Closed,
    /// The server's answer is not valid HTTP; to a server, the client's request is not.
    Protocol,
    /// There were more redirects than the client allows.
    TooManyRedirects,
    /// The server redirects, and the request must not follow
    /// ([`Redirect::Error`](super::Redirect::Error)), or cannot: a streamed body
    /// cannot be sent a second time.
    Redirect,
    /// The body of the request could not be made. The source is the error of the
    /// stream that it was made of.
    Body,
    /// The body of the response is not what it was read as.
    Decode,
    /// The host does not let the program do this; the source names what.
    Unsupported,
    /// The request is not allowed, or something else; the source tells.
    Other,
}

impl ErrorKind {
    fn text(self) -> &'static str {
        match self {
            ErrorKind::Url => "not a URL that can be fetched",
            ErrorKind::Dns => "the server's name could not be resolved",
            ErrorKind::Connect => "connection refused or unreachable",
            ErrorKind::Tls => "no secure connection could be made",
            ErrorKind::Timeout => "the time for the request is over",
            ErrorKind::Closed => "the connection was closed before the response was complete",
            ErrorKind::Protocol => "the server's answer is not valid HTTP",
            ErrorKind::TooManyRedirects => "too many redirects",
            ErrorKind::Redirect => "a redirect that the request cannot follow",
            ErrorKind::Body => "the body of the request could not be made",
            ErrorKind::Decode => "the body of the response is not what was expected",
            ErrorKind::Unsupported => "this host cannot do that",
            ErrorKind::Other => "the request failed",
        }
    }
}

/// Why a request failed.
///
/// `Display` is the same on every host: what went wrong, and the URL where it is
/// known. The [source](std::error::Error::source) holds the details in the host's own words: on a
/// JavaScript host it is a [`HostError`](crate::HostError), whose sources are the causes that the
/// host gave. Of kind [`Body`](ErrorKind::Body) it is the error of the program's own stream.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    /// As the caller wrote it, if it could not be parsed.
    url: Option<String>,
    /// It is about a request that a server received, not about one that a client sent.
    received: bool,
    source: Option<Cause>,
}

/// Text only, so that no library below becomes part of the interface.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Detail(String);

impl Error {
    /// An error whose source is `source`.
    pub(crate) fn new(kind: ErrorKind, source: impl Into<Cause>) -> Self {
        let source = Some(source.into());
        Error { inner: Box::new(Inner { kind, url: None, received: false, source }) }
    }

    /// An error whose source says `detail`.
    pub(crate) fn with_detail(kind: ErrorKind, detail: impl fmt::Display) -> Self {
        Error::new(kind, Detail(detail.to_string()))
    }

    /// An error of a request that a server received, whose source says `detail`.
    #[cfg(all(feature = "serve", any(kippu_native, target_os = "wasi")))]
    pub(crate) fn of_received(kind: ErrorKind, detail: impl fmt::Display) -> Self {
        let mut error = Error::with_detail(kind, detail);
        error.inner.received = true;
        error
    }

    /// The same error with the URL that it is about, unless it has one. Any
    /// credentials in it are left out.
    pub(crate) fn at(mut self, url: &Url) -> Self {
        if self.inner.url.is_none() {
            let mut url = url.clone();
            // Both fail for URLs that cannot have credentials, which is as well.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            self.inner.url = Some(url.into());
        }
        self
    }

    /// The same error with the text that should have been a URL.
    pub(crate) fn at_text(mut self, url: &str) -> Self {
        self.inner.url = Some(url.to_owned());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.inner.kind, self.inner.received) {
            (ErrorKind::Closed, true) => {
                "the connection was closed before the request was complete"
            }
            (ErrorKind::Protocol, true) => "the client's request is not valid HTTP",
            (kind, _) => kind.text(),
        })?;
        match &self.inner.url {
            Some(url) => write!(f, ": {url}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("url", &self.inner.url)
            .field("source", &self.inner.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

impl From<Error> for std::io::Error {
    /// The kind is the closest one; the error itself is inside.
    fn from(error: Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            ErrorKind::Url => Io::InvalidInput,
            ErrorKind::Dns | ErrorKind::Connect => Io::NotConnected,
            ErrorKind::Timeout => Io::TimedOut,
            ErrorKind::Closed => Io::UnexpectedEof,
            ErrorKind::Protocol | ErrorKind::Decode | ErrorKind::Tls => Io::InvalidData,
            ErrorKind::Unsupported => Io::Unsupported,
            _ => Io::Other,
        };
        std::io::Error::new(kind, error)
    }
}
