//! What an executor shares with its tasks, and through them with everybody who holds a waker.

use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{AcqRel, Relaxed};
use core::task::Waker;

use super::header::{BURIED, DONE, Header, Link, ON_TICKET, ON_TIMER, SCHEDULED};
use super::pool::{Pool, give_back_outside};
use super::queue::{LocalQueue, RemoteStack};
use super::refs;
use crate::sync::AtomicUsize;
use crate::thread;

/// Starts on a cache line of its own, so that what others write does not slow down the owner.
#[repr(align(64))]
struct Line<T>(T);

/// The executor's memory; see point 6 of the module for how long it lives.
pub(crate) struct Shared {
    remote: Line<Remote>,
    local: Line<Owned>,
}

/// What any thread may touch.
struct Remote {
    stack: RemoteStack,
    /// The thread whose executor this is, `thread::NONE` once it is dead.
    owner: AtomicUsize,
    /// How many tasks have outlived the executor; one more while it is dying.
    orphans: AtomicUsize,
}

/// What only the owner touches; in this order, so that every turn needs one cache line.
#[repr(C)]
pub(super) struct Owned {
    pub(super) queue: LocalQueue,
    /// The owner will look into the queue without being rung for.
    awake: Cell<bool>,
    /// The executor is not dead.
    pub(super) alive: Cell<bool>,
    /// The task being polled, of nested polls the innermost; or, while no foreign code runs, one that was polled.
    pub(super) current: Link,
    /// Every task that has memory, newest first.
    pub(super) first: Link,
    /// Finished tasks that somebody still holds, put aside while the executor dies.
    pub(super) buried: Link,
    /// How many tasks are not done.
    pub(super) live: Cell<usize>,
    pool: UnsafeCell<Pool>,
}

impl Shared {
    /// Made by the owner, for [`bury`](Self::bury) to end.
    pub(super) fn new(unpark: Waker) -> NonNull<Shared> {
        let shared = Box::new(Shared {
            remote: Line(Remote {
                stack: RemoteStack::new(unpark),
                owner: AtomicUsize::new(thread::claim()),
                orphans: AtomicUsize::new(0),
            }),
            local: Line(Owned {
                queue: LocalQueue::new(),
                awake: Cell::new(false),
                alive: Cell::new(true),
                current: Cell::new(None),
                first: Cell::new(None),
                buried: Cell::new(None),
                live: Cell::new(0),
                pool: UnsafeCell::new(Pool::new()),
            }),
        });
        NonNull::from(Box::leak(shared))
    }

    /// Whether this is the owner, and the executor lives or there are no other threads.
    #[inline]
    pub(super) fn is_owner(&self) -> bool {
        thread::ALONE || self.remote.0.owner.load(Relaxed) == thread::current()
    }

    /// Only for the owner.
    #[inline]
    pub(super) fn local(&self) -> &Owned {
        &self.local.0
    }

    /// Where other threads leave tasks, without a reference that would have to outlive the call.
    pub(super) fn stack(this: NonNull<Shared>) -> NonNull<RemoteStack> {
        // SAFETY: the callers have a task, which keeps it alive, and a field's address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*this.as_ptr()).remote.0.stack) }
    }

    /// Memory for a task.
    pub(super) fn pool(&self) -> *mut Pool {
        self.local.0.pool.get()
    }

    /// Takes over what other threads have left, in its order. Only for the owner.
    #[inline]
    pub(super) fn collect(&self) {
        if self.has_entries() {
            self.collect_entries();
        }
    }

    #[inline]
    fn has_entries(&self) -> bool {
        !thread::ALONE && self.remote.0.stack.has_entries()
    }

    #[cold]
    #[inline(never)]
    fn collect_entries(&self) {
        for task in self.remote.0.stack.take() {
            // SAFETY: this is the owner, and the task has just been taken.
            if unsafe { refs::absorb(task) } {
                // SAFETY: it was not in the queue; point 4 of the module keeps it alive while it is.
                unsafe { self.local.0.queue.push(task) };
            }
        }
    }

