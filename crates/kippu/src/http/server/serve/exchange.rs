//! One request and its response.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use super::PeerAddr;
use super::connection::Progress;
use crate::http::server::{Body, Handler, IntoResponse, Request, Response, respond};
use crate::http::{Error, ErrorKind};

/// Answers one request. The future is dropped when the client is gone.
pub(super) async fn exchange<H: Handler>(
    handler: H,
    request: http::Request<Incoming>,
    peer: SocketAddr,
    progress: Rc<Progress>,
) -> Result<http::Response<Sent>, Infallible> {
    progress.begin();
    let mut request = request.map(|incoming| Body::new(Received { incoming }));
    request.extensions_mut().insert(PeerAddr(peer));
    let response = answer(handler, request).await;
    Ok(response.map(|body| Sent { body, failed: None, progress }))
}

/// A panic of the handler is no reason to leave the client without an answer. Its message has been written by the panic hook.
async fn answer<H: Handler>(handler: H, request: Request) -> Response {
    let mut answering = pin!(async { handler.call(request).await });
    // What a panic leaves behind is dropped with the future; what it shares with others is the program's to judge, as with any task.
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(cx))).unwrap_or_else(|_| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Poll::Ready((status, "Internal Server Error\n").into_response())
        })
    })
    .await
}

/// The body of a request as it comes in.
struct Received {
    incoming: Incoming,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(convert)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Why a body did not come. What is not HTTP is told by the decoder; all else means that the client is gone.
fn convert(error: hyper::Error) -> Error {
    let decoder = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let kind = match decoder.map(io::Error::kind) {
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => ErrorKind::Protocol,
        _ => ErrorKind::Closed,
    };
    match error.source() {
        Some(source) => Error::of_received(kind, source),
        None => Error::of_received(kind, error),
    }
}

/// The body of a response on its way out.
pub(super) struct Sent {
    body: Body,
    failed: Option<Error>,
    progress: Rc<Progress>,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Err(error)) = frame {
            respond::report_body(&error);
            // hyper ends the connection at once then. Before that it sends what was made so far, when it has to wait.
            self.failed = Some(error);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.failed.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.progress.end();
    }
}
