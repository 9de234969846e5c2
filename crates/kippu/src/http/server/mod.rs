//! An HTTP server: handlers, and what they take and give.
//!
//! A handler is an async function of a [`Request`] whose result is [`IntoResponse`]; or a `Service` of the crates around tower, such
//! as an `axum::Router`. The same handler runs
//!
//! - natively behind `kippu::http::serve`, which listens on a socket (feature `serve`),
//! - on WASI 0.2 and 0.3 as a component that the host calls, by [`macro@crate::http_handler`].
//!
//! ```
//! use kippu::http::server::{Body, IntoResponse, Request, Response};
//!
//! #[kippu::http_handler]
//! async fn handle(request: Request) -> impl IntoResponse {
//!     match request.uri().path() {
//!         "/" => Response::new(Body::from("Hello!\n")),
//!         // What comes in goes out, as it comes.
//!         "/echo" => Response::new(request.into_body()),
//!         _ => (http::StatusCode::NOT_FOUND, "There is nothing here.\n").into_response(),
//!     }
//! }
//! ```
//!
//! # What happens when
//!
//! - **The client goes away:** the handler's future is dropped at its next await point; a response whose body is being sent is
//!   dropped with its body, and reading the request's body fails with [`Closed`](super::ErrorKind::Closed). Natively that is noticed late while more
//!   than 16 KiB of what the client sent are unread: when the handler reads on, or answers.
//!   Hosts of WASI do not tell a handler that waits for something else: it goes on until it reads from the client or writes to it.
//! - **The handler answers without having read the request's body:** the response is sent; what is left of the request is thrown away.
//! - **The handler returns an error:** the client gets 500 (Internal Server Error) without details; the error and its
//!   [sources](std::error::Error::source) go to standard error.
//! - **The handler panics:** natively the client gets 500, and the server goes on. On WASI a panic ends the instance; the host answers
//!   instead.
//! - **The response's body fails:** the status has been sent by then, so the connection ends before the body is complete, which
//!   clients notice. The error goes to standard error.
//! - **A handler spawned [tasks](crate::task):** they go on after the response. Natively until they are done or the program ends; on WASI the host's
//!   call lasts until they are done.
//!
//! Responses get the header `content-length` when the body's size is known, and go out in chunks otherwise. Bodies of responses to HEAD are
//! dropped unread.

mod body;
mod handler;
mod respond;
#[cfg(feature = "serve")]
#[cfg_attr(
    not(any(kippu_native, target_os = "wasi")),
    allow(dead_code, reason = "nobody can listen there, as `Server::bind` says")
)]
mod serve;

pub use body::Body;
pub use handler::{
    AsHandler, AsReply, AsService, Handler, IntoHandler, Reply, ServiceHandler, service,
};
pub use respond::IntoResponse;
#[cfg(kippu_wasi)]
pub(crate) use respond::report_body;
#[cfg(feature = "serve")]
pub use serve::{PeerAddr, Server, serve};

/// What a client asks for.
///
/// Its URI is the path and the query, on every host; the server's name is in the header `host`. Natively it is what stood in the request, which for
/// requests to a proxy is a whole URL.
pub type Request = http::Request<Body>;

/// What a handler answers.
pub type Response = http::Response<Body>;
