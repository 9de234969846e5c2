//! The runtime where its driver parks, natively and on WASI 0.2; it may also be turned by a foreign loop.

use std::cell::Cell;
use std::future::Future;
use std::io;
#[cfg(kippu_native)]
use std::process;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

use kippu_executor::{Executor, JoinHandle, TaskOptions};

use super::Inner;
use super::current::{Enter, try_with};
use crate::block_on::BlockOnError;
use crate::driver::Driver;
#[cfg(kippu_native)]
use crate::driver::native::Shared;
use crate::termination::{ExitCode, Termination};
use crate::time::Instant;

/// A deadline that is past: the driver only collects.
const COLLECT: u64 = 0;

/// Whether a waker that somebody unknown holds may be woken while the driver parks.
const HAS_THREADS: bool = cfg!(kippu_native);

/// The current driver's shared end, which sockets and blocking jobs keep.
#[cfg(kippu_native)]
pub(crate) fn current_native() -> Option<Arc<Shared>> {
    try_with(|inner| inner.driver.handle())
}

/// An executor with the driver of this host, for one thread.
///
/// [`block_on`](crate::block_on) and [`#[kippu::main]`](crate::main) make one for you. Make one yourself to
/// keep tasks between several `block_on`s, or to have a foreign event loop turn it: give
/// [`with_unpark`](Self::with_unpark) a waker of that loop, and call [`turn`](Self::turn) whenever it is
/// rung, the deadline has come, or ([`as_fd`](Self::as_fd)) I/O is ready.
///
/// Dropping it cancels all tasks.
pub struct Runtime {
    inner: Rc<Inner>,
}

/// Rings a foreign loop, and the driver, which may be the one that waits: `block_on` works on every runtime.
struct Both {
    foreign: Waker,
    own: Waker,
}

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.own.wake_by_ref();
        self.foreign.wake_by_ref();
    }
}

/// What is to be done after a [`Runtime::turn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Tasks are left over: turn again soon, `unpark` will not be rung for them.
    pub more: bool,
    /// Turn again at this time at the latest.
    pub deadline: Option<Instant>,
}

impl Runtime {
    /// A runtime that parks by itself.
    ///
    /// # Errors
    /// When the system gives no poller.
    pub fn new() -> io::Result<Runtime> {
        let driver = Driver::new()?;
        let unpark = driver.unpark_waker();
        Ok(Runtime::from_parts(driver, unpark))
    }

    /// A runtime to be turned by a foreign loop. `unpark` is woken, from any thread, once
    /// whenever a task becomes runnable while nobody turns the runtime.
    ///
    /// # Errors
    /// When the system gives no poller.
    pub fn with_unpark(unpark: Waker) -> io::Result<Runtime> {
        let driver = Driver::new()?;
        let both = Both { foreign: unpark, own: driver.unpark_waker() };
        Ok(Runtime::from_parts(driver, Waker::from(Arc::new(both))))
    }

    fn from_parts(driver: Driver, unpark: Waker) -> Runtime {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Runtime { inner: Rc::new(Inner { executor: Executor::new(unpark), driver, id }) }
    }

