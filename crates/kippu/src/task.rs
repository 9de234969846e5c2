//! Tasks: concurrent pieces of a program, on one thread.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use kippu_executor::TaskOptions;
pub use kippu_executor::{AbortHandle, JoinError, JoinHandle, TaskInfo, TaskState, WaitsFor};
pub use kippu_executor::{AccessError, LocalKey, Scope, task_local};

use crate::rt;

/// Makes `future` a task of the current runtime, at the end of its run queue. It need not be `Send`.
///
/// Dropping the handle lets the task go on by itself.
///
/// # Panics
/// Outside a runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    Builder::new().spawn(future)
}

/// How to spawn a task.
#[derive(Debug, Clone, Copy, Default)]
pub struct Builder {
    options: TaskOptions,
}

impl Builder {
    /// A task without a name.
    pub const fn new() -> Self {
        Builder { options: TaskOptions::new() }
    }

    /// Names the task, for [`dump`] and the message of a deadlock.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.options = self.options.name(name);
        self
    }

    /// See [`spawn`].
    ///
    /// # Panics
    /// Outside a runtime.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // Outside the closure, where the caller is known.
        let location = std::panic::Location::caller();
        rt::with(|inner| inner.executor.spawn_at(self.options, location, future))
    }
}

/// Every live task of the current runtime, newest first. Empty outside a runtime.
pub fn dump() -> Vec<TaskInfo> {
    rt::try_with(|inner| inner.executor.dump()).unwrap_or_default()
}

/// Lets every task that is runnable now run before this one goes on.
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
