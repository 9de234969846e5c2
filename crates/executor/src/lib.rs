//! The executor of Kippu: tasks, wakers, a run queue, timers and tickets.
//!
//! It is `no_std` + `alloc` and knows no clock, no target and no I/O. Whoever owns an
//! [`Executor`], a *driver*, turns it:
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
//! use std::task::{Wake, Waker};
//! use kippu_executor::Executor;
//!
//! // Rung when there is something to run while nobody is running it.
//! struct Bell(AtomicBool);
//! impl Wake for Bell {
//!     fn wake(self: Arc<Self>) {
//!         self.0.store(true, SeqCst);
//!     }
//! }
//!
//! let bell = Arc::new(Bell(AtomicBool::new(false)));
//! let executor = Executor::new(Waker::from(bell.clone()));
//! let handle = executor.spawn(async { 6 * 7 });
//! let printer = executor.spawn(async { assert_eq!(handle.await.unwrap(), 42) });
//! assert!(bell.0.swap(false, SeqCst));
//!
//! let mut now = 0; // the driver's clock, in ns
//! loop {
//!     executor.fire_timers(now);
//!     if executor.run_ready(64) {
//!         continue; // tasks are left over: do the driver's other work, then go on
//!     }
//!     match executor.next_deadline() {
//!         Some(deadline) => now = deadline, // a real driver sleeps here, until the bell rings
//!         None => break,
//!     }
//! }
//! assert!(printer.is_finished());
//! ```
//!
//! The contract in one sentence: the driver calls [`fire_timers`](Executor::fire_timers) and
//! [`run_ready`](Executor::run_ready), may sleep until [`next_deadline`](Executor::next_deadline)
//! once `run_ready` has returned `false`, and is woken from that sleep by the
//! [`Waker`](core::task::Waker) that it gave to [`Executor::new`].
//!
//! Everything else that is outside is a ticket: one outstanding operation, in a [`TicketTable`].
//!
//! # Features
//!
//! `std` (default): a task's panic is contained and given to whoever joins it. Without it a panic
//! leaves `run_ready`; the executor stays usable and the task counts as panicked. (With
//! `panic = "abort"` a panic ends the program, as everywhere.)
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod catch;
mod dump;
mod executor;
mod join;
mod raw;
mod sync;
#[cfg(feature = "std")]
mod task_local;
mod thread;
mod tickets;
mod wheel;

pub use dump::{TaskInfo, TaskState, WaitsFor};
#[cfg(feature = "std")]
pub use executor::spawn_local;
pub use executor::{Executor, TaskOptions};
pub use join::{AbortHandle, JoinError, JoinHandle};
#[cfg(feature = "std")]
#[doc(hidden)]
pub use task_local::__private;
#[cfg(feature = "std")]
pub use task_local::{AccessError, LocalKey, Scope};
pub use tickets::{Cancelled, Ticket, TicketTable};
pub use wheel::{TimerKey, TimerWheel};

// The README's example is compiled and run with the doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
