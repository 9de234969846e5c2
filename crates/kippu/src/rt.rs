//! The runtime: an executor and its driver, and which of them is current on this thread.

use kippu_executor::Executor;

#[cfg(not(kippu_js))]
mod current;
#[cfg(kippu_js)]
mod js;
#[cfg(kippu_parks)]
mod parking;
#[cfg(kippu_p3)]
mod wasi_p3;

#[cfg(not(kippu_js))]
pub(crate) use current::try_with;
#[cfg(all(kippu_js, feature = "js-sys"))]
pub(crate) use js::start_main;
#[cfg(kippu_js)]
pub(crate) use js::{run_main, try_with};
#[cfg(kippu_native)]
pub(crate) use parking::current_native;
#[cfg(kippu_parks)]
pub(crate) use parking::run_main;
#[cfg(kippu_parks)]
pub use parking::{Runtime, Turn};
#[cfg(all(kippu_p3, feature = "http"))]
pub(crate) use wasi_p3::{Others, Runtime};
#[cfg(kippu_p3)]
pub(crate) use wasi_p3::{block_on, run_exported_main, run_main};

/// What all of the crate reaches through [`with`].
pub(crate) struct Inner {
    pub(crate) executor: Executor,
    pub(crate) driver: crate::driver::Driver,
    /// Tells runtimes apart, for handles that may be taken from one thread to another.
    pub(crate) id: u64,
}

/// The current runtime.
///
/// # Panics
/// When there is none on this thread.
#[track_caller]
pub(crate) fn with<R>(f: impl FnOnce(&Inner) -> R) -> R {
    match try_with(f) {
        Some(result) => result,
        None => panic!(
            "no kippu runtime on this thread: call this from inside #[kippu::main], kippu::block_on or a kippu task"
        ),
    }
}
