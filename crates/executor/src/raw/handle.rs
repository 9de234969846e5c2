//! What join and abort handles hold.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};

use super::header::{ABORTED, DONE, DUE, Header, JOINABLE, Stage};
use super::refs;
use super::shared::Shared;
use super::task::empty;
use crate::JoinError;
use crate::catch::resume;

/// A reference to a task, from the owner's thread.
pub(crate) struct TaskRef {
    task: NonNull<Header>,
    _owner: PhantomData<*const ()>,
}

impl TaskRef {
    /// # Safety
    /// This is the owner, of whose references one is for this.
    pub(super) unsafe fn new(task: NonNull<Header>) -> TaskRef {
        TaskRef { task, _owner: PhantomData }
    }

    pub(super) fn raw(&self) -> NonNull<Header> {
        self.task
    }

    fn header(&self) -> &Header {
        // SAFETY: this owns a reference.
        unsafe { self.task.as_ref() }
    }

    /// Puts the task into the run queue. The executor lives.
    #[inline]
    pub(crate) fn schedule(&self) {
        // SAFETY: this owns a reference, and is on the owner.
        if !unsafe { Shared::schedule(self.task) } {
            self.header().shared().ring();
        }
    }

    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.header().local().has(DONE)
    }

    /// Of a `ROOT`: whether its turn has come; asking takes the turn.
    pub(super) fn take_due(&self) -> bool {
        let local = self.header().local();
        let due = local.has(DUE);
        local.clear(DUE);
        due
    }

    /// Has the task cancelled when its turn comes.
    pub(crate) fn abort(&self) {
        // Not done means that the executor lives.
        if !self.is_done() {
            self.header().local().set(ABORTED);
            self.schedule();
        }
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.header().local().location
    }

    /// The output, once.
    ///
    /// # Safety
    /// `T` is the output type of the future that this task was spawned with.
    ///
    /// # Panics
    /// When the output has been taken before.
    #[inline]
    pub(crate) unsafe fn poll_join<T>(&self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        if !self.is_done() {
            self.set_joiner(Some(cx.waker()));
            // The clone and drop of a waker may be foreign code, and that may turn the executor.
            if !self.is_done() {
                return Poll::Pending;
            }
        }
        let header = self.header();
        assert!(
            header.local().stage.replace(Stage::Empty) == Stage::Output,
            "JoinHandle polled after it gave its output"
        );
        let mut output = MaybeUninit::<Result<T, JoinError>>::uninit();
        // SAFETY: the stage was `Output` and is `Empty` now; the caller vouches for `T`.
        unsafe { (header.vtable.read_output)(self.task, output.as_mut_ptr().cast()) };
        // SAFETY: `read_output` has written it.
        Poll::Ready(unsafe { output.assume_init() })
    }

    /// Nobody will ask for the output.
    #[inline]
    pub(crate) fn detach(&self) {
        let local = self.header().local();
        // First of all, so that the output is dropped by somebody even if a foreign waker's drop panics.
        local.clear(JOINABLE);
        // SAFETY: owner only, and the reference to the place does not outlive this expression.
        if unsafe { (*local.joiner.get()).is_some() } {
            self.set_joiner(None);
        }
        if self.is_done() && local.stage.get() == Stage::Output {
            self.drop_output();
        }
    }

    #[inline(never)]
    fn drop_output(&self) {
        // A panic in the drop of an output passes to whoever drops the handle, as with a Box.
        let then = |dropped| {
            if let Err(payload) = dropped {
                resume(payload);
            }
        };
        // SAFETY: this owns a reference, and is on the owner.
        unsafe { empty(self.task, then) };
    }

    fn set_joiner(&self, waker: Option<&Waker>) {
        let place = self.header().local().joiner.get();
        // SAFETY: owner only, and no reference to the place lives longer than this statement.
        // `will_wake` is a comparison of pointers and runs no foreign code.
        let same = unsafe {
            match (&*place, waker) {
                (Some(old), Some(new)) => old.will_wake(new),
                (None, None) => true,
                _ => false,
            }
        };
        if !same {
            // Clone and drop of a waker may be foreign code, so the place is not borrowed meanwhile.
            let new = waker.cloned();
            // SAFETY: as above; the old waker is dropped after the exchange.
            let old = unsafe { core::mem::replace(&mut *place, new) };
            drop(old);
        }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        self.header().add_local();
        TaskRef { task: self.task, _owner: PhantomData }
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is the owner, and this owned a reference.
        unsafe { refs::release_local(self.task) };
    }
}

/// A reference to a task that can only abort it, and is counted as such.
pub(crate) struct AbortRef(TaskRef);

impl AbortRef {
    pub(crate) fn new(task: &TaskRef) -> AbortRef {
        let aborters = &task.header().local().aborters;
        aborters.set(aborters.get().saturating_add(1));
        AbortRef(task.clone())
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.0
    }
}

impl Clone for AbortRef {
    fn clone(&self) -> Self {
        AbortRef::new(&self.0)
    }
}

impl Drop for AbortRef {
    fn drop(&mut self) {
        let aborters = &self.0.header().local().aborters;
        if aborters.get() != u16::MAX {
            aborters.set(aborters.get() - 1);
        }
    }
}
