//! Waiting for a future from synchronous code.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use kippu_executor::{AbortHandle, Executor, TaskOptions};

/// Why [`block_on`] gave no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockOnError {
    /// Nothing is runnable, and nothing that is outstanding can make it so. One line for each task that waits.
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
        let tasks = executor.dump().into_iter().filter(|task| task.name != Some(ROOT));
        BlockOnError::WouldDeadlock(tasks.map(|task| task.to_string()).collect())
    }
}

fn list(tasks: &[String]) -> String {
    tasks.iter().map(|task| format!("\n  {task}")).collect()
}

/// Runs until `future` is complete, and returns its output.
///
/// Natively a fresh `Runtime` is made for it, and dropped with all tasks that are left when
/// it returns. On a JavaScript host, which cannot wait, this runs what is runnable: it succeeds
/// if that is enough for `future` to complete.
///
/// # Errors
/// See [`BlockOnError`]: never a hang for want of a host that can wait.
///
/// # Panics
/// When `future` does.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, BlockOnError> {
    #[cfg(not(kippu_js))]
    return crate::Runtime::new()?.block_on(future);
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
    let mut future = std::pin::pin!(future);
    let root = Root::new(executor);
    loop {
        let more = executor.run_ready(1);
        match root.poll(future.as_mut()) {
            Some(Poll::Ready(output)) => return Ok(output),
            // It may have made something runnable.
            Some(Poll::Pending) => {}
            None if more => {}
            None => return Err(BlockOnError::ParkUnsupported),
        }
    }
}

const ROOT: &str = "block_on";

/// The place of a blocked-on future in the run queue.
///
/// The future is on its caller's stack and may borrow from it, so it cannot be a task. A task stands in the
/// queue for it: whoever wakes the future wakes that task, and when the task's turn comes it is the
/// future's turn. So it takes its place in the order of wakes like any other.
pub(crate) struct Root {
    state: Rc<State>,
    task: AbortHandle,
}

#[derive(Default)]
struct State {
    due: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Root {
    pub(crate) fn new(executor: &Executor) -> Root {
        let state = Rc::new(State::default());
        let stand_in = state.clone();
        let task = executor.spawn_with(
            TaskOptions::new().name(ROOT),
            poll_fn(move |cx| {
                stand_in.due.set(true);
                stand_in.waker.replace(Some(cx.waker().clone()));
                Poll::<()>::Pending
            }),
        );
        Root { state, task: task.abort_handle() }
    }

    /// Polls the future if it is its turn.
    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Option<Poll<F::Output>> {
        if !self.state.due.take() {
            return None;
        }
        // Taken, so that nothing is borrowed while foreign code runs; and dropped after it, as one that is
        // kept looks like a wake that may come from outside.
        let waker = self.state.waker.take()?;
        Some(future.poll(&mut Context::from_waker(&waker)))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        self.state.waker.replace(None);
        self.task.abort();
    }
}
