//! Waiting for a future from synchronous code.

use std::future::Future;

use kippu_executor::Executor;

/// Why [`block_on`] gave no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockOnError {
    /// Nothing is runnable, and nothing that is outstanding can make it so. One line for each task that waits; on WASI only with the feature `dump`.
    #[error("deadlock: nothing is runnable, and no timer, ticket or I/O is outstanding{}", list(.0))]
    WouldDeadlock(Vec<String>),
    /// This host cannot wait here without stopping its own event loop, which the future waits for.
    #[error(
        "this host cannot wait inside a synchronous call: make the caller async and await the future, or spawn it as a task"
    )]
    ParkUnsupported,
    /// It was called from inside a task, which would wait for itself.
    #[error("block_on was called from inside a kippu task; await the future instead")]
    Nested,
    /// The system's poller failed.
    #[error("the system's poller failed: {0}")]
    Io(#[from] std::io::Error),
}

impl BlockOnError {
    pub(crate) fn would_deadlock(executor: &Executor) -> Self {
        // The list costs a small component several KB.
        if cfg!(all(kippu_wasi, not(feature = "dump"))) {
            return BlockOnError::WouldDeadlock(Vec::new());
        }
        let tasks = executor.dump().into_iter().filter(|task| task.name != Some(ROOT));
        BlockOnError::WouldDeadlock(tasks.map(|task| task.to_string()).collect())
    }
}

fn list(tasks: &[String]) -> String {
    tasks.iter().map(|task| format!("\n  {task}")).collect()
}

/// Runs until `future` is complete, and returns its output.
///
/// Natively and on WASI a fresh runtime is made for it, and dropped with all tasks that are left when
/// it returns. On a JavaScript host, which cannot wait, this runs what is runnable: it succeeds
/// if that is enough for `future` to complete.
///
/// On WASI 0.3 the host lets only calls of async functions wait, such as that of `#[kippu::main]`'s export. In the call of a sync
/// function it ends the program when `future` has to wait; wasmtime says `cannot block a synchronous task before returning`.
///
/// # Errors
/// See [`BlockOnError`]: never a hang for want of a host that can wait.
///
/// # Panics
/// When `future` does.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, BlockOnError> {
    #[cfg(kippu_parks)]
    return crate::Runtime::new()?.block_on(future);
    #[cfg(kippu_p3)]
    return crate::rt::block_on(future);
    #[cfg(kippu_js)]
    return crate::rt::with(|inner| run_without_waiting(&inner.executor, future));
}

#[cfg(kippu_js)]
fn run_without_waiting<F: Future>(
    executor: &Executor,
    future: F,
) -> Result<F::Output, BlockOnError> {
    if executor.is_running() {
        return Err(BlockOnError::Nested);
    }
    executor.block_on(future, |more| if more { Ok(()) } else { Err(BlockOnError::ParkUnsupported) })
}

/// What the executor calls the future that it blocks on.
const ROOT: &str = "block_on";
