//! What answers requests.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;

use bytes::Bytes;
use http_body::Body as HttpBody;
use tower_service::Service;

use super::{IntoResponse, Request, Response};

/// What answers requests, concurrently: an async function of one, or a tower service by [`service`]. An async function without
/// parameters becomes one by [`IntoHandler`].
///
/// Its futures need not be `Send`. One is dropped when nobody waits for the response any more.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no HTTP handler",
    label = "neither an async function from `Request` to something that is `IntoResponse`, nor a tower service",
    note = "a handler is `async fn(kippu::http::server::Request) -> impl kippu::http::server::IntoResponse`, and `Clone` if it is a closure"
)]
pub trait Handler: Clone + 'static {
    /// Answers one request.
    fn call(&self, request: Request) -> impl Future<Output = Response>;

    /// Whether it looks at the request. One that does not may be given an empty `GET /`, which spares
    /// the host of a component the telling.
    fn reads_request(&self) -> bool {
        true
    }
}

impl<F, Fut> Handler for F
where
    F: Fn(Request) -> Fut + Clone + 'static,
    Fut: Future,
    Fut::Output: IntoResponse,
{
    async fn call(&self, request: Request) -> Response {
        self(request).await.into_response()
    }
}

/// Makes a handler of a tower service, such as an `axum::Router`. Most places take a service as it is, by [`IntoHandler`].
///
/// Each request goes to a clone of its own, once that is [ready](Service::poll_ready). An error of the service is answered by
/// 500 and written to standard error.
pub fn service<S, B>(service: S) -> ServiceHandler<S>
where
    S: Service<Request, Response = http::Response<B>> + Clone + 'static,
    S::Error: Into<Box<dyn StdError>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    ServiceHandler { service }
}

/// A tower service as a [`Handler`]. Made by [`service`].
#[derive(Clone)]
pub struct ServiceHandler<S> {
    service: S,
}

impl<S> fmt::Debug for ServiceHandler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceHandler").finish_non_exhaustive()
    }
}

impl<S, B> Handler for ServiceHandler<S>
where
    S: Service<Request, Response = http::Response<B>> + Clone + 'static,
    S::Error: Into<Box<dyn StdError>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    async fn call(&self, request: Request) -> Response {
        // The clone that said it is ready is the one that is called: others need not be.
        let mut service = self.service.clone();
        let answer = match poll_fn(|cx| service.poll_ready(cx)).await {
            Ok(()) => service.call(request).await,
            Err(error) => Err(error),
        };
        answer.into_response()
    }
}

/// An async function without parameters as a [`Handler`], which gives the same answer to all requests.
#[derive(Clone, Debug)]
pub struct Reply<F> {
    reply: F,
}

impl<F, Fut> Handler for Reply<F>
where
    F: Fn() -> Fut + Clone + 'static,
    Fut: Future,
    Fut::Output: IntoResponse,
{
    async fn call(&self, _: Request) -> Response {
        (self.reply)().await.into_response()
    }

    fn reads_request(&self) -> bool {
        false
    }
}

/// What can be made a [`Handler`]: a handler, a tower service, or an async function without parameters. `Kind` tells which, and is
/// always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an HTTP handler nor a tower service",
    note = "a handler is `async fn(kippu::http::server::Request) -> impl kippu::http::server::IntoResponse`, and `Clone` if it is a closure",
    note = "a tower service is `Clone` and takes `kippu::http::server::Request`s, such as an `axum::Router` without missing state"
)]
pub trait IntoHandler<Kind> {
    /// The handler that it becomes.
    type Handler: Handler;

    /// Makes the handler.
    fn into_handler(self) -> Self::Handler;
}

/// It is a [`Handler`]. For [`IntoHandler`].
#[derive(Debug)]
pub enum AsHandler {}

/// It is an async function without parameters. For [`IntoHandler`].
#[derive(Debug)]
pub enum AsReply {}

/// It is a tower service. For [`IntoHandler`].
#[derive(Debug)]
pub enum AsService {}

impl<H: Handler> IntoHandler<AsHandler> for H {
    type Handler = H;

    fn into_handler(self) -> H {
        self
    }
}

impl<S, B> IntoHandler<AsService> for S
where
    S: Service<Request, Response = http::Response<B>> + Clone + 'static,
    S::Error: Into<Box<dyn StdError>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Handler = ServiceHandler<S>;

    fn into_handler(self) -> ServiceHandler<S> {
        service(self)
    }
}

impl<F, Fut> IntoHandler<AsReply> for F
where
    F: Fn() -> Fut + Clone + 'static,
    Fut: Future,
    Fut::Output: IntoResponse,
{
    type Handler = Reply<F>;

    fn into_handler(self) -> Reply<F> {
        Reply { reply: self }
    }
}
