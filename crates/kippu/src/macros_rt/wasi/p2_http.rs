//! `wasi:http/incoming-handler` of WASI 0.2: one runtime for each call.

use std::future::pending;

use http::StatusCode;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use super::http::run;
use crate::http::server::Handler;
use crate::rt::Runtime;
use crate::sys::incoming::{Answer, Call};

/// Exports `wasi:http/incoming-handler`. `$make_handler` is the name of a function that gives the handler.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http_handler {
    ($make_handler:ident) => {
        const _: () = {
            struct Server;

            impl $crate::__rt::wasip2::exports::http::incoming_handler::Guest for Server {
                fn handle(
                    request: $crate::__rt::wasip2::http::types::IncomingRequest,
                    out: $crate::__rt::wasip2::http::types::ResponseOutparam,
                ) {
                    $crate::__rt::serve_call($make_handler, request, out);
                }
            }

    $crate::__rt::wasip2::http::proxy::export!(Server with_types_in $crate::__rt::wasip2);
        };
    };
}

/// Answers one request. Returns when the response is out and all tasks that the handler spawned are done, or can never be.
pub fn serve_call<H: Handler>(make: fn() -> H, request: IncomingRequest, out: ResponseOutparam) {
    // On WASI 0.2 this does not fail.
    let Ok(runtime) = Runtime::new() else {
        return;
    };
    let mut answer = Answer::new(out);
    if let Err(error) = runtime.block_on(run(make, Call(request), &mut answer)) {
        crate::eprintln!("a request was not answered to its end: {error}");
        answer.refuse(StatusCode::INTERNAL_SERVER_ERROR);
    }
    if runtime.has_tasks() {
        // Ends when nothing is outstanding any more. Tasks that wait then would do so for ever.
        let _ = runtime.block_on(pending::<()>());
    }
}
