//! The smallest server.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Server;

wasip2::http::proxy::export!(Server);

impl Guest for Server {
    fn handle(_request: IncomingRequest, outparam: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("it is asked for once");
        ResponseOutparam::set(outparam, Ok(response));
        let stream = body.write().expect("it is asked for once");
        // A client that has gone away is no error of the server's.
        let _ = stream.blocking_write_and_flush(b"Hello, world!\n");
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}
