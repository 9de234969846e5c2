//! The run queue: a list that the owner keeps, first woken first; and a lock-free stack on which other
//! threads leave tasks for the owner, who takes it whole and turns it round.
//!
//! There is no single pop from the stack, so no entry is lost or taken twice when an address is used again. (A push may
//! then link to the new task by a pointer that it read when the old one was there: the same address, but formally
//! of an allocation that is gone. Every such stack does that; no compiler is known to make anything of it.)

use alloc::sync::Arc;
use core::cell::Cell;
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::task::Waker;

use super::header::{Header, Link, Wait};
use crate::sync::AtomicPtr;

/// What the owner has to run. Intrusive: linked by `Local::wait`.
pub(super) struct LocalQueue {
    first: Link,
    /// Meaningful while there is a first one.
    last: Cell<NonNull<Header>>,
}

impl LocalQueue {
    pub(super) const fn new() -> LocalQueue {
        LocalQueue { first: Cell::new(None), last: Cell::new(NonNull::dangling()) }
    }

    pub(super) fn first(&self) -> Option<NonNull<Header>> {
        self.first.get()
    }

    /// Adds a task at the end; whether it is the only one.
    ///
    /// # Safety
    /// This is the owner. The task lives, `SCHEDULED` has just been set, and it is kept alive until it is popped.
    #[inline]
    pub(super) unsafe fn push(&self, task: NonNull<Header>) -> bool {
        // SAFETY: the caller says that it lives.
        unsafe { task.as_ref() }.local().wait.set(Wait { next: None });
        let last = self.last.replace(task);
        if self.first.get().is_none() {
            self.first.set(Some(task));
            return true;
        }
        // SAFETY: whatever is in the queue lives.
        unsafe { last.as_ref() }.local().wait.set(Wait { next: Some(task) });
        false
    }

    /// Takes the first task, which is `task`.
    ///
    /// # Safety
    /// This is the owner, and `task` is what `first` gave.
    #[inline]
    pub(super) unsafe fn pop(&self, task: NonNull<Header>) {
        // SAFETY: whatever is in the queue lives, and has `SCHEDULED` set, so `push` has written the link.
        self.first.set(unsafe { task.as_ref().local().wait.get().next });
    }
}

/// Empty, and a push rings.
const IDLE: *mut Header = ptr::null_mut();
/// Empty, and a push need not ring: the owner will look before it sleeps.
const AWAKE: *mut Header = ptr::without_provenance_mut(1);
/// The executor is dead.
const CLOSED: *mut Header = ptr::without_provenance_mut(2);

fn is_mark(entry: *mut Header) -> bool {
    entry.addr() <= 2
}

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// The task is on the stack.
    Left,
    /// The executor is dead, nobody will take the task.
    Closed,
}

/// What other threads leave for the owner. Linked by `Header::remote_next`.
pub(super) struct RemoteStack {
    head: AtomicPtr<Header>,
    /// In an `Arc`, so that a clone of it is no foreign code.
    unpark: Arc<Waker>,
}

impl RemoteStack {
    pub(super) fn new(unpark: Waker) -> RemoteStack {
        RemoteStack { head: AtomicPtr::new(IDLE), unpark: Arc::new(unpark) }
    }

    /// Leaves a task for the owner, and rings `unpark` if it is the first one since the owner went to sleep.
    ///
    /// # Safety
    /// The caller has just set the task's `QUEUED`, which keeps the task, and with it this stack, alive until
    /// the task is on the stack. Neither is touched after that.
    pub(super) unsafe fn push(this: NonNull<RemoteStack>, task: NonNull<Header>) -> Push {
        let mut bell: Option<Arc<Waker>> = None;
        {
            // SAFETY: the caller says that both live until the exchange has succeeded.
            let (stack, task_ref) = unsafe { (this.as_ref(), task.as_ref()) };
            // As in `refs::signal`: loom needs the exchange to be the first access.
            let mut head = if cfg!(loom) { IDLE } else { stack.head.load(Acquire) };
            loop {
                if head == CLOSED {
                    return Push::Closed;
                }
                if head == IDLE && bell.is_none() {
                    // Now, because the stack may be gone right after the exchange.
                    bell = Some(stack.unpark.clone());
                }
                task_ref.remote_next.store(head, Relaxed);
                match stack.head.compare_exchange_weak(head, task.as_ptr(), AcqRel, Acquire) {
                    Ok(_) => break,
                    Err(now) => head = now,
                }
            }
            if head != IDLE {
                return Push::Left;
            }
        }
        if let Some(bell) = bell {
            bell.wake_by_ref();
        }
        Push::Left
    }

    /// Whether something is on the stack, for the owner to [`take`](Self::take).
    #[inline]
    pub(super) fn has_entries(&self) -> bool {
        !is_mark(self.head.load(Relaxed))
    }

    /// Takes everything, first left first.
    pub(super) fn take(&self) -> Taken {
        Taken::reversed(self.head.swap(AWAKE, AcqRel))
    }

    /// From now on pushes do not ring, until [`try_idle`](Self::try_idle).
    pub(super) fn stay_awake(&self) {
        if self.head.load(Relaxed) == IDLE {
            // An error means that something has been pushed, and has rung.
            let _ = self.head.compare_exchange(IDLE, AWAKE, AcqRel, Relaxed);
        }
    }

    /// From now on a push rings. `false`: something is on the stack.
    pub(super) fn try_idle(&self) -> bool {
        let head = self.head.load(Relaxed);
        head == IDLE
            || head == AWAKE && self.head.compare_exchange(AWAKE, IDLE, AcqRel, Relaxed).is_ok()
    }

    /// Another thread has rung `unpark` since [`try_idle`](Self::try_idle).
    pub(super) fn has_rung(&self) -> bool {
        self.head.load(Relaxed) != IDLE
    }

    pub(super) fn ring(&self) {
        self.unpark.wake_by_ref();
    }

    /// Takes everything for ever: later pushes answer [`Push::Closed`].
    pub(super) fn close(&self) -> Taken {
        Taken::reversed(self.head.swap(CLOSED, AcqRel))
    }
}

/// Entries that the owner has taken from the stack.
pub(super) struct Taken {
    first: Option<NonNull<Header>>,
}

impl Taken {
    fn reversed(mut entry: *mut Header) -> Taken {
        let mut first: *mut Header = ptr::null_mut();
        while !is_mark(entry) {
            // SAFETY: an entry is kept alive by its `QUEUED`, and only the owner, who took the whole stack,
            // follows or changes the links now.
            let next = unsafe { (*entry).remote_next.load(Relaxed) };
            // SAFETY: as above.
            unsafe { (*entry).remote_next.store(first, Relaxed) };
            first = entry;
            entry = next;
        }
        Taken { first: NonNull::new(first) }
    }
}

impl Iterator for Taken {
    type Item = NonNull<Header>;

    /// The link is read before the entry is given out: its `QUEUED` may be cleared then.
    fn next(&mut self) -> Option<NonNull<Header>> {
        let task = self.first?;
        // SAFETY: as in `reversed`.
        self.first = NonNull::new(unsafe { task.as_ref() }.remote_next.load(Relaxed));
        Some(task)
    }
}
