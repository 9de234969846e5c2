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

/// What a program's real `main` returns.
#[cfg(not(kippu_js))]
pub type MainResult = std::process::ExitCode;
/// What a program's real `main` returns.
#[cfg(kippu_js)]
pub type MainResult = ();

/// Runs an async `main`.
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
