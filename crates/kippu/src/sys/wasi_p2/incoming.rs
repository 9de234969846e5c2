//! Calls of the server: what differs between versions of WASI.

use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body::Body as _;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::StreamError;

use super::http::fields;
use super::http::read::Reader;
use super::http::write::Writer;
use crate::http::server::Response;
use crate::sys::wasi::incoming::{Head, complete, next, send};

pub(crate) use crate::sys::wasi::incoming::request;

/// A request as the host gives it.
pub(crate) struct Call(pub(crate) IncomingRequest);

impl Call {
    pub(crate) fn head(&self) -> Head {
        Head {
            method: self.0.method(),
            path: self.0.path_with_query(),
            authority: self.0.authority(),
            headers: self.0.headers(),
        }
    }

    pub(crate) fn read(self) -> Option<Reader> {
        self.0.consume().ok().map(Reader::new)
    }
}

/// Where the response goes, until it is there.
pub(crate) struct Answer(Option<ResponseOutparam>);

impl Answer {
    pub(crate) fn new(out: ResponseOutparam) -> Answer {
        Answer(Some(out))
    }

    fn set(&mut self, response: OutgoingResponse) {
        if let Some(out) = self.0.take() {
            ResponseOutparam::set(out, Ok(response));
        }
    }

    /// Answers by a status alone, if nothing has been answered yet.
    pub(crate) fn refuse(&mut self, status: StatusCode) {
        let response = OutgoingResponse::new(Fields::new());
        // Every host knows those that come from here.
        let _ = response.set_status_code(status.as_u16());
        self.set(response);
    }

    /// Gives the response to the host: its head at once, its body as fast as the client reads. Done when all of the body is on
    /// its way, or nobody reads it any more.
    pub(crate) async fn respond(&mut self, response: Response, method: &Method) {
        let (mut head, body) = response.into_parts();
        let has_body = complete(&mut head, &body, method);
        let response = OutgoingResponse::new(fields::to_host_allowed(&head.headers));
        let status = head.status;
        if status != StatusCode::OK && response.set_status_code(status.as_u16()).is_err() {
            crate::eprintln!("the host knows no status {status}");
            return self.refuse(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let outgoing = if has_body { response.body().ok() } else { None };
        let Some(mut writer) = outgoing.and_then(Writer::new) else {
            return self.set(response);
        };

        // The host begins to send the head meanwhile.
        self.set(response);
        let mut body = pin!(body);
        let first = next(body.as_mut()).await;
        if let Poll::Ready(Some(Ok(frame))) = &first
            && let Some(data) = frame.data_ref()
            && body.is_end_stream()
            && writer.try_write(data).unwrap_or(false)
        {
            // That was all.
            return finish(writer, None);
        }
        send(body, first, writer).await;
    }
}

/// Writes a piece of a body, and says whether anybody still reads it.
pub(crate) async fn put(writer: &mut Writer, data: Bytes) -> bool {
    let written = writer.write(&data).await;
    if let Err(StreamError::LastOperationFailed(error)) = &written {
        incomplete(error.to_debug_string());
    }
    written.is_ok()
}

/// Ends a body.
pub(crate) async fn end(mut writer: Writer, trailers: Option<HeaderMap>) {
    if writer.flush().await.is_ok() {
        finish(writer, trailers.as_ref());
    }
}

fn finish(writer: Writer, trailers: Option<&HeaderMap>) {
    if let Err(error) = writer.finish(trailers) {
        incomplete(error.to_string());
    }
}

#[cold]
fn incomplete(why: String) {
    crate::eprintln!("the host did not send all of a response's body: {why}");
}
