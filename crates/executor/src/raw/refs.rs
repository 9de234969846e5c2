//! The reference count, which is biased: the owner counts without atomic operations, all others in one atomic
//! word. After Choi, Shull and Torrellas, "Biased Reference Counting: Minimizing Atomic Operations in
//! Garbage Collection" (PACT 2018).
//!
//! How many references there are is the sum of the owner's share, `Local::refs`, and the
//! count in `Header::remote`, which is negative when others have dropped what the owner had counted. The
//! argument why that works is in the module's documentation.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::header::{DONE, Header, ON_TICKET, ON_TIMER, SCHEDULED};
use super::queue::{Push, RemoteStack};
use super::shared::Shared;
use crate::thread;

/// On the remote stack, or about to be pushed by whoever set this. Keeps the memory alive.
pub(super) const QUEUED: usize = 1;
/// Woken by another thread.
pub(super) const WOKEN: usize = 1 << 1;
/// The owner's share is 0 for ever: this count is the whole.
pub(super) const MERGED: usize = 1 << 2;
/// The executor is dead; whoever drops the last reference frees. Set together with `MERGED`.
pub(super) const ORPHAN: usize = 1 << 3;
/// The future is gone, so a wake has nothing to wake. A hint that spares the bell: it is not set when it would take
/// an atomic operation that nobody may ever profit from.
const FINISHED: usize = 1 << 4;
/// One reference.
pub(super) const ONE: usize = 1 << 5;

/// More references than this are a leak, and would wrap soon.
const MAX_REFS: isize = 1 << (if usize::BITS == 32 { 24 } else { 31 });

/// The signed count in a remote word.
fn count(word: usize) -> isize {
    word.cast_signed() >> ONE.trailing_zeros()
}

/// What another thread does to a task with one operation.
#[derive(Clone, Copy)]
pub(super) struct Signal {
    /// Have it polled.
    pub(super) wake: bool,
    /// Drop a reference.
    pub(super) release: bool,
}

impl Header {
    /// Adds a reference, as the owner; also after the executor's death.
    #[inline]
    pub(super) fn add_local(&self) {
        let refs = self.local().refs.get();
        // None or too many, in one comparison.
        if refs.wrapping_sub(1) < MAX_REFS as u32 {
            self.local().refs.set(refs + 1);
        } else if !thread::ALONE && refs == 0 {
            self.add_remote();
        } else {
            abort();
        }
    }

    /// Adds a reference, from any thread.
    pub(super) fn add_remote(&self) {
        // Relaxed: whoever adds one has one.
        if count(self.remote.fetch_add(ONE, Relaxed)) > MAX_REFS {
            abort();
        }
    }
}

/// The count of the others, which may be negative. A wake that the owner has not taken over counts as a reference,
/// as it may be all that is left of the waker.
pub(super) fn seen(header: &Header) -> isize {
    if thread::ALONE {
        return 0;
    }
    let word = header.remote.load(Acquire);
    count(word) + isize::from(word & WOKEN != 0)
}

/// Drops a reference, as the owner; also after the executor's death.
///
/// # Safety
/// This is the owner. The caller has a reference and gives it up.
#[inline]
pub(super) unsafe fn release_local(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps it alive.
    let local = unsafe { task.as_ref() }.local();
    let refs = local.refs.get();
    if refs > 1 {
        local.refs.set(refs - 1);
    } else {
        // SAFETY: as the caller says.
        unsafe { release_last_local(task) };
    }
}

/// The rest of [`release_local`]: the owner's share is 1, or has been merged.
///
/// # Safety
/// As there.
#[inline(never)]
unsafe fn release_last_local(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps it alive up to the exchange.
    let header = unsafe { task.as_ref() };
    let last = if !header.shared().local().alive.get() {
        if thread::ALONE {
            // SAFETY: an orphan, whose count is still in the share, and this was its last reference.
            unsafe { Shared::free_orphan(task) };
        } else {
            // SAFETY: the caller has a reference, and gives it up.
            unsafe { signal(task, Signal { wake: false, release: true }) };
        }
        false
    } else if header.local().refs.replace(0) == 1 {
        // No count and no mark: nobody else knows the task, and nobody can get to know it.
        thread::ALONE || header.remote.load(Acquire) & !FINISHED == 0 || {
            let old = header.remote.fetch_or(MERGED, AcqRel);
            count(old) == 0 && old & QUEUED == 0
        }
    } else {
        let old = header.remote.fetch_sub(ONE, AcqRel);
        count(old) == 1 && old & QUEUED == 0
    };
    if last {
        // SAFETY: the last reference is gone, and no entry of the stack keeps the task.
        unsafe { Shared::free(task) };
    }
}

/// Tells others that the task is done, if there seem to be any.
pub(super) fn finish(header: &Header) {
    if !thread::ALONE && (!thread::CAN_TELL || header.remote.load(Relaxed) != 0) {
        header.remote.fetch_or(FINISHED, AcqRel);
    }
}

