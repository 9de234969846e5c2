//! Calls of the server: what differs between versions of WASI.

pub(crate) mod task;

use std::pin::pin;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use wasip3::http::types;
use wasip3::http::types::Fields;
use wasip3::wit_future;

use self::task::Return;
use super::http::fields;
use super::http::read::Reader;
use super::http::write::{self, Writer};
use crate::http::server::Response;
use crate::sys::wasi::incoming::{Head, complete, next, send};

pub(crate) use crate::sys::wasi::incoming::request;

/// A request as the host gives it.
pub(crate) struct Call(pub(crate) types::Request);

impl Call {
    pub(crate) fn head(&self) -> Head {
        Head {
            method: self.0.get_method(),
            path: self.0.get_path_with_query(),
            authority: self.0.get_authority(),
            headers: self.0.get_headers(),
        }
    }

    pub(crate) fn read(self) -> Option<Reader> {
        // Dropping the writer tells the host that nothing went wrong here.
        let (_, result) = wit_future::new(|| Ok(()));
        let (data, trailers) = types::Request::consume_body(self.0, result);
        Some(Reader::new(data, trailers))
    }
}

/// Where the response goes, until it is there.
pub(crate) struct Answer(Option<Return>);

impl Answer {
    pub(crate) fn new(result: Return) -> Answer {
        Answer(Some(result))
    }

    fn set(&mut self, response: types::Response) {
        if let Some(result) = self.0.take() {
            result.give(response);
        }
    }

    /// Answers by a status alone, if nothing has been answered yet.
    pub(crate) fn refuse(&mut self, status: StatusCode) {
        let (response, _sent) = types::Response::new(Fields::new(), None, write::empty());
        // Every host knows those that come from here.
        let _ = response.set_status_code(status.as_u16());
        self.set(response);
    }

    /// Gives the response to the host: its head at once, its body as fast as the client reads. Done when all of the body is on
    /// its way, or nobody reads it any more.
    pub(crate) async fn respond(&mut self, response: Response, method: &Method) {
        let (mut head, body) = response.into_parts();
        let has_body = complete(&mut head, &body, method);
        let headers = fields::to_host_allowed(&head.headers);
        let (writer, data, end) = if has_body {
            let (writer, data, end) = Writer::new();
            (Some(writer), Some(data), end)
        } else {
            (None, None, write::empty())
        };
        // Whether all was sent is no news: a client that goes away is seen by writing.
        let (response, _sent) = types::Response::new(headers, data, end);
        let status = head.status;
        if status != StatusCode::OK && response.set_status_code(status.as_u16()).is_err() {
            crate::eprintln!("the host knows no status {status}");
            return self.refuse(StatusCode::INTERNAL_SERVER_ERROR);
        }
        self.set(response);
        if let Some(writer) = writer {
            let mut body = pin!(body);
            let first = next(body.as_mut()).await;
            send(body, first, writer).await;
        }
    }
}

/// Writes a piece of a body, and says whether anybody still reads it.
pub(crate) async fn put(writer: &mut Writer, data: Bytes) -> bool {
    writer.write(data).await.is_ok()
}

/// Ends a body.
pub(crate) async fn end(writer: Writer, trailers: Option<HeaderMap>) {
    writer.finish(trailers.as_ref()).await;
}
