//! The waker of a task: a pointer to its header that owns one reference.

use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::sync::atomic::{
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};
use core::task::{RawWaker, RawWakerVTable, Waker};

use super::header::{DONE, Header, REF, SCHEDULED};
use super::queue::Push;

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker without a reference of its own, to be lent to `poll`.
///
/// # Safety
/// The task lives as long as the result is used.
pub(super) unsafe fn lend(task: NonNull<Header>) -> ManuallyDrop<Waker> {
    let raw = RawWaker::new(task.as_ptr().cast_const().cast(), &VTABLE);
    // SAFETY: the functions of the table keep `RawWaker`'s contract for a pointer to a live
    // task; `ManuallyDrop` keeps this waker from giving back a reference that it has not got.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw) })
}

/// The task that a waker wakes, if it is one of ours.
pub(super) fn target(waker: &Waker) -> Option<NonNull<Header>> {
    core::ptr::eq(waker.vtable(), &VTABLE).then(|| from_data(waker.data()))?
}

fn from_data(data: *const ()) -> Option<NonNull<Header>> {
    NonNull::new(data.cast_mut().cast())
}

/// The header behind the data pointer of one of our wakers.
///
/// # Safety
/// `data` was made by `lend` or `clone` and its task lives for `'a`.
unsafe fn header<'a>(data: *const ()) -> &'a Header {
    // SAFETY: the caller says so.
    unsafe { &*data.cast::<Header>() }
}

/// Adds a reference.
pub(super) fn add_ref(header: &Header) {
    let old = header.state.fetch_add(REF, Relaxed);
    // A count that wraps would free memory in use. Only leaking wakers in a loop gets there.
    if old > isize::MAX as usize {
        // A panic could be caught and the count used again, so there is nothing else to do.
        abort();
    }
}

/// Gives back a reference, and frees the task if it was the last.
///
/// # Safety
/// The caller owns a reference, and does not use the task after this.
pub(super) unsafe fn drop_ref(task: NonNull<Header>) {
    let (old, vtable) = {
        // SAFETY: the caller's reference keeps it alive up to the subtraction.
        let header = unsafe { task.as_ref() };
        let vtable = header.vtable;
        (header.state.fetch_sub(REF, Release), vtable)
    };
    if old & !(SCHEDULED | DONE) == REF {
        fence(Acquire);
        // SAFETY: points 4 and 5 of the module: nobody else knows the task, and the union is empty.
        unsafe { (vtable.dealloc)(task) };
    }
}

/// Puts the task into the run queue, unless it is there already or done.
///
/// # Safety
/// The caller owns a reference.
pub(super) unsafe fn schedule(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps it alive.
    let header = unsafe { task.as_ref() };
    if header.state.fetch_or(SCHEDULED, AcqRel) & (SCHEDULED | DONE) == 0 {
        // SAFETY: this call has just set SCHEDULED.
        unsafe { push(task) };
    }
}

/// The second half of [`schedule`]. On another thread the executor may do anything between the two.
///
/// # Safety
/// The caller owns a reference, and has just set `SCHEDULED` while neither it nor `DONE` was set.
pub(super) unsafe fn push(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps it alive.
    let header = unsafe { task.as_ref() };
    // SAFETY: the caller has just set SCHEDULED.
    let pushed = unsafe { header.shared.push(task) };
    if pushed == Push::Closed {
        // SAFETY: point 7 of the module: the executor left its reference for the one who pushes.
        unsafe { drop_ref(task) };
    }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker being cloned keeps the task alive.
    add_ref(unsafe { header(data) });
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: `RawWaker`'s contract: the waker owns a reference, and is used up by this call.
    unsafe { wake_by_ref(data) };
    // SAFETY: as above.
    unsafe { drop_waker(data) };
}

unsafe fn wake_by_ref(data: *const ()) {
    if let Some(task) = from_data(data) {
        // SAFETY: the waker owns a reference, or is lent by somebody who does.
        unsafe { schedule(task) };
    }
}

unsafe fn drop_waker(data: *const ()) {
    if let Some(task) = from_data(data) {
        // SAFETY: the waker owns a reference and is used up by this call.
        unsafe { drop_ref(task) };
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