    /// Puts a task into the queue, unless it is there already or done. `false`: the owner sleeps, and the caller must
    /// [`ring`](Self::ring).
    ///
    /// # Safety
    /// This is the owner of the living executor. The caller has a reference to the task.
    #[inline]
    pub(super) unsafe fn schedule(task: NonNull<Header>) -> bool {
        // SAFETY: the caller's reference keeps it alive.
        if unsafe { task.as_ref() }.shared().has_entries() {
            // SAFETY: the caller's promise.
            return unsafe { Shared::collect_and_schedule(task) };
        }
        // SAFETY: the caller's promise.
        unsafe { Shared::schedule_now(task) }
    }

    /// Like [`schedule`](Self::schedule): what woke before on other threads comes before the task.
    ///
    /// # Safety
    /// As there.
    #[cold]
    #[inline(never)]
    unsafe fn collect_and_schedule(task: NonNull<Header>) -> bool {
        // SAFETY: the caller's reference keeps it alive.
        unsafe { task.as_ref() }.shared().collect();
        // SAFETY: the caller's promise.
        unsafe { Shared::schedule_now(task) }
    }

    /// Like [`schedule`](Self::schedule), when nothing is to be collected.
    ///
    /// # Safety
    /// As there.
    #[inline]
    unsafe fn schedule_now(task: NonNull<Header>) -> bool {
        // SAFETY: the caller's reference keeps it alive.
        let header = unsafe { task.as_ref() };
        let flags = &header.local().flags;
        let old = flags.get();
        if old & (SCHEDULED | DONE) != 0 {
            return true;
        }
        flags.set((old | SCHEDULED) & !(ON_TICKET | ON_TIMER));
        let own = header.shared().local();
        // SAFETY: `SCHEDULED` was not set, so it is not in the queue; point 4 of the module.
        let only = unsafe { own.queue.push(task) };
        // Who sleeps has nothing in the queue.
        !only || own.awake.get()
    }

    /// To be called when something has been put into the queue.
    #[inline]
    pub(super) fn ring_if_asleep(&self) {
        if !self.local.0.awake.get() {
            self.ring();
        }
    }

    /// Wakes the owner, who sleeps, unless another thread has done so.
    #[inline(never)]
    pub(super) fn ring(&self) {
        let rung = !thread::ALONE && self.remote.0.stack.has_rung();
        self.awake();
        if !rung {
            self.remote.0.stack.ring();
        }
    }

    /// Rings whether the owner sleeps or not.
    pub(super) fn ring_anyway(&self) {
        self.remote.0.stack.ring();
    }

    /// From now on a wake by the owner does not ring, until [`try_idle`](Self::try_idle).
    pub(super) fn awake(&self) {
        self.local.0.awake.set(true);
        if !thread::CAN_TELL {
            // Those go over the stack too.
            self.remote.0.stack.stay_awake();
        }
    }

    /// From now on no wake rings, until [`try_idle`](Self::try_idle).
    pub(super) fn stay_awake(&self) {
        self.local.0.awake.set(true);
        if !thread::ALONE {
            self.remote.0.stack.stay_awake();
        }
    }

    /// From now on wakes ring. `false`: there is something to run or to collect.
    pub(super) fn try_idle(&self) -> bool {
        let idle = self.local.0.queue.first().is_none()
            && (thread::ALONE || self.remote.0.stack.try_idle());
        if idle {
            self.local.0.awake.set(false);
        }
        idle
    }

    /// Links a new task into the list.
    ///
    /// # Safety
    /// This is the owner, and the task lives.
    #[inline]
    pub(super) unsafe fn link(&self, task: NonNull<Header>, to: &Link) {
        let next = to.replace(Some(task));
        // SAFETY: the caller says that it lives.
        let local = unsafe { task.as_ref() }.local();
        local.prev.set(None);
        local.next.set(next);
        if let Some(next) = next {
            // SAFETY: whatever is in a list lives.
            unsafe { next.as_ref() }.local().prev.set(Some(task));
        }
    }