    /// Makes `future` a task of this runtime. It runs when the runtime is turned or blocked on.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.inner.executor.spawn(future)
    }

    /// Collects what I/O is ready, fires the timers that are due and polls at most `budget` tasks. Never
    /// waits.
    ///
    /// # Errors
    /// When the system's poller fails.
    ///
    /// # Panics
    /// When called from inside a task of this runtime.
    pub fn turn(&self, budget: usize) -> io::Result<Turn> {
        let _enter = Enter::new(&self.inner);
        let executor = &self.inner.executor;
        self.inner.driver.park(Some(COLLECT))?;
        executor.stay_awake();
        executor.fire_timers(crate::time::now_ns());
        let more = executor.run_ready(budget);
        Ok(Turn { more, deadline: executor.next_deadline().map(Instant::from_ns) })
    }

    /// Readable when I/O of this runtime is ready, so that a foreign loop can wait for it too.
    #[cfg(all(kippu_native, unix))]
    pub fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.inner.driver.as_fd()
    }

    /// Runs until `future` is complete, and returns its output. Other tasks run meanwhile, and stay
    /// when it returns.
    ///
    /// # Errors
    /// [`BlockOnError::Nested`] inside another runtime's or this one's tasks;
    /// [`BlockOnError::WouldDeadlock`] when nothing can ever wake the future: no timer, no
    /// I/O, no blocking job is outstanding, and nobody unknown holds a waker (as long as somebody does, another
    /// thread may be about to use it, and the call waits).
    ///
    /// # Panics
    /// When `future` does.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, BlockOnError> {
        if try_with(|_| ()).is_some() {
            return Err(BlockOnError::Nested);
        }
        let _enter = Enter::new(&self.inner);
        let Inner { executor, driver, .. } = &*self.inner;
        // The clock is asked only if somebody waits for it: it may be a call of the host.
        if executor.next_deadline().is_some() {
            executor.fire_timers(crate::time::now_ns());
        }
        executor.block_on(future, |more| {
            driver.park(self.patience(more)?)?;
            // The driver's own bell would be a system call for nothing.
            executor.stay_awake();
            if executor.next_deadline().is_some() {
                executor.fire_timers(crate::time::now_ns());
            }
            Ok(())
        })
    }

    /// Whether a task is left that is not done.
    #[cfg(all(kippu_p2, feature = "http"))]
    pub(crate) fn has_tasks(&self) -> bool {
        self.inner.executor.live_tasks() > 0
    }

    /// Until when the driver may park, in ns of its clock: `None` for ever.
    fn patience(&self, more: bool) -> Result<Option<u64>, BlockOnError> {
        let Inner { executor, driver, .. } = &*self.inner;
        if more {
            return Ok(Some(COLLECT));
        }
        let is_awaited = driver.outstanding() > 0 || executor.ref_timers() > 0;
        if is_awaited || (HAS_THREADS && executor.woken_from_outside()) {
            return Ok(executor.next_deadline());
        }
        // What was outstanding a moment ago may have woken a task before it ended, on another thread.
        if executor.run_ready(0) {
            return Ok(Some(COLLECT));
        }
        Err(BlockOnError::would_deadlock(executor))
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Runtime").field(&self.inner.executor).finish()
    }
}

/// Runs `main` as a task, to its end, and gives its exit code.
fn run_to_code<F>(future: F) -> ExitCode
where
    F: Future + 'static,
    F::Output: Termination + 'static,
{
    let done = Rc::new(Cell::new(None));
    let code = done.clone();
    let result = Runtime::new().map_err(BlockOnError::Io).and_then(|runtime| {
        let main = runtime.inner.executor.spawn_with(TaskOptions::new().name("main"), async move {
            code.set(Some(future.await.report()))
        });
        runtime.block_on(main)
    });
    match result {
        Ok(Ok(())) => done.get().unwrap_or_default(),
        Ok(Err(error)) => match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            crate::eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What `#[kippu::main]` does.
#[cfg(kippu_native)]
pub(crate) fn run_main<F>(future: F) -> process::ExitCode
where
    F: Future + 'static,
    F::Output: Termination + 'static,
{
    process::ExitCode::from(run_to_code(future).0)
}

/// What `#[kippu::main]` does. Does not return when the exit code is not one of "success" and "failure", which is all that the
/// result of `wasi:cli/run` can say.
#[cfg(kippu_p2)]
pub(crate) fn run_main<F>(future: F) -> crate::macros_rt::MainResult
where
    F: Future + 'static,
    F::Output: Termination + 'static,
{
    crate::sys::panics::report();
    let code = run_to_code(future);
    if code.0 > ExitCode::FAILURE.0 {
        wasip2::cli::exit::exit_with_code(code.0);
    }
    crate::termination::of_main(code)
}
