//! A request of the client, by `wasi:http/client`.

use std::future::Future;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_future;

use super::write::{self, Writer};
use super::{fields, read};
use crate::driver::wasi_p3::Op;
use crate::http::{Error, Outgoing};
use crate::sys::wasi::http::error;
use crate::sys::wasi::http_client::{Head, Sending};

/// Hands a request to the host when it is first polled, and sends its body. Dropping the future ends the exchange.
pub(crate) fn call(
    fields: Fields,
    body: Outgoing,
    describe: impl FnOnce(&Request) -> Result<(), Error>,
) -> Result<(impl Future<Output = Result<Head, Error>> + Send, Option<Sending>), Error> {
    let (data, end, writer) = match &body {
        Outgoing::Bytes(bytes) if bytes.is_empty() => (None, write::empty(), None),
        Outgoing::None | Outgoing::Sent => (None, write::empty(), None),
        Outgoing::Bytes(_) | Outgoing::Stream(_) => {
            let (writer, data, end) = Writer::new();
            (Some(data), end, Some(writer))
        }
    };
    // That all was sent is no news: the response tells what became of the request.
    let (message, _sent) = Request::new(fields, data, end, None);
    describe(&message)?;
    let sending = writer.and_then(|writer| match body {
        Outgoing::Bytes(bytes) => Some(Sending::bytes(writer, bytes)),
        Outgoing::Stream(streamed) => Some(streamed.send(writer)),
        Outgoing::None | Outgoing::Sent => None,
    });
    let answered = Op::new(async move { client::send(message).await });
    let head = async move { answered.await.map(head).map_err(|code| error(&code)) };
    Ok((head, sending))
}

/// Says whether the host took all of `piece`, as fast as the other side reads it.
pub(crate) async fn put(writer: &mut Writer, piece: Bytes) -> bool {
    writer.write(piece).await.is_ok()
}

/// Ends a body. Whether anybody still wants it is no matter.
pub(crate) async fn end(writer: Writer) {
    writer.finish(None).await;
}

fn head(response: Response) -> Head {
    let status = response.get_status_code();
    let headers = fields::from_host(&response.get_headers());
    // Dropping the writer tells the host that nothing went wrong here.
    let (_, result) = wit_future::new(|| Ok(()));
    let (data, trailers) = Response::consume_body(response, result);
    let reader = Reader { inner: read::Reader::new(data, trailers), trailers: None };
    Head { status, headers, reader }
}

/// The body of a response. Whether its data are complete is known only with its trailers.
pub(crate) struct Reader {
    inner: read::Reader,
    trailers: Option<HeaderMap>,
}

impl Reader {
    /// The next piece, never empty; `None` at the end of the data. Counts as outstanding while it waits.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, ErrorCode>>> {
        if let Some(data) = ready!(self.inner.poll_data(cx)) {
            return Poll::Ready(Some(Ok(data)));
        }
        match ready!(self.inner.poll_trailers(cx)) {
            Ok(None) => Poll::Ready(None),
            Ok(trailers) => {
                self.trailers = trailers;
                Poll::Ready(None)
            }
            Err(code) => Poll::Ready(Some(Err(code))),
        }
    }

    /// The trailers, once, when the data are read; `None` when there are none.
    pub(crate) fn poll_trailers(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, ErrorCode>> {
        Poll::Ready(Ok(self.trailers.take()))
    }
}
