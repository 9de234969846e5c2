//! An HTTP client, the same on every host.
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
//! What is the same everywhere: redirects, timeouts, which requests are refused,
//! and the [kinds of errors](ErrorKind). What depends on the host:
//!
//! - Natively it is HTTP/1.1 over TCP or TLS, with the certificates that the system
//!   trusts (or those in the file that the variable `SSL_CERT_FILE` names), without
//!   proxies. Bodies come as they are on the wire.
//! - On JavaScript hosts it is the host's `fetch`, with its protocols, proxies and
//!   cross-origin rules. It undoes `content-encoding`.
//!
//! Futures of this module are `Send`. Dropping one, or a [`Response`], ends the
//! exchange; a request that was sent may have been answered and acted upon.

mod client;
mod error;
mod redirect;
mod request;
mod response;

pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use request::RequestBuilder;
pub use response::Response;
pub use url::Url;

/// One exchange without redirects, as `sys::http::exchange` takes it.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Of scheme http or https, with a host, without credentials and fragment.
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<bytes::Bytes>,
}
