//! What the routes do.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{future, stream};
use http::header::{CONTENT_TYPE, TRAILER};
use http::{HeaderMap, HeaderName, HeaderValue};
use kippu::http::server::{Body, Request, Response};
use kippu::http::{self as web, Client};
use kippu::{task, time};

use crate::query::{Query, QueryError};

const MAX_MS: u64 = 600_000;
const MAX_REQUESTS: usize = 10_000;
const MAX_CHUNKS: u64 = 1_000_000;
const MAX_BYTES: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the request is wrong")]
    Query(#[from] QueryError),
    #[error("the request's body did not come")]
    Body(#[from] web::Error),
    #[error("the answers did not come in time")]
    TooLate,
    #[error("this error was asked for")]
    Wanted,
}

/// What comes in goes out, as it comes, with the trailers.
pub(crate) fn echo(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut response = Response::new(body);
    for name in [CONTENT_TYPE, TRAILER] {
        if let Some(value) = head.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// Reads the request's body without keeping it.
pub(crate) async fn count(request: Request) -> Result<String, Error> {
    let mut body = request.into_body();
    let mut bytes = 0;
    while let Some(chunk) = body.chunk().await? {
        bytes += chunk.len();
    }
    Ok(format!("{bytes} bytes\n"))
}

/// Tells the request's trailers in the body, and has one of its own.
pub(crate) async fn trailers(request: Request) -> Result<Response, Error> {
    let mut text = String::new();
    let received = request.into_body().trailers().await?.unwrap_or_default();
    for (name, value) in &received {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    let length = HeaderName::from_static("x-length");
    let trailers = HeaderMap::from_iter([(length, HeaderValue::from(text.len()))]);
    let mut response = Response::new(Body::from(text).with_trailers(trailers));
    response.headers_mut().insert(TRAILER, HeaderValue::from_static("x-length"));
    Ok(response)
}

/// `n` GETs of `url` at once. All of them have `ms` milliseconds.
pub(crate) async fn fan_out(query: &Query) -> Result<Response, Error> {
    let count = query.number("n", 10, MAX_REQUESTS)?;
    let url = query.text("url")?;
    let client = Client::new();
    let limit = Duration::from_millis(query.number("ms", 30_000, MAX_MS)?);
    let requests = future::join_all((0..count).map(|_| get(&client, &url)));
    let results = time::timeout(limit, requests).await.map_err(|_| Error::TooLate)?;
    let (mut ok, mut bytes, mut first_error) = (0, 0, None);
    for result in results {
        match result {
            Ok(length) => (ok, bytes) = (ok + 1, bytes + length),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let mut text = format!("{ok} of {count} answered with {bytes} bytes\n");
    if let Some(error) = first_error {
        text.push_str(&format!("first error: {error}\n"));
    }
    Ok(Response::new(text.into()))
}

/// How many bytes an answer has.
async fn get(client: &Client, url: &str) -> Result<usize, web::Error> {
    let mut response = client.get(url).send().await?;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await? {
        bytes += chunk.len();
    }
    Ok(bytes)
}

/// Answers after `ms` milliseconds. Tells on standard error if nobody waited so long.
pub(crate) async fn sleep(query: &Query) -> Result<String, Error> {
    let ms = query.number("ms", 100, MAX_MS)?;
    let given_up = GivenUp(Some("/sleep"));
    time::sleep(Duration::from_millis(ms)).await;
    given_up.not();
    Ok(format!("slept {ms} ms\n"))
}

/// `chunks` pieces of `bytes` bytes each, with `ms` milliseconds between them. Tells on standard error if nobody read them all.
pub(crate) fn stream(query: &Query) -> Result<Response, Error> {
    let chunks = query.number("chunks", 10, MAX_CHUNKS)?;
    let bytes = query.number("bytes", 1024, MAX_BYTES)?;
    let ms = query.number("ms", 0, MAX_MS)?;
    let chunk = Bytes::from(vec![b'x'; bytes]);
    let start = (0, chunk, GivenUp(Some("/stream")));
    let pieces = stream::unfold(start, move |(sent, chunk, given_up)| async move {
        if sent == chunks {
            given_up.not();
            return None;
        }
        if sent > 0 && ms > 0 {
            time::sleep(Duration::from_millis(ms)).await;
        }
        Some((Ok::<_, Infallible>(chunk.clone()), (sent + 1, chunk, given_up)))
    });
    Ok(Response::new(Body::stream(pieces)))
}

/// Answers at once; a task goes on for `ms` milliseconds and tells standard error when it is done.
pub(crate) fn after(query: &Query) -> Result<&'static str, Error> {
    let ms = query.number("ms", 100, MAX_MS)?;
    drop(task::spawn(async move {
        time::sleep(Duration::from_millis(ms)).await;
        kippu::eprintln!("/after: done");
    }));
    Ok("The rest is done later.\n")
}

/// How many requests came here before, this one included: natively to the program, on WASI to the instance.
pub(crate) fn instance() -> String {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    format!("{}\n", REQUESTS.fetch_add(1, Ordering::Relaxed) + 1)
}

/// How many bytes of memory the instance has; natively, where the system knows, 0.
pub(crate) fn memory() -> String {
    #[cfg(target_family = "wasm")]
    let bytes = std::arch::wasm32::memory_size::<0>() * (64 * 1024);
    #[cfg(not(target_family = "wasm"))]
    let bytes = 0;
    format!("{bytes}\n")
}

/// Tells when it is dropped with a name in it.
struct GivenUp(Option<&'static str>);

impl GivenUp {
    /// It was done to its end.
    fn not(mut self) {
        self.0 = None;
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        if let Some(route) = self.0 {
            kippu::eprintln!("{route}: given up");
        }
    }
}
