//! A request of the client, by `wasi:http/outgoing-handler`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, OutgoingBody, OutgoingRequest,
};

use super::fields;
pub(crate) use super::read::Reader;
use super::write::Writer;
use crate::driver::wasi_p2::Source;
use crate::http::{Error, ErrorKind, Outgoing};
use crate::sys::wasi::http::error;
use crate::sys::wasi::http_client::{Head, Sending, Streamed};

/// Hands a request to the host, and sends its body.
pub(crate) fn call(
    fields: Fields,
    body: Outgoing,
    describe: impl FnOnce(&OutgoingRequest) -> Result<(), Error>,
) -> Result<(Answered, Option<Sending>), Error> {
    let message = OutgoingRequest::new(fields);
    describe(&message)?;
    let outgoing = message.body().map_err(|()| unexpected("the request has no body"))?;
    let left = begin(outgoing, body)?;
    let response = outgoing_handler::handle(message, None).map_err(|code| error(&code))?;
    let answered = Answered { source: Source::new(response.subscribe()), response };
    Ok((answered, left.map(Left::send)))
}

/// What the host did not take at once of a body.
enum Left {
    Bytes(Writer, Bytes),
    Stream(Writer, Streamed),
}

impl Left {
    fn send(self) -> Sending {
        match self {
            Left::Bytes(writer, bytes) => Sending::bytes(writer, bytes),
            Left::Stream(writer, streamed) => streamed.send(writer),
        }
    }
}

/// Gives the host what is there of a body. One that is complete before the request is sent cannot be lost, as one can that is ended
/// while the host has the response already.
fn begin(outgoing: OutgoingBody, body: Outgoing) -> Result<Option<Left>, Error> {
    let no_stream = || unexpected("the request's body has no stream");
    let finished = match body {
        Outgoing::Stream(streamed) => {
            let writer = Writer::new(outgoing).ok_or_else(no_stream)?;
            return Ok(Some(Left::Stream(writer, streamed)));
        }
        Outgoing::Bytes(bytes) if !bytes.is_empty() => {
            let mut writer = Writer::new(outgoing).ok_or_else(no_stream)?;
            match writer.try_write(&bytes) {
                Ok(true) => writer.finish(None),
                Ok(false) => return Ok(Some(Left::Bytes(writer, bytes))),
                Err(_) => return Err(unexpected("the host takes nothing of the request's body")),
            }
        }
        Outgoing::Bytes(_) | Outgoing::None | Outgoing::Sent => {
            OutgoingBody::finish(outgoing, None)
        }
    };
    finished.map(|()| None).map_err(|code| error(&code))
}

/// Says whether the host took all of `piece`, as fast as the other side reads it.
pub(crate) async fn put(writer: &mut Writer, piece: Bytes) -> bool {
    writer.write(&piece).await.is_ok()
}

/// Ends a body. Whether anybody still wants it is no matter.
pub(crate) async fn end(writer: Writer) {
    let _ = writer.finish(None);
}

/// A host that does not keep to the interface.
fn unexpected(what: &str) -> Error {
    Error::with_detail(ErrorKind::Other, what)
}

/// Waits for a response. Dropping it ends the exchange.
///
/// The source stands before what its pollable was made of, and so drops first: hosts trap on a resource that has children.
pub(crate) struct Answered {
    source: Source,
    response: FutureIncomingResponse,
}

impl Future for Answered {
    type Output = Result<Head, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            ready!(self.source.poll_ready(cx));
            if let Some(response) = self.response.get() {
                let taken = |()| unexpected("the response was taken before");
                return Poll::Ready(response.map_err(taken).and_then(head));
            }
        }
    }
}

fn head(response: Result<IncomingResponse, ErrorCode>) -> Result<Head, Error> {
    let response = response.map_err(|code| error(&code))?;
    let headers = fields::from_host(&response.headers());
    let body = response.consume().map_err(|()| unexpected("the response has no body"))?;
    Ok(Head { status: response.status(), headers, reader: Reader::new(body) })
}
