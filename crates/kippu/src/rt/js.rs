//! The runtime on a JavaScript host: one for the life of the instance, turned by the host.

use std::cell::OnceCell;
use std::future::Future;

use kippu_executor::{Executor, TaskOptions};

use super::Inner;
use crate::block_on::BlockOnError;
use crate::driver::Driver;
use crate::driver::js::{Answer, abi};
use crate::host_error::HostError;
use crate::termination::Termination;

/// The call that `main` is.
const MAIN_CALL: i32 = 0;

thread_local! {
    // Made at first use. A thread-local without a destructor: the instance ends as a whole.
    static RUNTIME: OnceCell<&'static Inner> = const { OnceCell::new() };
}

pub(crate) fn try_with<R>(f: impl FnOnce(&Inner) -> R) -> Option<R> {
    Some(f(RUNTIME.with(|runtime| *runtime.get_or_init(make))))
}

#[cold]
#[inline(never)]
fn make() -> &'static Inner {
    #[cfg(feature = "panic-report")]
    std::panic::set_hook(Box::new(|info| {
        let mut text = info.location().map_or_else(String::new, ToString::to_string);
        text.push('\0');
        text.push_str(info.payload_as_str().unwrap_or("a panic whose payload is not a string"));
        abi::announce_panic(&text);
    }));
    let driver = Driver::new();
    let executor = Executor::new(driver.unpark_waker());
    Box::leak(Box::new(Inner { executor, driver, id: 0 }))
}

/// What `#[kippu::main]` does: makes `main` a task and returns to the host, which turns it.
///
/// wasm-bindgen's tool makes real `main` functions run when an instance is made. Beside it `main` is put by until
/// `start_main`.
pub(crate) fn run_main<F>(future: F)
where
    F: Future + 'static,
    F::Output: Termination + 'static,
{
    #[cfg(feature = "js-sys")]
    MAIN.set(Some(Box::new(|| spawn_main(future))));
    #[cfg(not(feature = "js-sys"))]
    spawn_main(future);
}

/// Nobody knows what wasm-bindgen's callbacks will wake, so beside it there are no deadlocks.
const FINDS_DEADLOCKS: bool = cfg!(not(feature = "js-sys"));

fn spawn_main<F>(future: F)
where
    F: Future + 'static,
    F::Output: Termination + 'static,
{
    super::with(|inner| {
        inner.driver.on_deadlock(FINDS_DEADLOCKS.then_some(deadlocked));
        let main = inner.executor.spawn_with(TaskOptions::new().name("main"), async move {
            let code = future.await.report();
            super::with(|inner| inner.driver.on_deadlock(None));
            abi::reply(MAIN_CALL, Answer::Number(f64::from(code.0)));
        });
        drop(main);
    });
}

#[cfg(feature = "js-sys")]
thread_local! {
    static MAIN: std::cell::Cell<Option<Box<dyn FnOnce()>>> = const { std::cell::Cell::new(None) };
}

/// Makes `main` a task, or replies that there is none.
#[cfg(feature = "js-sys")]
pub(crate) fn start_main() {
    match MAIN.take() {
        Some(start) => start(),
        None => {
            let error =
                HostError::new("the module has no `main`: it is a library, call its exports");
            abi::reply(MAIN_CALL, Answer::Error(error));
        }
    }
}

fn deadlocked(inner: &Inner) {
    let error = BlockOnError::would_deadlock(&inner.executor);
    let error = HostError::named("WouldDeadlock", error.to_string());
    abi::reply(MAIN_CALL, Answer::Error(error));
}
