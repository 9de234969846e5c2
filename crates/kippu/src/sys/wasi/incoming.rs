//! Calls of the server: the host's request as one of the crate `http`, and what a response of that crate becomes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use http_body::{Body as _, Frame, SizeHint};

use super::bindings::http::types::{Fields, Method as Verb};
use super::http_fields as fields;
use crate::http::Error;
use crate::http::server::{Body, Request, report_body};
use crate::sys::http::body_error;
use crate::sys::http::read::Reader;
use crate::sys::http::write::Writer;
use crate::sys::incoming::{Call, end, put};
use crate::task::yield_now;

/// After how many pieces of a body that are there at once other tasks get their turn.
const AT_ONCE: u32 = 16;

/// What the host tells of a request.
pub(crate) struct Head {
    pub(crate) method: Verb,
    pub(crate) path: Option<String>,
    pub(crate) authority: Option<String>,
    pub(crate) headers: Fields,
}

/// The request as it came. Its body stays with the host until somebody reads it.
///
/// # Errors
/// With the status to answer when it is none that the crate `http` can hold.
pub(crate) fn request(call: Call) -> Result<Request, StatusCode> {
    let head = call.head();
    let method = fields::method_from_host(head.method).ok_or(StatusCode::NOT_IMPLEMENTED)?;
    let uri = match head.path {
        Some(path) => Uri::from_maybe_shared(Bytes::from(path)),
        None => Ok(Uri::from_static("/")),
    };
    let mut headers = fields::from_host(&head.headers);
    drop(head.headers);
    // Hosts keep it for themselves.
    if let Some(authority) = head.authority
        && let Ok(host) = HeaderValue::from_maybe_shared(Bytes::from(authority))
    {
        headers.insert(HOST, host);
    }
    let left = content_length(&headers);
    let body = Body::new(Incoming { state: State::Unread(call), left });

    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri.map_err(|_| StatusCode::BAD_REQUEST)?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The body of a request.
struct Incoming {
    state: State,
    /// How many bytes are still to come, if the client has said so.
    left: Option<u64>,
}

enum State {
    Unread(Call),
    Reading(Reader),
    Done,
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if let State::Unread(_) = this.state
            && let State::Unread(call) = std::mem::replace(&mut this.state, State::Done)
            && let Some(reader) = call.read()
        {
            this.state = State::Reading(reader);
        }
        let State::Reading(reader) = &mut this.state else {
            return Poll::Ready(None);
        };
        let frame = ready!(reader.poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let read = frame.data_ref().map_or(0, Bytes::len) as u64;
                this.left = this.left.map(|left| left.saturating_sub(read));
            }
            Some(Err(_)) | None => {
                this.state = State::Done;
                this.left = Some(0);
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(|code| body_error(&code))))
    }

    fn is_end_stream(&self) -> bool {
        // Behind data there may be trailers, also if all data have come.
        matches!((&self.state, self.left), (State::Done, _) | (State::Unread(_), Some(0)))
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// Gives the head its length, where one is known and may be said. Returns whether the body is to be sent.
pub(crate) fn complete(head: &mut Parts, body: &Body, method: &Method) -> bool {
    let status = head.status;
    if status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
    {
        return false;
    }
    if let Some(length) = body.size_hint().exact()
        && !head.headers.contains_key(CONTENT_LENGTH)
    {
        head.headers.insert(CONTENT_LENGTH, length.into());
    }
    method != Method::HEAD && !body.is_end_stream()
}

/// What comes next of a body, if it is there already.
pub(crate) type Next = Poll<Option<Result<Frame<Bytes>, Error>>>;

/// Asks for the next piece without waiting. Who does not wait then has to ask again.
pub(crate) async fn next(mut body: Pin<&mut Body>) -> Next {
    poll_fn(|cx| Poll::Ready(body.as_mut().poll_frame(cx))).await
}

/// Writes a body, as fast as the client reads. When the client goes away, which is no error, nothing more is asked of the body.
pub(crate) async fn send(mut body: Pin<&mut Body>, first: Next, mut writer: Writer) {
    let mut frame = first;
    let mut at_once = 0;
    loop {
        let now = match frame {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                at_once = 0;
                poll_fn(|cx| body.as_mut().poll_frame(cx)).await
            }
        };
        match now.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => {
                if !put(&mut writer, data).await {
                    return;
                }
            }
            Some(Ok(Err(frame))) => return end(writer, frame.into_trailers().ok()).await,
            None => return end(writer, None).await,
            // The writer is dropped without an end, so the client learns that this is not all.
            Some(Err(error)) => return report_body(&error),
        }
        at_once += 1;
        if at_once == AT_ONCE {
            at_once = 0;
            yield_now().await;
        }
        frame = next(body.as_mut()).await;
    }
}
