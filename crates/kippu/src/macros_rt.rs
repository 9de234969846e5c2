//! What the macros' expansions use. Not for anybody else: it changes without notice.

use std::future::Future;

pub use postcard_schema::Schema;
#[cfg(kippu_js)]
pub use std::vec::Vec;

use crate::HostError;
pub use crate::section;
use crate::termination::Termination;

pub mod failure;
#[cfg(kippu_js)]
mod js;
#[cfg(kippu_js)]
pub use js::*;
#[cfg(kippu_wasi)]
mod wasi;
#[cfg(kippu_wasi)]
pub use wasi::*;

/// What a program's real `main` returns.
#[cfg(any(kippu_native, all(kippu_wasi, target_os = "wasi")))]
pub type MainResult = std::process::ExitCode;
/// What a program's real `main` returns.
#[cfg(kippu_js)]
pub type MainResult = ();
/// What a program's real `main` returns, and `wasi:cli/run`.
#[cfg(all(kippu_wasi, target_os = "unknown"))]
pub type MainResult = Result<(), ()>;

/// Nothing: `main` is the entry.
#[cfg(any(kippu_native, kippu_js))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_main {
    ($main:ident) => {};
}

/// Nothing: the program itself calls the handler, by `kippu::http::serve`.
#[cfg(any(kippu_native, kippu_js))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http_handler {
    ($make_handler:ident) => {};
}
#[cfg(any(kippu_native, kippu_js))]
pub use crate::__export_http_handler as export_http_handler;

// Whether a program is for a JavaScript host is this crate's to know: the macros' expansions are compiled in another one, which
// has none of its cfgs.

/// Items that are there on JavaScript hosts only.
#[cfg(kippu_js)]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_js {
    ($($item:tt)*) => { $($item)* };
}
/// Items that are there on JavaScript hosts only.
#[cfg(not(kippu_js))]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_js {
    ($($item:tt)*) => {};
}
/// Items that are there on all other hosts.
#[cfg(kippu_js)]
#[doc(hidden)]
#[macro_export]
macro_rules! __not_on_js {
    ($($item:tt)*) => {};
}
/// Items that are there on all other hosts.
#[cfg(not(kippu_js))]
#[doc(hidden)]
#[macro_export]
macro_rules! __not_on_js {
    ($($item:tt)*) => { $($item)* };
}

pub use crate::{__export_main as export_main, __not_on_js as not_on_js, __on_js as on_js};

/// Runs an async `main`.
#[allow(clippy::result_unit_err, reason = "on WASI it is what `wasi:cli/run` returns")]
pub fn run_main<F>(future: F) -> MainResult
where
    F: Future + 'static,
    F::Output: Termination + 'static,
{
    crate::rt::run_main(future)
}

/// A value or an error on its way.
pub type Answered<T> = Result<T, HostError>;

/// Makes what a host function returns of what the host answered.
pub trait Settle<T> {
    /// What the function returns.
    type Output;
    /// `function` is its name, for messages.
    fn settle(answer: Answered<T>, function: &'static str) -> Self::Output;
}

/// The function returns `R`, a `Result` whose error can be made of a [`HostError`].
pub struct Fallible<R>(std::marker::PhantomData<fn() -> R>);

/// The function returns `T` and panics on an error of the host.
pub struct Infallible<T>(std::marker::PhantomData<fn() -> T>);

impl<T, E: From<HostError>> Settle<T> for Fallible<Result<T, E>> {
    type Output = Result<T, E>;

    fn settle(answer: Answered<T>, _function: &'static str) -> Result<T, E> {
        answer.map_err(E::from)
    }
}

impl<T> Settle<T> for Infallible<T> {
    type Output = T;

    #[track_caller]
    fn settle(answer: Answered<T>, function: &'static str) -> T {
        answer.unwrap_or_else(|error| failed(function, &error))
    }
}

#[cold]
#[track_caller]
fn failed(function: &'static str, error: &HostError) -> ! {
    panic!(
        "host function `{function}` failed: {error}; let it return Result<_, kippu::HostError> to handle this"
    )
}
