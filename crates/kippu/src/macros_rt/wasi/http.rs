//! What calls of the HTTP handler do in every version of WASI.

use std::any::Any;
use std::cell::Cell;

use crate::http::server::{Handler, Request};
use crate::sys::incoming::{self, Answer, Call};

thread_local! {
    /// The handler of this instance, once there is one.
    static HANDLER: Cell<Option<&'static dyn Any>> = const { Cell::new(None) };
}

/// The handler of this instance. Made in the first call, and kept as long as the instance lives.
fn handler<H: Handler>(make: fn() -> H) -> &'static H {
    if let Some(handler) = HANDLER.get().and_then(|handler| handler.downcast_ref()) {
        return handler;
    }
    crate::sys::panics::report();
    let handler: &'static H = Box::leak(Box::new(make()));
    HANDLER.set(Some(handler));
    handler
}

/// Answers one request.
pub(super) async fn run<H: Handler>(make: fn() -> H, call: Call, answer: &mut Answer) {
    let handler = handler(make);
    let request = if handler.reads_request() {
        incoming::request(call)
    } else {
        // The host knows by itself what it asked for: of a response to HEAD it sends no body.
        drop(call);
        Ok(Request::default())
    };
    match request {
        Ok(request) => {
            let method = request.method().clone();
            let response = handler.call(request).await;
            answer.respond(response, &method).await;
        }
        Err(status) => answer.refuse(status),
    }
}
