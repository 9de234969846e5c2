//! `wasi:http/handler` of WASI 0.3: one runtime for each call.

#![allow(unsafe_code, reason = "what a raw export calls")]

use http::StatusCode;
use wasip3::http::types::Request;

use super::http::run;
use crate::http::server::Handler;
use crate::rt::{Others, Runtime};
use crate::sys::incoming::task::{self, Return};
use crate::sys::incoming::{Answer, Call};

/// Exports `wasi:http/handler`. `$make_handler` is the name of a function that gives the handler.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http_handler {
    ($make_handler:ident) => {
        const _: () = {
            struct Server;

            impl $crate::__rt::Serve for Server {
                fn serve(request: $crate::__rt::wasip3::http::types::Request) -> i32 {
                    $crate::__rt::serve_call($make_handler, request)
                }
            }

            $crate::__rt::wasip3::http::service::export!(Server with_types_in $crate::__rt::service);
        };
    };
}

/// What the export calls.
pub trait Serve {
    /// Begins a call. What it gives is for the host.
    fn serve(request: Request) -> i32;
}

/// What the macro of the crate `wasip3` finds in place of that crate: it makes the export, and this is what the export calls.
pub mod service {
    #[doc(hidden)]
    pub mod exports {
        #[doc(hidden)]
        pub mod wasi {
            #[doc(hidden)]
            pub mod http {
                #[doc(hidden)]
                pub mod handler {
                    use super::super::super::super::super::{Request, Serve, task};

                    pub use wasip3::exports::http::handler::__export_wasi_http_handler_0_3_2_cabi;

                    /// The host calls the handler.
                    ///
                    /// # Safety
                    /// `request` is the handle of a request, and the callee's.
                    pub unsafe fn _export_handle_cabi<T: Serve>(request: i32) -> i32 {
                        wit_bindgen::rt::run_ctors_once();
                        // SAFETY: the caller promises it.
                        T::serve(unsafe { Request::from_handle(request as u32) })
                    }

                    /// The host goes on with a call.
                    ///
                    /// # Safety
                    /// Only the host calls it, for a call that it has begun.
                    pub unsafe fn __callback_handle(kind: u32, waitable: u32, code: u32) -> u32 {
                        // SAFETY: the caller promises it, and calls are begun by `Serve::serve` alone.
                        unsafe { task::go_on([kind, waitable, code]) }
                    }
                }
            }
        }
    }
}

/// Begins to answer one request. The call ends when the response is out and all tasks that the handler spawned are done, or can never
/// be.
pub fn serve_call<H: Handler>(make: fn() -> H, request: Request) -> i32 {
    task::start(move |result| serve(make, Call(request), result))
}

async fn serve<H: Handler>(make: fn() -> H, call: Call, result: Return) {
    // The last to be dropped when the host cancels the call.
    let mut answer = Answer::new(result);
    let runtime = Runtime::new(Others::Calls);
    if let Err(error) = runtime.run(run(make, call, &mut answer)).await {
        crate::eprintln!("a request was not answered to its end: {error}");
        answer.refuse(StatusCode::INTERNAL_SERVER_ERROR);
    }
    runtime.run_rest().await;
}
