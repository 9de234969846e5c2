//! An HTTP client, the same on every host. Handlers of HTTP servers are in [`server`].
//!
//! ```no_run
//! # async fn f() -> Result<(), kippu::http::Error> {
//! let client = kippu::http::Client::new();
//! let response = client.get("https://example.org/").send().await?;
//! let text = response.text().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Natively it is HTTP/1.1 over TCP or TLS, with the certificates that the system trusts (or those in the
//! file that the variable `SSL_CERT_FILE` names), without proxies. On JavaScript hosts it is the host's
//! `fetch`, with its protocols, proxies and, in pages, cross-origin rules. On WASI it is the host's `wasi:http`: `wasmtime run` needs
//! the option `-S http` for it. wasmtime makes a connection for each request, by HTTP/1.1, and trusts
//! Mozilla's certificates.
//!
//! Futures of this module are `Send`. Dropping one, or a [`Response`], ends the
//! exchange on every host, in the middle of an upload or download too; a request that was sent may have been
//! answered and acted upon.
//!
//! # What depends on the host
//!
//! | | natively | WASI 0.2 and 0.3 | Node, Deno, Bun | pages and workers of browsers |
//! |---|---|---|---|---|
//! | redirects | followed by this crate | the same | the same | followed by the browser, by its own limit; [`Redirect::Manual`] is an error when there is one |
//! | cookies | none are kept; the headers `cookie` and `set-cookie` pass through | the same | the same | kept by the browser, see [`Credentials`]; the headers cannot be set and seen |
//! | headers of requests | all but the [client's own](RequestBuilder::header) | those that the host keeps for itself, such as `keep-alive` and `proxy-authorization`, are [`ErrorKind::Unsupported`]; wasmtime takes up to 128 KiB | all but the client's own | those that browsers [forbid](https://developer.mozilla.org/docs/Glossary/Forbidden_request_header) are [`ErrorKind::Unsupported`]; `user-agent` is the browser's |
//! | headers of responses | all | all but those about the connection | all | of other origins those that they expose |
//! | streamed request bodies | sent as they are made | the same | the same | collected first, then sent |
//! | [trailers](Response::trailers) of responses | all | the same | none | none |
//! | `content-encoding` | left as it is | the same | undone; not asked for | undone |
//! | time limits | those of the program | also the host's: wasmtime gives up after ten minutes | also the host's | also the browser's |
//! | kinds of errors | all | all but [`Protocol`](ErrorKind::Protocol), which hosts do not tell from [`Closed`](ErrorKind::Closed) | all | mostly [`Connect`](ErrorKind::Connect) and [`Closed`](ErrorKind::Closed) |
//! | [source](std::error::Error::source) of errors | text | text | [`HostError`](crate::HostError) | [`HostError`](crate::HostError) |
//!
//! Trailers of requests cannot be sent: `fetch` has none, and other hosts want their names before the body begins.
//!
//! # Features
//!
//! With the feature `json` (not a default one), `RequestBuilder::json` and `Response::json` convert bodies by
//! serde.

mod client;
mod error;
mod options;
mod read;
mod redirect;
mod request;
mod response;
pub mod server;
mod upload;
mod whole;

pub use bytes::Bytes;
pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use options::{Credentials, Redirect};
pub use read::{BytesStream, Reader};
pub use request::RequestBuilder;
pub use response::Response;
#[cfg(feature = "serve")]
pub use server::serve;
pub use url::Url;

#[cfg(not(kippu_js))]
pub(crate) use upload::Interrupted;
pub(crate) use upload::Upload;

/// One exchange, as `sys::http::exchange` takes it. Redirects are left to the caller, unless the host
/// hides them.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Of scheme http or https, with a host, without credentials and fragment.
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// Sent by hosts that have none of their own, unless `headers` has one.
    pub(crate) user_agent: HeaderValue,
    pub(crate) body: Outgoing,
    pub(crate) redirect: Redirect,
    pub(crate) credentials: Credentials,
}

/// The body of a request.
pub(crate) enum Outgoing {
    None,
    Bytes(Bytes),
    Stream(crate::sys::http::Streamed),
    /// It was a stream, and has been taken.
    Sent,
}
