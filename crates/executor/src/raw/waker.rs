//! The waker of a task: a pointer to its header that owns one reference.

use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::{RawWaker, RawWakerVTable, Waker};

use super::header::Header;
use super::refs::{self, Signal};
use super::shared::Shared;

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker without a reference of its own, to be lent to `poll`.
///
/// # Safety
/// The task lives as long as the result is used.
#[inline]
pub(super) unsafe fn lend(task: NonNull<Header>) -> ManuallyDrop<Waker> {
    let raw = RawWaker::new(task.as_ptr().cast_const().cast(), &VTABLE);
    // SAFETY: the functions of the table keep `RawWaker`'s contract for a pointer to a live
    // task; `ManuallyDrop` keeps this waker from giving back a reference that it has not got.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw) })
}

/// The task that a waker wakes, if it is one of ours.
pub(super) fn target(waker: &Waker) -> Option<NonNull<Header>> {
    core::ptr::eq(waker.vtable(), &VTABLE).then(|| NonNull::new(waker.data().cast_mut().cast()))?
}

/// The task behind the data pointer of one of our wakers.
///
/// # Safety
/// `data` was made by `lend` or `clone`.
unsafe fn task(data: *const ()) -> NonNull<Header> {
    // SAFETY: the caller says so, and a header's address is not null.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: `RawWaker`'s contract: it is one of ours, and its reference keeps the task alive.
    let header = unsafe { task(data).as_ref() };
    if header.shared().is_owner() {
        header.add_local();
    } else {
        header.add_remote();
    }
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: as in `clone`.
    let task = unsafe { task(data) };
    // SAFETY: as in `clone`.
    if !unsafe { task.as_ref() }.shared().is_owner() {
        // SAFETY: the waker has a reference, and gives it up.
        unsafe { refs::signal(task, Signal { wake: true, release: true }) };
        return;
    }
    // SAFETY: this is the owner, and the waker has a reference.
    if unsafe { Shared::schedule(task) } {
        // SAFETY: the reference is not used any more.
        unsafe { refs::release_local(task) };
    } else {
        // SAFETY: as above.
        unsafe { ring_and_release(task) };
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: as in `clone`.
    let task = unsafe { task(data) };
    // SAFETY: as in `clone`.
    if !unsafe { task.as_ref() }.shared().is_owner() {
        // SAFETY: the waker has a reference, and keeps it.
        unsafe { refs::signal(task, Signal { wake: true, release: false }) };
        return;
    }
    // SAFETY: this is the owner, and the waker has a reference, or is lent by somebody who has.
    if !unsafe { Shared::schedule(task) } {
        // SAFETY: as above.
        unsafe { task.as_ref() }.shared().ring();
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the waker owns a reference and is used up by this call.
    unsafe { release(task(data)) };
}

/// The reference goes last: the bell is foreign code, and may end the executor, which this call outlives then.
///
/// # Safety
/// This is the owner, who sleeps. The caller has a reference, and gives it up.
#[inline(never)]
unsafe fn ring_and_release(task: NonNull<Header>) {
    /// Also when the bell panics.
    struct Release(NonNull<Header>);
    impl Drop for Release {
        fn drop(&mut self) {
            // SAFETY: this is the owner, if no longer of a living executor; the reference is not used any more.
            unsafe { refs::release_local(self.0) };
        }
    }
    let held = Release(task);
    // SAFETY: the caller's reference keeps it alive.
    unsafe { held.0.as_ref() }.shared().ring();
}

/// Gives back a reference.
///
/// # Safety
/// The caller has a reference, and gives it up.
#[inline]
unsafe fn release(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps it alive.
    if unsafe { task.as_ref() }.shared().is_owner() {
        // SAFETY: this is the owner; the rest is the caller's promise.
        unsafe { refs::release_local(task) };
    } else {
        // SAFETY: the caller's promise.
        unsafe { refs::signal(task, Signal { wake: false, release: true }) };
    }
}
