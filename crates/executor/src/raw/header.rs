//! The part of a task that does not depend on its future's type.

use core::alloc::Layout;
use core::cell::{Cell, UnsafeCell};
use core::panic::Location;
use core::ptr::NonNull;
use core::task::{Context, Waker};

use super::pool::Class;
use super::shared::Shared;
use crate::dump::WaitsFor;
use crate::sync::{AtomicPtr, AtomicUsize};

/// A place for a pointer to a task.
pub(super) type Link = Cell<Option<NonNull<Header>>>;

/// In the local queue.
pub(super) const SCHEDULED: u8 = 1;
/// The future is gone. Set once, never cleared.
pub(super) const DONE: u8 = 1 << 1;
/// To be cancelled when it is taken from the queue.
pub(super) const ABORTED: u8 = 1 << 2;
/// A `JoinHandle` exists, so the output is kept.
pub(super) const JOINABLE: u8 = 1 << 3;
/// Stands in the queue for a future that `block_on` polls; its own future is never polled.
pub(super) const ROOT: u8 = 1 << 4;
/// Of a `ROOT`, which cannot be aborted: its turn in the queue has come, and nobody has polled the future yet.
pub(super) const DUE: u8 = ABORTED;
/// Linked into the list of the dead, not that of the live.
pub(super) const BURIED: u8 = 1 << 5;
/// Waits for a ticket, and `Wait` says of which operation. Not together with `SCHEDULED`.
pub(super) const ON_TICKET: u8 = 1 << 6;
/// Waits for a timer, and `Wait` says until when. Not together with `SCHEDULED`.
pub(super) const ON_TIMER: u8 = 1 << 7;

/// Either the next entry of the local queue, while `SCHEDULED` is set, or what the task waits for, while one of
/// the flags above says so: it is never both in the queue and waiting.
#[derive(Clone, Copy)]
pub(super) union Wait {
    pub(super) next: Option<NonNull<Header>>,
    pub(super) ticket: &'static &'static str,
    pub(super) deadline: u64,
}

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
    /// Polls the future. `true`: it is ready; the union now holds the output, or nothing if there is no `JoinHandle`.
    pub(super) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> bool,
    /// Drops the future in place.
    pub(super) drop_future: unsafe fn(NonNull<Header>),
    /// Writes `Err(error)` into the union, which holds nothing.
    pub(super) write_error: unsafe fn(NonNull<Header>, crate::JoinError),
    /// Moves the output to the place given, a `Result<T, JoinError>`.
    pub(super) read_output: unsafe fn(NonNull<Header>, *mut ()),
    /// Drops the output in place.
    pub(super) drop_output: unsafe fn(NonNull<Header>),
    /// Of the whole task, and where in the pool it comes from.
    pub(super) layout: Layout,
    pub(super) class: Class,
}

/// Fields that only the owner touches. What every poll needs comes first; with what `Header` has before it, that is
/// one cache line.
#[repr(C)]
pub(super) struct Local {
    /// The owner's share of the reference count; 0 when all of it is in `Header::remote`.
    pub(super) refs: Cell<u32>,
    /// How many `AbortHandle`s exist: references that can wake nobody. At its maximum it is
    /// no longer counted.
    pub(super) aborters: Cell<u16>,
    pub(super) flags: Cell<u8>,
    pub(super) stage: Cell<Stage>,
    pub(super) wait: Cell<Wait>,
    /// Who waits in `JoinHandle::poll`.
    pub(super) joiner: UnsafeCell<Option<Waker>>,
    /// Neighbours in the list of tasks.
    pub(super) prev: Link,
    pub(super) next: Link,
    pub(super) location: &'static Location<'static>,
    pub(super) name: Option<&'static str>,
}

impl Local {
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }

    pub(super) fn set(&self, flag: u8) {
        self.flags.set(self.flags.get() | flag);
    }

    pub(super) fn clear(&self, flag: u8) {
        self.flags.set(self.flags.get() & !flag);
    }

    /// What the task's last poll said that it waits for.
    pub(super) fn waits_for(&self) -> WaitsFor {
        let wait = self.wait.get();
        if self.has(ON_TICKET) {
            // SAFETY: the flag says which field was written last.
            WaitsFor::Ticket(unsafe { wait.ticket })
        } else if self.has(ON_TIMER) {
            // SAFETY: as above.
            WaitsFor::Timer(unsafe { wait.deadline })
        } else {
            WaitsFor::Unknown
        }
    }

    /// Notes what the task waits for, unless it has been woken already.
    pub(super) fn note_wait(&self, flag: u8, wait: Wait) {
        if !self.has(SCHEDULED) {
            self.flags.set(self.flags.get() & !(ON_TICKET | ON_TIMER) | flag);
            self.wait.set(wait);
        }
    }

    /// References that can wake nobody: the executor's, and those of handles.
    pub(super) fn idle_refs(&self) -> isize {
        let handles = u32::from(self.has(JOINABLE | ROOT)) + u32::from(self.aborters.get());
        1 + handles as isize
    }

    /// There are, or were, so many `AbortHandle`s that they are not counted any more.
    pub(super) fn has_uncounted_refs(&self) -> bool {
        self.aborters.get() == u16::MAX
    }
}

/// The head of every task's memory.
#[repr(C)]
pub(super) struct Header {
    /// What other threads have done to the task; see `remote`.
    pub(super) remote: AtomicUsize,
    pub(super) vtable: &'static VTable,
    pub(super) shared: NonNull<Shared>,
    local: Local,
    /// The next entry of the remote stack, while this one is in it.
    pub(super) remote_next: AtomicPtr<Header>,
    /// Has loom see every use of `local`.
    #[cfg(loom)]
    check: loom::cell::UnsafeCell<()>,
}

impl Header {
    pub(super) fn new(vtable: &'static VTable, shared: NonNull<Shared>, local: Local) -> Header {
        Header {
            remote: AtomicUsize::new(0),
            vtable,
            shared,
            local,
            remote_next: AtomicPtr::new(core::ptr::null_mut()),
            #[cfg(loom)]
            check: loom::cell::UnsafeCell::new(()),
        }
    }

    /// Only for the owner.
    pub(super) fn local(&self) -> &Local {
        #[cfg(loom)]
        self.check.with_mut(|_| ());
        &self.local
    }

    pub(super) fn shared(&self) -> &Shared {
        // SAFETY: point 6 of the module: it lives as long as any task of it.
        unsafe { self.shared.as_ref() }
    }
}

// A pointer to a header is never one of the remote stack's marks.
const _: () = assert!(align_of::<Header>() >= 4);
