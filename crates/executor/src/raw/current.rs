//! Which executor runs on this thread.

use core::ptr::NonNull;

use super::shared::Shared;

#[cfg(feature = "std")]
mod place {
    use super::*;
    use core::cell::Cell;

    std::thread_local! {
        static CURRENT: Cell<Option<NonNull<Shared>>> = const { Cell::new(None) };
    }

    /// The one that runs; of nested ones the innermost.
    pub(in crate::raw) fn get() -> Option<NonNull<Shared>> {
        CURRENT.get()
    }

    /// While this lives, an executor runs.
    pub(in crate::raw) struct Entered {
        outer: Option<NonNull<Shared>>,
    }

    impl Entered {
        #[inline]
        pub(in crate::raw) fn new(shared: NonNull<Shared>) -> Entered {
            Entered { outer: CURRENT.replace(Some(shared)) }
        }
    }

    impl Drop for Entered {
        #[inline]
        fn drop(&mut self) {
            CURRENT.set(self.outer);
        }
    }
}

/// Without std there is no place for each thread.
#[cfg(not(feature = "std"))]
mod place {
    use super::*;

    pub(in crate::raw) struct Entered;

    impl Entered {
        pub(in crate::raw) fn new(_: NonNull<Shared>) -> Entered {
            Entered
        }
    }
}

pub(super) use place::Entered;
#[cfg(feature = "std")]
pub(super) use place::get;