    /// Takes a task out of the list that it is in.
    ///
    /// # Safety
    /// This is the owner, and the task is in a list.
    #[inline]
    pub(super) unsafe fn unlink(&self, task: NonNull<Header>) {
        // SAFETY: whatever is in a list lives.
        let local = unsafe { task.as_ref() }.local();
        let (prev, next) = (local.prev.get(), local.next.get());
        match prev {
            // SAFETY: as above.
            Some(prev) => unsafe { prev.as_ref() }.local().next.set(next),
            None if local.has(BURIED) => self.local.0.buried.set(next),
            None => self.local.0.first.set(next),
        }
        if let Some(next) = next {
            // SAFETY: as above.
            unsafe { next.as_ref() }.local().prev.set(prev);
        }
    }

    /// Frees a task.
    ///
    /// # Safety
    /// This is the owner of the living executor; the last reference is gone, and no entry is on the stack.
    pub(super) unsafe fn free(task: NonNull<Header>) {
        // SAFETY: nobody else knows it.
        let header = unsafe { task.as_ref() };
        let (shared, vtable) = (header.shared(), header.vtable);
        // SAFETY: every task of a living executor is in a list.
        unsafe { shared.unlink(task) };
        // SAFETY: a task without references owns nothing that has to be dropped (point 3 of the module). The pool is
        // borrowed by nobody else, as none of its functions runs foreign code.
        unsafe { (*shared.pool()).give_back(task.cast(), vtable.layout, vtable.class) };
    }

    /// Frees a task whose executor is dead, from any thread, and with the last one what the executor left.
    ///
    /// # Safety
    /// The last reference to the task, an orphan, is gone, and no entry is on the stack.
    pub(super) unsafe fn free_orphan(task: NonNull<Header>) {
        // SAFETY: nobody else knows it.
        let header = unsafe { task.as_ref() };
        let (shared, vtable) = (header.shared, header.vtable);
        // SAFETY: as in `free`. Memory of the pool goes with the pool.
        unsafe { give_back_outside(task.cast(), vtable.layout, vtable.class) };
        // SAFETY: this task was counted.
        unsafe { Shared::drop_orphan(shared) };
    }

    /// # Safety
    /// One of those that `orphans` counts is gone, and does not use `this` any more.
    unsafe fn drop_orphan(this: NonNull<Shared>) {
        // SAFETY: whoever has not counted down yet keeps it alive.
        let left = unsafe { this.as_ref() }.remote.0.orphans.fetch_sub(1, AcqRel);
        if left == 1 {
            // SAFETY: it came from a `Box`, and everybody else has counted down.
            drop(unsafe { Box::from_raw(this.as_ptr()) });
        }
    }

    /// The end of the executor: leaves its finished tasks, which are all buried, to those who hold them.
    ///
    /// # Safety
    /// This is the owner, for the last time. The queue is empty, and every task is done and buried.
    pub(super) unsafe fn bury(this: NonNull<Shared>) {
        // SAFETY: it lives until its orphans, of which this call is one, are gone.
        let shared = unsafe { this.as_ref() };
        let local = shared.local();
        local.alive.set(false);
        shared.remote.0.owner.store(thread::NONE, Relaxed);
        let buried = || {
            core::iter::successors(local.buried.get(), |task| {
                // SAFETY: whatever is in a list lives, and its neighbour is read before it is given up.
                unsafe { task.as_ref() }.local().next.get()
            })
        };
        shared.remote.0.orphans.store(buried().count() + 1, Relaxed);
        let mut next = local.buried.take();
        while let Some(task) = next {
            // SAFETY: as above.
            next = unsafe { task.as_ref() }.local().next.get();
            // SAFETY: this is the owner, and nobody counts in its share from now on.
            unsafe { refs::orphan(task) };
        }
        if !thread::ALONE {
            for task in shared.remote.0.stack.close() {
                // SAFETY: it was on the stack, so its `QUEUED` is the owner's to clear.
                unsafe { refs::dequeue_orphan(task) };
            }
        }
        // SAFETY: this call was counted.
        unsafe { Shared::drop_orphan(this) };
    }
}
