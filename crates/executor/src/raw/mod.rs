//! The task in memory. All unsafe code of the crate is in this folder, but for the one line of
//! `JoinHandle::poll` that vouches for the type of its task's output.
//!
//! # What a task is
//!
//! One allocation, [`TaskCell`](cell::TaskCell): a [`Header`](header::Header), then a union of
//! the future and its output. Everybody who knows a task holds a pointer to its header:
//!
//! | who | how many | holds a reference | on which thread |
//! |---|---|---|---|
//! | the executor, by its list of live tasks | one | yes, from spawn until the future is gone *and* the task is out of the run queue | owner |
//! | the run queue | at most one entry | no, it borrows the executor's | pushed from any, taken by the owner |
//! | [`JoinHandle`](crate::JoinHandle), [`AbortHandle`](crate::AbortHandle) | any | yes | owner (`!Send`) |
//! | `Waker` | any | yes | any |
//!
//! The *owner* is the thread that made the executor. `Executor`, `JoinHandle` and `AbortHandle`
//! are `!Send` and `!Sync`, so code that goes through them runs on it.
//!
//! # The state word
//!
//! `Header::state` is one atomic word: two flags, and the number of references above them.
//!
//! ```text
//!                 wake: sets SCHEDULED, pushes
//!      ┌────────────────────────────────────────────┐
//!      │                                            ▼
//!   waiting ◄── poll: Pending ── running ◄── SCHEDULED, in the queue ◄── spawn
//!                                   │   clears SCHEDULED, │
//!                                   │   then polls        │ aborted
//!                         Ready or panic                  │
//!                                   ▼                     ▼
//!                                  DONE (the future is gone for ever)
//! ```
//!
//! - `SCHEDULED`: the task is in the run queue, or its waker is about to push it. Whoever
//!   changes it from 0 to 1 while `DONE` is 0, and nobody else, pushes the task, once.
//! - `DONE`: the future has been dropped or moved out. Set once, by the owner, never cleared.
//!   A wake after it does nothing.
//!
//! # Why it is sound
//!
//! 1. *One poller.* Only [`Executor`](crate::Executor) polls, on the owner, a task which it
//!    has just taken from the queue (or just made). A task is in the queue at most once, and
//!    `run_ready` refuses to nest; so nobody polls a future that is being polled.
//! 2. *The future never moves* between the first poll and its drop: it is written into the
//!    allocation by `spawn` and dropped in place.
//! 3. *Owner-only fields* (everything in `Header::local`, and the union) are touched only on the owner:
//!    wakers use `state`, `queue_next`, `shared` and `vtable` alone, and of these only the first two
//!    are ever written after spawn, both atomically.
//! 4. *Memory lives* while the count is above 0. The count starts with the executor's reference
//!    and one for the `JoinHandle`. Clone adds one (`Relaxed`: whoever clones has a
//!    reference already); drop subtracts one (`Release`), and whoever takes it to 0 frees, after
//!    an `Acquire` fence, so that it sees every earlier access.
//! 5. *The one who frees may be any thread*, for nothing but memory, the `Arc` of the queue and plain data is
//!    left then: the executor's reference is given back only after `DONE`, when the future is gone;
//!    the output, and the waker of a joiner, are dropped by the `JoinHandle`, or at
//!    completion when there is none any more.
//! 6. *The executor's reference and the queue's entry.* Completion sets `DONE` by `fetch_or` and
//!    looks at what was there: without `SCHEDULED` there is no entry and there will be
//!    none (a waker that comes later sees `DONE`), so completion gives the
//!    reference back. With `SCHEDULED` there is an entry, or will be: whoever takes it
//!    out of the queue sees `DONE` and gives the reference back. All operations on the one
//!    word have one order, so exactly one of the two happens.
//! 7. *Death of the executor.* It takes the queue, so that nothing rings any more, completes every
//!    live task, then closes the queue by exchanging its head for `CLOSED`; for each entry found in
//!    it, at first or at last, or left over in the batch, it gives the reference back. A
//!    waker that had set `SCHEDULED` before `DONE` but pushes only now meets `CLOSED` and gives
//!    the reference back itself. Later wakes see `DONE`.
//! 8. *What a waker's thread wrote before `wake` is seen by the poll that follows:* `wake`
//!    sets `SCHEDULED` with `AcqRel`, the poller clears it with `AcqRel`. Either the clear reads
//!    from the set, or the waker finds the task unscheduled and schedules it anew.
//! 9. *Panics of users' code* leave no half-done task behind. Whatever must follow a poll, or the drop of a
//!    future or of an output, is the second half of `catch`, which runs with `std` and without it: so the
//!    task is `DONE` when `catch` returns or unwinds, and is never polled again. The stage says `Empty`
//!    before a drop begins (in the vtable's `poll`, which nobody interrupts: `Output` when it has ended, by
//!    panic or not), so nothing is dropped twice.

mod cell;
mod header;
mod queue;
mod task;
mod waker;

pub(crate) use queue::RunQueue;
pub(crate) use task::{TaskList, TaskRef};
