//! Which thread this is: numbers that are never used again, unlike the addresses of thread-locals.

/// No thread has this number.
pub(crate) const NONE: usize = usize::MAX;

/// The only thread of a program that can have no other.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
mod id {
    pub(crate) fn current() -> usize {
        1
    }

    pub(crate) fn claim() -> usize {
        1
    }
}

/// Threads that have made an executor have a number; all others have 0.
#[cfg(all(feature = "std", not(all(target_family = "wasm", not(target_feature = "atomics")))))]
mod id {
    use core::cell::Cell;
    use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[cfg(not(loom))]
    std::thread_local! {
        static ID: Cell<usize> = const { Cell::new(0) };
    }
    #[cfg(loom)]
    loom::thread_local! {
        static ID: Cell<usize> = Cell::new(0);
    }

    /// The number of this thread; 0 when it has none.
    pub(crate) fn current() -> usize {
        ID.with(Cell::get)
    }

    /// The number of this thread, which gets one now if it has none.
    pub(crate) fn claim() -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        ID.with(|id| {
            if id.get() == 0 {
                let next = NEXT.fetch_update(Relaxed, Relaxed, |next| {
                    (next < super::NONE).then_some(next + 1)
                });
                id.set(next.expect("no more numbers for threads that make an executor"));
            }
            id.get()
        })
    }
}

/// Without std nobody can tell one thread from another, so everybody counts as another thread.
#[cfg(all(
    not(feature = "std"),
    not(all(target_family = "wasm", not(target_feature = "atomics")))
))]
mod id {
    pub(crate) fn current() -> usize {
        0
    }

    pub(crate) fn claim() -> usize {
        super::NONE
    }
}

pub(crate) use id::{claim, current};

/// There is no other thread and never will be, so all that deals with others need not be in the program.
pub(crate) const ALONE: bool = cfg!(all(target_family = "wasm", not(target_feature = "atomics")));

/// Whether the owner of an executor can be told from other threads.
pub(crate) const CAN_TELL: bool = ALONE || cfg!(feature = "std");
