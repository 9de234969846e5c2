//! HTTP/1.1 by hyper, on the driver's sockets.

mod body;
mod classify;
mod connector;
mod stream;
mod tls;

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, StatusCode, Uri};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy;
use url::Url;

use self::body::Sending;
pub(crate) use self::body::Streamed;
use self::connector::Connector;
pub(crate) use crate::driver::native::Hold;
use crate::driver::native::{Shared, current, lock};
use crate::http::{Error, ErrorKind, Outgoing, Request};

/// How many unused connections to one server are kept.
const IDLE_PER_SERVER: usize = 16;

type Pool = legacy::Client<Connector, Sending>;

/// The connections of one client: a pool per runtime that it is used in, because a
/// socket belongs to one driver.
///
/// A kept connection ends when the server closes it, after 90 seconds without use, or
/// with the client.
#[derive(Default)]
pub(crate) struct Connections {
    pools: Mutex<Vec<(Weak<Shared>, Pool)>>,
}

impl Connections {
    fn pool(&self) -> Result<Pool, Error> {
        let shared = current().map_err(|error| Error::with_detail(ErrorKind::Other, error))?;
        let mut pools = lock(&self.pools);
        let ended: Vec<_> = pools.extract_if(.., |(of, _)| of.strong_count() == 0).collect();
        let found = pools.iter().find(|(of, _)| of.as_ptr() == Arc::as_ptr(&shared));
        let pool = match found {
            Some((_, pool)) => pool.clone(),
            None => {
                let pool = legacy::Client::builder(Spawn)
                    .pool_max_idle_per_host(IDLE_PER_SERVER)
                    .pool_timer(Timer)
                    .build(Connector);
                pools.push((Arc::downgrade(&shared), pool.clone()));
                pool
            }
        };
        drop(pools);
        drop(ended);
        Ok(pool)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

/// Runs hyper's own futures as tasks of the runtime that makes the request.
#[derive(Clone)]
struct Spawn;

type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

impl hyper::rt::Executor<Background> for Spawn {
    fn execute(&self, future: Background) {
        // Outside of a runtime, as when a client is dropped late, there is nothing
        // left to be done in the background.
        if current().is_ok() {
            drop(crate::task::spawn(future));
        }
    }
}

/// What hyper measures the idle time of connections with. The program is not kept
/// waiting for these timers.
#[derive(Clone)]
struct Timer;

struct Sleep(crate::time::Sleep);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl hyper::rt::Sleep for Sleep {}

impl hyper::rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep(crate::time::sleep(duration).unref()))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep(deadline.saturating_duration_since(Instant::now()))
    }
}

/// The head of a response, and its body to be read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Where it came from, if redirects were followed unasked.
    pub(crate) url: Option<Url>,
    pub(crate) body: Body,
}

/// Sends one request, without redirects. Dropping the future ends the exchange.
pub(crate) async fn exchange(connections: &Connections, request: Request) -> Result<Answer, Error> {
    let pool = connections.pool()?;
    let uri: Uri =
        request.url.as_str().parse().map_err(|error| Error::with_detail(ErrorKind::Url, error))?;
    // Servers wait for the length of a body that they expect, even if it is 0. hyper
    // leaves that one out.
    let says_empty = match &request.body {
        Outgoing::None => matches!(request.method, Method::POST | Method::PUT),
        Outgoing::Bytes(bytes) => bytes.is_empty(),
        Outgoing::Stream(_) | Outgoing::Sent => false,
    };
    let mut message = http::Request::new(Sending::from(request.body));
    *message.method_mut() = request.method;
    *message.uri_mut() = uri;
    *message.headers_mut() = request.headers;
    let headers = message.headers_mut();
    headers.entry(USER_AGENT).or_insert(request.user_agent);
    if says_empty {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let response = {
        // The socket itself does not count: while idle in the pool it is no reason to
        // go on. What counts is that somebody waits for this exchange.
        let _hold = hold()?;
        pool.request(message).await.map_err(|error| convert(&error))?
    };
    let (head, body) = response.into_parts();
    let body = Body { incoming: body, trailers: None };
    Ok(Answer { status: head.status, headers: head.headers, url: None, body })
}

/// Counts as a reason for the program to go on until the result is dropped.
pub(crate) fn hold() -> Result<Hold, Error> {
    match current() {
        Ok(shared) => Ok(shared.hold()),
        Err(error) => Err(Error::with_detail(ErrorKind::Other, error)),
    }
}

fn convert(error: &(dyn StdError + 'static)) -> Error {
    Error::with_detail(classify::kind(error), classify::text(error))
}

/// The body of a response, as it comes in. Dropping it ends the transfer; a
/// connection whose response was not read to its end is closed.
#[derive(Debug)]
pub(crate) struct Body {
    incoming: Incoming,
    /// They come right before the end, and wait here until somebody asks.
    trailers: Option<HeaderMap>,
}

impl Body {
    /// The next piece, never empty; `None` at the end.
    pub(crate) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Error>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.incoming).poll_frame(cx)) else {
                return Poll::Ready(Ok(None));
            };
            match frame.map_err(|error| convert(&error))?.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Poll::Ready(Ok(Some(data))),
                Err(other) => self.trailers = other.into_trailers().ok(),
            }
        }
    }

    /// What followed the body, once [`poll_chunk`](Body::poll_chunk) has said that it ends. Given once.
    pub(crate) fn poll_trailers(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, Error>> {
        Poll::Ready(Ok(self.trailers.take()))
    }
}
