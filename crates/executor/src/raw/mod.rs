//! The task in memory. All unsafe code of the crate is in this folder, but for the one line of
//! `JoinHandle::poll` that vouches for the type of its task's output.
//!
//! # Who is who
//!
//! A task is one piece of memory, [`TaskCell`](cell::TaskCell): a [`Header`](header::Header), then a union of
//! the future and its output. It comes from the executor's [`Pool`](pool::Pool). Everybody who knows a task
//! holds a pointer to its header:
//!
//! | who | how many | holds a reference | on which thread |
//! |---|---|---|---|
//! | the executor | one | yes, from spawn until the future is gone *and* the task is out of the local queue | owner |
//! | the local queue | at most one entry | no, it borrows the executor's | owner |
//! | the list of tasks | one entry | no: what is freed is taken out | owner |
//! | the remote stack | at most one entry | no, but `QUEUED` keeps the memory like one | pushed from any, taken by the owner |
//! | [`JoinHandle`](crate::JoinHandle), [`AbortHandle`](crate::AbortHandle) | any | yes | owner (`!Send`) |
//! | `Waker` | any | yes | any |
//!
//! The *owner* is the thread that made the executor. `Executor`, `JoinHandle` and `AbortHandle`
//! are `!Send` and `!Sync`, so code that goes through them runs on it. Wakers may be anywhere: they ask whether
//! this thread has the owner's number, which is never given to another thread. Where that
//! cannot be asked (natively without `std`), wakers act as on another thread, which is sound on the owner as well.
//!
//! # Which field may be touched by whom
//!
//! | field | owner | others |
//! |---|---|---|
//! | `Header::local`, the union | reads, writes | never |
//! | `Header::vtable`, `Header::shared` | read | read |
//! | `Header::remote` | atomic | atomic |
//! | `Header::remote_next` | while it has the taken entry | from setting `QUEUED` until the push |
//! | `Shared::local` | reads, writes | never |
//! | `Shared::remote` | atomic | atomic |
//!
//! # The states of a task
//!
//! ```text
//!               wake by the owner, or an absorbed WOKEN: sets SCHEDULED, into the local queue
//!      ┌───────────────────────────────────────────┐
//!      │                                           ▼
//!   waiting ◄── poll: Pending ── running ◄── SCHEDULED, in the queue ◄── spawn
//!                                   │  clears SCHEDULED, │
//!                                   │  then polls        │ ABORTED
//!                         Ready or panic                 │
//!                                   ▼                    ▼
//!                                  DONE (the future is gone for ever)
//! ```
//!
//! Beside it, and independent of it, the remote word tells what other threads have done:
//!
//! ```text
//!               wake, or a drop that may be the last: sets QUEUED (a wake also WOKEN), pushes
//!      ┌───────────────────────────────────────────┐
//!      │                                           ▼
//!   0 + count ◄── the owner absorbs count and flags ── QUEUED, on the remote stack
//!      │
//!      │ the owner's last reference goes while others remain
//!      ▼                                              the executor dies
//!   MERGED: the count is here alone, the task is DONE ────────────────► ORPHAN: whoever drops the last, frees
//! ```
//!
//! # Why it is sound
//!
//! 1. *One poller.* Only [`Executor`](crate::Executor) polls, on the owner, a task which it
//!    has just taken from the local queue or just made. A task is in the queue only while `SCHEDULED` is set, hence
//!    at most once, and runs do not nest; so nobody polls a future that is being polled.
//! 2. *The future never moves* between the first poll and its drop: it is written into the
//!    memory by `spawn` and dropped in place.
//! 3. *What is freed owns nothing.* The count comes to 0 only after `DONE`, as the executor gives its reference back
//!    then; so the future is gone. The output is dropped by the `JoinHandle`, or at completion when there
//!    is none any more; so is the waker of a joiner. What is left is memory and plain data, which any
//!    thread may free.
//! 4. *The local queue and the executor's reference.* An entry of the queue lives: when a task completes, the executor
//!    gives its reference back only if `SCHEDULED` is not set; otherwise whoever takes the
//!    entry out, finds it `DONE` and gives it back then. Both are the owner, in sequence.
//! 5. *Memory lives while there are references.* Their number is `Local::refs`, the owner's share, plus the signed count
//!    in `Header::remote`. The owner adds and drops in its share, others in the word.
//!    - While the share is above 0 others cannot know the sum. A drop that takes the word's count below 0
//!      may have been the last, so it sets `QUEUED` in the same operation, and pushes: the owner adds word to share when
//!      it takes the entry, and frees if nothing is left. A drop that leaves the word's count at 0 or above
//!      was not the last, as the share is above 0.
//!    - When the owner's share comes to 0, a word of 0 (`FINISHED`, which is only a hint, aside) means that nobody else has a reference, and none can come to be,
//!      since only who has one makes another. Otherwise the owner sets `MERGED` in the word, which is the whole
//!      count from then on, also for the owner; whoever takes it to 0 has the task freed: the owner does so at
//!      once, others set `QUEUED` and push.
//!    - Nothing is freed while `QUEUED` is set, except by who clears it. It is set only together with a
//!      push to come, and cleared only by who took the entry (or whose push found the stack closed), so there is at most
//!      one entry, and its link belongs to one thread at a time.
//!    - All changes of the word but a clone's are `AcqRel`, so who frees sees every earlier access. A clone may
//!      be `Relaxed`, since whoever clones has a reference already.
//! 6. *The shared part lives as long as the executor and all its tasks.* While it lives, only the owner frees, into
//!    the pool. When it dies, every task is `DONE`, and those that somebody still holds, or whose `QUEUED` is set,
//!    are counted, made `ORPHAN`s with the whole count in the word, and left to whoever drops the last
//!    reference. The last of them, or the executor if there is none, frees pool and shared part. `ORPHAN` is set before
//!    the stack is closed; who pushes and finds it closed clears `QUEUED` itself. After `ORPHAN` nobody sets it.
//! 7. *Nothing is touched too late.* Whoever gives up a reference, or pushes, does not look at the task after the
//!    exchange that did so, nor at the shared part: the pusher has taken an `Arc` of the bell before. The owner
//!    reads an entry's link before it clears `QUEUED`. A wake by the owner rings while its reference lives.
//! 8. *What a waker's thread wrote before `wake` is seen by the poll that follows:* every wake changes the
//!    word with `AcqRel`, even when nothing changes, and the owner's absorbing does so too: it either reads from the
//!    wake, or the wake comes later, finds `QUEUED` cleared and pushes.
//! 9. *No wake is lost.* A push onto an empty stack rings unless the owner is awake, by one exchange of the same word
//!    with which the owner goes to sleep; and the owner goes to sleep only when the local queue is empty.
//! 10. *Panics of users' code* leave no half-done task behind. Whatever must follow a poll, or the drop of a
//!     future or of an output, is the second half of `catch`, which runs with `std` and without it: so the
//!     task is `DONE` when `catch` returns or unwinds, and is never polled again. The stage says `Empty`
//!     before a drop begins (in the vtable's `poll`, which nobody interrupts: `Output` when it has ended, by
//!     panic or not), so nothing is dropped twice.

mod cell;
mod current;
mod handle;
mod header;
mod inspect;
mod pool;
mod queue;
mod refs;
mod root;
mod shared;
mod task;
mod waker;

pub(crate) use handle::{AbortRef, TaskRef};
pub(crate) use task::{Ran, Tasks};
