//! The place of a future in the run queue that is not a task.

use core::future::{Future, Pending, pending};
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use super::current;
use super::handle::TaskRef;
use super::header::{Header, ROOT};
use super::shared::Owned;
use super::task::Tasks;
use super::waker;

impl Tasks {
    /// Makes the task that stands for a future which is not one, see [`RootTask`]. It is in the run queue.
    pub(crate) fn spawn_root(
        &self,
        name: &'static str,
        location: &'static Location<'static>,
    ) -> RootTask<'_> {
        let task = self.make_scheduled::<Pending<()>>(pending(), ROOT, Some(name), location);
        let root = RootTask { task, tasks: self };
        self.ring_if_asleep();
        root
    }
}

/// Stands in the run queue for a future on the stack of `block_on`, which cannot be a task as it may
/// borrow: whoever wakes the future wakes this task, and when its turn comes it is the future's turn.
///
/// Dropping it takes it out of the executor.
pub(crate) struct RootTask<'a> {
    task: TaskRef,
    tasks: &'a Tasks,
}

impl RootTask<'_> {
    pub(super) fn is(&self, task: NonNull<Header>) -> bool {
        self.task.raw() == task
    }

    /// Whether the turn of the future has come; asking takes the turn.
    pub(crate) fn take_turn(&self) -> bool {
        self.task.take_due()
    }

    /// Polls the future, in the name of this task.
    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        /// Nothing is being polled any more, also when a panic passes.
        struct Polling<'a>(&'a Owned);
        impl Drop for Polling<'_> {
            fn drop(&mut self) {
                self.0.current.set(None);
            }
        }
        let _entered = current::Entered::new(self.tasks.shared);
        let own = self.tasks.local();
        own.current.set(Some(self.task.raw()));
        let _polling = Polling(own);
        // SAFETY: this has a reference.
        let waker = unsafe { waker::lend(self.task.raw()) };
        future.poll(&mut Context::from_waker(&waker))
    }
}

impl Drop for RootTask<'_> {
    fn drop(&mut self) {
        // It may stand in the queue still; nobody polls it there.
        self.tasks.cancel(self.task.raw());
    }
}
