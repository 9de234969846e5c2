//! What becomes a response.

use std::error::Error as StdError;
use std::fmt::Write;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use http_body::Body as HttpBody;

use super::{Body, Response};

/// What a handler may return.
///
/// | type | response |
/// |---|---|
/// | `http::Response<B>` of any [`http_body::Body`] | itself |
/// | `&'static str`, `String` | 200, `text/plain; charset=utf-8` |
/// | [`Bytes`], `Vec<u8>` | 200, `application/octet-stream` |
/// | [`Body`], `()` | 200 without a type |
/// | [`StatusCode`] | that status, without a body |
/// | `(StatusCode, R)` | that of `R` with another status |
/// | `Result<R, E>` of any error | that of `R`; 500 for an `Err`, which is written to standard error |
///
/// ```
/// use http::StatusCode;
/// use kippu::http::server::{IntoResponse, Request};
///
/// async fn handle(request: Request) -> Result<impl IntoResponse, kippu::http::Error> {
///     let name = request.into_body().text().await?;
///     Ok((StatusCode::CREATED, format!("{name} is welcome\n")))
/// }
/// ```
pub trait IntoResponse {
    /// The response.
    fn into_response(self) -> Response;
}

impl<B> IntoResponse for http::Response<B>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn into_response(self) -> Response {
        self.map(Body::new)
    }
}

impl<R: IntoResponse, E: Into<Box<dyn StdError>>> IntoResponse for Result<R, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(response) => response.into_response(),
            Err(error) => failed(&*error.into()),
        }
    }
}

impl<R: IntoResponse> IntoResponse for (StatusCode, R) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        (self, ()).into_response()
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::new(Body::empty())
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        typed("text/plain; charset=utf-8", self)
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        typed("text/plain; charset=utf-8", self)
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        typed("application/octet-stream", self)
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        typed("application/octet-stream", self)
    }
}

fn typed(media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// 500, with the error on standard error only: it may say more than a client should know.
#[cold]
fn failed(error: &(dyn StdError + 'static)) -> Response {
    report("a handler failed", error);
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n").into_response()
}

/// Writes the error that the body of a response failed of to standard error.
#[cfg(any(feature = "serve", kippu_wasi))]
pub(crate) fn report_body(error: &crate::http::Error) {
    // The cause alone: that it is of a body has been said.
    let cause = error.source().filter(|_| error.kind() == crate::http::ErrorKind::Body);
    report("the body of a response failed", cause.unwrap_or(error));
}

/// Writes an error with its sources to standard error, in one piece.
pub(crate) fn report(what: &str, error: &(dyn StdError + 'static)) {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    crate::eprintln!("{text}");
}
