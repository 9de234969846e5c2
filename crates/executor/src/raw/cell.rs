//! The allocation of a task: header, then future or output; and the functions of its vtable.

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use super::header::{Header, JOINABLE, Stage, VTable};
use super::pool::{Class, Pool};
use crate::JoinError;

/// Future, then output, in the same place. `Local::stage` says which.
union Body<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<Result<F::Output, JoinError>>,
}

/// `repr(C)` puts the header at offset 0, so a pointer to one is a pointer to the other.
#[repr(C)]
pub(super) struct TaskCell<F: Future> {
    header: Header,
    body: UnsafeCell<Body<F>>,
}

impl<F: Future> TaskCell<F> {
    pub(super) const VTABLE: VTable = VTable {
        poll: Self::poll,
        drop_future: Self::drop_future,
        write_error: Self::write_error,
        read_output: Self::read_output,
        drop_output: Self::drop_output,
        layout: Layout::new::<Self>(),
        class: Class::of(Layout::new::<Self>()),
    };

    /// Makes a task. The pointer may be used for the whole of its memory.
    #[inline]
    pub(super) fn allocate(pool: &mut Pool, header: Header, future: F) -> NonNull<Header> {
        let at = pool.allocate(Self::VTABLE.layout, Self::VTABLE.class).cast::<Self>();
        let body = UnsafeCell::new(Body { future: ManuallyDrop::new(future) });
        // SAFETY: the memory is big enough, aligned, and nobody else's.
        unsafe { at.write(TaskCell { header, body }) };
        at.cast()
    }

    /// The union of the task at `header`.
    ///
    /// # Safety
    /// `header` is a live task made by `Self::allocate`, and this is the owner's thread.
    unsafe fn body(header: NonNull<Header>) -> *mut Body<F> {
        let cell = header.cast::<TaskCell<F>>().as_ptr();
        // SAFETY: the caller says that the cell is live.
        let body = unsafe { &raw const (*cell).body };
        UnsafeCell::raw_get(body)
    }

    unsafe fn poll(header: NonNull<Header>, cx: &mut Context<'_>) -> bool {
        // SAFETY: the caller of a vtable function gives a live task of this type, on the owner.
        let body = unsafe { Self::body(header) };
        let polled = {
            // SAFETY: the stage is `Future` (checked by the caller), point 1 of the module says
            // that nobody else has a reference to the future.
            let future: &mut ManuallyDrop<F> = unsafe { &mut (*body).future };
            // SAFETY: point 2: it is dropped in place before its memory is used for anything else.
            unsafe { Pin::new_unchecked(&mut **future) }.poll(cx)
        };
        let Poll::Ready(output) = polled else {
            return false;
        };
        let mut kept = Finish { header, body, output: Some(Ok(output)) };
        // SAFETY: the future is there, and is not used again: the stage changes below, or in `kept`'s
        // drop when the future's own drop panics.
        unsafe { ManuallyDrop::drop(&mut (*body).future) };
        // SAFETY: the task is live while it is polled.
        let local = unsafe { header.as_ref() }.local();
        if local.has(JOINABLE) {
            kept.finish();
        } else {
            local.stage.set(Stage::Empty);
            // Nobody can ask for it. If its drop panics, nobody can ask for that either.
            drop(kept.output.take());
        }
        true
    }

    unsafe fn drop_future(header: NonNull<Header>) {
        // SAFETY: as in `poll`.
        let body = unsafe { Self::body(header) };
        // SAFETY: the caller has set the stage to `Empty` and found `Future` there, so the
        // future is there and will not be dropped again.
        unsafe { ManuallyDrop::drop(&mut (*body).future) };
    }

    unsafe fn write_error(header: NonNull<Header>, error: JoinError) {
        // SAFETY: as in `poll`; the union holds nothing that needs a drop.
        let body = unsafe { Self::body(header) };
        // SAFETY: the place is valid for writes and the owner's alone.
        unsafe { (&raw mut (*body).output).write(ManuallyDrop::new(Err(error))) };
    }

    unsafe fn read_output(header: NonNull<Header>, to: *mut ()) {
        // SAFETY: as in `poll`.
        let body = unsafe { Self::body(header) };
        // SAFETY: the stage was `Output`, and the caller has set it to `Empty`: it is moved out once.
        let output = unsafe { (&raw const (*body).output).read() };
        // SAFETY: the caller gives a place for a value of just this type: `JoinHandle<T>` is made
        // only with the task whose output is `T`.
        unsafe {
            to.cast::<Result<F::Output, JoinError>>().write(ManuallyDrop::into_inner(output))
        };
    }

    unsafe fn drop_output(header: NonNull<Header>) {
        // SAFETY: as in `poll`.
        let body = unsafe { Self::body(header) };
        // SAFETY: the stage was `Output`, and the caller has set it to `Empty`.
        unsafe { ManuallyDrop::drop(&mut (*body).output) };
    }
}

/// Puts the output in the future's place once the future has been dropped, by panic or not.
struct Finish<F: Future> {
    header: NonNull<Header>,
    body: *mut Body<F>,
    output: Option<Result<F::Output, JoinError>>,
}

impl<F: Future> Finish<F> {
    fn finish(&mut self) {
        if let Some(output) = self.output.take() {
            // SAFETY: the future in this place is gone; the place is valid and the owner's alone.
            unsafe { (&raw mut (*self.body).output).write(ManuallyDrop::new(output)) };
            // SAFETY: the task is live while it is polled.
            unsafe { self.header.as_ref() }.local().stage.set(Stage::Output);
        }
    }
}

impl<F: Future> Drop for Finish<F> {
    fn drop(&mut self) {
        self.finish();
    }
}