/// Wakes a task, drops a reference to it, or both, from any thread.
///
/// # Safety
/// The caller has a reference, and gives it up if `signal` says so.
pub(super) unsafe fn signal(task: NonNull<Header>, signal: Signal) {
    let (shared, push, free) = {
        // SAFETY: the caller's reference keeps it alive up to the exchange, and not longer.
        let header = unsafe { task.as_ref() };
        let shared = header.shared;
        // loom remembers the last access of a thread alone, so a load before the exchange would hide from it
        // what the exchange races with. A wrong guess costs one more round.
        let mut old = if cfg!(loom) { 0 } else { header.remote.load(Relaxed) };
        loop {
            let mut new = if signal.release { old.wrapping_sub(ONE) } else { old };
            let (mut push, mut free) = (false, false);
            if old & ORPHAN != 0 {
                free = signal.release && count(new) == 0 && old & QUEUED == 0;
            } else {
                // Whatever is merged is done too, and need not be woken.
                let wake = signal.wake && old & (MERGED | FINISHED) == 0;
                if wake {
                    new |= WOKEN;
                }
                // The owner alone knows its share. It has to look when this may have been the last.
                let last = if old & MERGED == 0 { count(new) < 0 } else { count(new) == 0 };
                if wake || signal.release && last {
                    push = old & QUEUED == 0;
                    new |= QUEUED;
                }
            }
            // Also when nothing changes: what was written before a wake must be seen by the poll after it.
            match header.remote.compare_exchange_weak(old, new, AcqRel, Relaxed) {
                Ok(_) => break (shared, push, free),
                Err(now) => old = now,
            }
        }
    };
    if push {
        // SAFETY: `QUEUED` has just been set here.
        unsafe { self::push(task, shared) };
    } else if free {
        // SAFETY: an orphan, and this was its last reference.
        unsafe { Shared::free_orphan(task) };
    }
}

/// The second half of [`signal`]. On another thread the executor may do anything between the two.
///
/// # Safety
/// The caller has just set `QUEUED`, which was not set.
pub(super) unsafe fn push(task: NonNull<Header>, shared: NonNull<Shared>) {
    // SAFETY: `QUEUED` keeps the task alive, and the task its executor's shared part.
    if unsafe { RemoteStack::push(Shared::stack(shared), task) } == Push::Closed {
        // SAFETY: the stack is closed, so nobody else will clear `QUEUED`.
        unsafe { dequeue_orphan(task) };
    }
}

/// Clears `QUEUED` of a task that nobody will take from the stack any more.
///
/// # Safety
/// The executor is dead, and `QUEUED` is the caller's to clear.
pub(super) unsafe fn dequeue_orphan(task: NonNull<Header>) {
    // SAFETY: `QUEUED` keeps it alive.
    let old = unsafe { task.as_ref() }.remote.fetch_and(!QUEUED, AcqRel);
    if count(old) == 0 {
        // SAFETY: there is no reference left, and no entry.
        unsafe { Shared::free_orphan(task) };
    }
}

/// Takes over what other threads have done to a task. Returns whether it is to be put into the local queue, where it
/// is not; `SCHEDULED` is set then.
///
/// # Safety
/// This is the owner, who has just taken the task from the stack.
pub(super) unsafe fn absorb(task: NonNull<Header>) -> bool {
    // SAFETY: `QUEUED` keeps it alive.
    let header = unsafe { task.as_ref() };
    let local = header.local();
    let share = local.refs.get();
    if share == 0 {
        let old = header.remote.fetch_and(!(QUEUED | WOKEN), AcqRel);
        if count(old) == 0 {
            // SAFETY: there is no reference left, and no entry.
            unsafe { Shared::free(task) };
        }
        return false;
    }
    let new = if local.has(DONE) { FINISHED } else { 0 };
    let old = header.remote.swap(new, AcqRel);
    let refs = share as isize + count(old);
    if refs > MAX_REFS {
        abort();
    }
    local.refs.set(refs as u32);
    if refs == 0 {
        // SAFETY: nobody knows the task any more.
        unsafe { Shared::free(task) };
        return false;
    }
    let wake = old & WOKEN != 0 && !local.has(SCHEDULED | DONE);
    if wake {
        local.clear(ON_TICKET | ON_TIMER);
        local.set(SCHEDULED);
    }
    wake
}

/// Has the task belong to whoever drops its last reference.
///
/// # Safety
/// This is the owner, and its executor's last act but one: nobody counts in `Local::refs` any more.
pub(super) unsafe fn orphan(task: NonNull<Header>) {
    // SAFETY: it lives up to the addition: it is in a list of its executor.
    let header = unsafe { task.as_ref() };
    if thread::ALONE {
        // The share stays the whole count.
        return;
    }
    let share = header.local().refs.replace(0) as usize;
    let merged = if share == 0 { 0 } else { MERGED };
    let old = header.remote.fetch_add((share * ONE) | merged | ORPHAN, AcqRel);
    if count(old) + share as isize == 0 && old & QUEUED == 0 {
        // SAFETY: an orphan without references.
        unsafe { Shared::free_orphan(task) };
    }
}

#[cfg(feature = "std")]
fn abort() -> ! {
    std::process::abort()
}

#[cfg(not(feature = "std"))]
fn abort() -> ! {
    // Without std there is no abort; a panic while panicking is one.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("too many references to a task");
        }
    }
    let _bomb = Bomb;
    panic!("too many references to a task");
}
