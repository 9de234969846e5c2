//! The part of a task that does not depend on its future's type.

use alloc::sync::Arc;
use core::cell::{Cell, UnsafeCell};
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicUsize};
use core::task::{Context, Waker};

use super::queue::RunQueue;
use crate::dump::WaitsFor;

/// In the run queue, or about to be pushed by whoever set the flag.
pub(super) const SCHEDULED: usize = 1;
/// The future is gone.
pub(super) const DONE: usize = 2;
/// One reference.
pub(super) const REF: usize = 4;

/// What the union behind the header holds. Owner only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The future.
    Future,
    /// The output, which nobody has taken yet.
    Output,
    /// Nothing.
    Empty,
}

/// What depends on the future's type. Each function takes the header of a task that was made
/// with this table.
pub(super) struct VTable {
    /// Polls the future. `true`: it is ready; the union now holds the output.
    pub(super) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> bool,
    /// Drops the future in place.
    pub(super) drop_future: unsafe fn(NonNull<Header>),
    /// Writes `Err(error)` into the union, which holds nothing.
    pub(super) write_error: unsafe fn(NonNull<Header>, crate::JoinError),
    /// Moves the output to the place given, a `Result<T, JoinError>`.
    pub(super) read_output: unsafe fn(NonNull<Header>, *mut ()),
    /// Drops the output in place.
    pub(super) drop_output: unsafe fn(NonNull<Header>),
    /// Drops the header and frees the memory. The union holds nothing.
    pub(super) dealloc: unsafe fn(NonNull<Header>),
}

/// Fields that only the owner touches.
pub(super) struct Local {
    pub(super) stage: Cell<Stage>,
    /// A `JoinHandle` exists, so the output is kept.
    pub(super) joinable: Cell<bool>,
    /// To be cancelled when it is taken from the queue.
    pub(super) aborted: Cell<bool>,
    /// How many `JoinHandle`s and `AbortHandle`s exist: references that can wake nobody.
    pub(super) handles: Cell<usize>,
    /// Room for counting in `TaskList::held_outside`.
    pub(super) tally: Cell<usize>,
    /// Who waits in `JoinHandle::poll`.
    pub(super) joiner: UnsafeCell<Option<Waker>>,
    /// Neighbours in the list of live tasks.
    pub(super) prev: Cell<Option<NonNull<Header>>>,
    pub(super) next: Cell<Option<NonNull<Header>>>,
    pub(super) name: Option<&'static str>,
    pub(super) location: &'static Location<'static>,
    pub(super) waits_for: Cell<WaitsFor>,
}

/// The head of every task's allocation.
pub(super) struct Header {
    pub(super) state: AtomicUsize,
    /// The next entry of the run queue, while this one is in it.
    pub(super) queue_next: AtomicPtr<Header>,
    pub(super) vtable: &'static VTable,
    pub(super) shared: Arc<RunQueue>,
    pub(super) local: Local,
}

// A pointer to a header has its two lowest bits free for the queue's marks.
const _: () = assert!(align_of::<Header>() >= 4);
