//! A call of `wasi:http/handler` as a task of the component model, which goes on after its result was returned.
//!
//! wit-bindgen's own export returns the result when the future of the call is complete. Here the future returns it itself, and then sends
//! the body: one future instead of two that would wake each other.

#![allow(unsafe_code, reason = "a raw import")]

use std::future::Future;
use std::mem::MaybeUninit;
use std::ptr;

use wasip3::http::types::Response;
use wit_bindgen::rt::async_support::{self, TaskCancelOnDrop};

// The version is the one that the crate `wasip3` exports.
#[link(wasm_import_module = "[export]wasi:http/handler@0.3.2")]
unsafe extern "C" {
    #[link_name = "[task-return]handle"]
    fn import(
        is_error: i32,
        response_or_code: i32,
        _: i32,
        _: MaybeUninit<u64>,
        _: *mut u8,
        _: *mut u8,
        _: usize,
        _: i32,
    );
}

/// The right to return the result of the current call, once. Dropping it tells the host that there will be none.
pub(crate) struct Return(TaskCancelOnDrop);

impl Return {
    pub(crate) fn give(self, response: Response) {
        self.0.forget();
        let handle = response.take_handle() as i32;
        // SAFETY: the import has the type that the canonical ABI gives the result `result<response, error-code>`: 0 and the handle stand for
        // a response, what follows are fields of errors only, and not read. The handle was taken, so the host owns it alone. It is called
        // at most once for each task, as there is one `Return` for each, which `start` made and this takes; a `Return` lives within the
        // future of its task, and so this runs in that task.
        unsafe {
            import(0, handle, 0, MaybeUninit::new(0), ptr::null_mut(), ptr::null_mut(), 0, 0);
        }
    }
}

/// Begins a call: runs `future` as a task of the component model. What it gives is for the host.
///
/// # Panics
/// Within another task.
pub(crate) fn start<F>(future: impl FnOnce(Return) -> F + 'static) -> i32
where
    F: Future<Output = ()> + 'static,
{
    async_support::start_task(async move {
        future(Return(TaskCancelOnDrop::new())).await;
    })
}

/// The host goes on with a call. What it gives is for the host.
///
/// # Safety
/// It is called by the host, for a task that [`start`] began.
pub(crate) unsafe fn go_on(event: [u32; 3]) -> u32 {
    let [kind, waitable, code] = event;
    // SAFETY: the caller promises it.
    unsafe { async_support::callback(kind, waitable, code) }
}
