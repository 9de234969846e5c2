//! The run queue: a lock-free stack of what woke, which the owner takes whole and turns round.
//!
//! Pushes come from any thread. The owner takes everything at once (a *batch*) and reverses
//! it, so tasks run in the order in which they woke, and a task that wakes while a batch runs waits for the
//! next one. There is no single pop from the shared stack, hence no ABA problem.

use core::ptr::{self, NonNull};
use core::sync::atomic::{
    AtomicPtr,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use core::task::Waker;

use super::header::Header;

/// Empty, and nobody runs the executor: the next push rings `unpark`.
const IDLE: *mut Header = ptr::null_mut();
/// Empty, but the driver runs the executor or will: no need to ring.
const AWAKE: *mut Header = ptr::without_provenance_mut(1);
/// The executor is dead.
const CLOSED: *mut Header = ptr::without_provenance_mut(2);

fn is_mark(entry: *mut Header) -> bool {
    entry.addr() <= 2
}

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// The task is in the queue.
    Queued,
    /// The executor is dead. The pusher must give back the reference that the entry would have borrowed.
    Closed,
}

/// The shared end of an executor: what its wakers know of it.
pub(crate) struct RunQueue {
    head: AtomicPtr<Header>,
    unpark: Waker,
}

impl RunQueue {
    pub(crate) fn new(unpark: Waker) -> Self {
        RunQueue { head: AtomicPtr::new(IDLE), unpark }
    }

    /// Pushes a task, and rings `unpark` if it is the first one while nobody runs.
    ///
    /// # Safety
    /// The task lives, and the caller has just set its `SCHEDULED` flag.
    pub(super) unsafe fn push(&self, task: NonNull<Header>) -> Push {
        let mut head = self.head.load(Relaxed);
        loop {
            if head == CLOSED {
                return Push::Closed;
            }
            // SAFETY: the task lives until it is taken out again, see point 6 of the module. After
            // the exchange below it is not touched here any more.
            unsafe { task.as_ref() }.queue_next.store(head, Relaxed);
            match self.head.compare_exchange_weak(head, task.as_ptr(), AcqRel, Acquire) {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        if head == IDLE {
            self.unpark.wake_by_ref();
        }
        Push::Queued
    }

    /// Takes everything, first woken first. Until [`try_idle`](Self::try_idle) pushes do not ring.
    pub(super) fn take(&self) -> Batch {
        let head = self.head.load(Relaxed);
        if head == AWAKE {
            return Batch { first: None };
        }
        Batch::reversed(self.head.swap(AWAKE, AcqRel))
    }

    /// From now on pushes do not ring, until [`try_idle`](Self::try_idle).
    pub(crate) fn stay_awake(&self) {
        // An error means that it is awake already.
        let _ = self.head.compare_exchange(IDLE, AWAKE, AcqRel, Relaxed);
    }

    /// From now on a push rings. `false`: something has been pushed meanwhile.
    pub(crate) fn try_idle(&self) -> bool {
        self.head.compare_exchange(AWAKE, IDLE, AcqRel, Relaxed).is_ok()
            || self.head.load(Relaxed) == IDLE
    }

    /// Takes everything for ever: later pushes answer [`Push::Closed`].
    pub(super) fn close(&self) -> Batch {
        Batch::reversed(self.head.swap(CLOSED, AcqRel))
    }
}

/// Entries that the owner has taken from the queue; linked by `queue_next`.
pub(crate) struct Batch {
    first: Option<NonNull<Header>>,
}

impl Batch {
    pub(super) const EMPTY: Batch = Batch { first: None };

    fn reversed(mut entry: *mut Header) -> Batch {
        let mut first: *mut Header = ptr::null_mut();
        while !is_mark(entry) {
            // SAFETY: an entry is a live task (point 6 of the module), and only the owner, who took
            // the whole stack, follows or changes the links now.
            let next = unsafe { (*entry).queue_next.load(Relaxed) };
            // SAFETY: as above.
            unsafe { (*entry).queue_next.store(first, Relaxed) };
            first = entry;
            entry = next;
        }
        Batch { first: NonNull::new(first) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn pop(&mut self) -> Option<NonNull<Header>> {
        let task = self.first?;
        // SAFETY: as in `reversed`.
        self.first = NonNull::new(unsafe { task.as_ref() }.queue_next.load(Relaxed));
        Some(task)
    }
}
