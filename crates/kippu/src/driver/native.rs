//! The native driver: it parks on the operating system's readiness queue.
//!
//! One [`NativeDriver`] belongs to one runtime and stays on its thread. What
//! sockets, blocking jobs and wakers need of it is [`Shared`], which any thread
//! may hold.
//!
//! # The three ways out of `park`
//!
//! 1. A socket became ready ([`source`]). Its wakers are rung by the thread that
//!    parks, after every lock has been released.
//! 2. Somebody rang the unpark waker: a job of the blocking pool ([`blocking`])
//!    ended, a signal came, another thread woke a task.
//! 3. The time is over.
//!
//! # Why no wake is lost
//!
//! `Shared::state` says what the parking thread is about. A parker moves it from
//! `EMPTY` to `PARKED` before it waits; who rings moves it to `NOTIFIED` and, if
//! it found `PARKED`, also writes to the poller. Either the ring comes first, and
//! the parker sees `NOTIFIED` and does not wait, or the parker comes first, and
//! the ring sees `PARKED` and interrupts the wait.

pub(crate) mod blocking;
pub(crate) mod source;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use polling::{Events, Poller};

/// Nobody waits and nobody has rung.
const EMPTY: u8 = 0;
/// The runtime's thread waits, or is about to.
const PARKED: u8 = 1;
/// Somebody has rung since the last `park`.
const NOTIFIED: u8 = 2;

/// Locks `mutex`. No code of ours panics while it holds a lock, so a poisoned one
/// still guards consistent data.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The driver of one native runtime. See the module's text.
pub(crate) struct NativeDriver {
    shared: Arc<Shared>,
    /// Kept from one `park` to the next, so that parking allocates nothing. Taken
    /// out meanwhile, not borrowed: a waker may run any code.
    scratch: Cell<Option<Box<Scratch>>>,
}

#[derive(Default)]
struct Scratch {
    events: Events,
    woken: source::Woken,
}

impl NativeDriver {
    /// Opens a readiness queue of the operating system, to be parked on by the
    /// calling thread.
    ///
    /// # Errors
    /// What the system says, such as too many open files.
    pub(crate) fn new() -> io::Result<NativeDriver> {
        Ok(NativeDriver {
            shared: Arc::new(Shared {
                poller: Poller::new()?,
                sources: source::Table::default(),
                state: AtomicU8::new(EMPTY),
                foreign_loop: AtomicBool::new(false),
                outstanding: AtomicUsize::new(0),
                owner: thread::current().id(),
            }),
            scratch: Cell::default(),
        })
    }

    /// A waker that makes the `park` under way, or else the next one, return at
    /// once. It may be rung from any thread, and stays harmless after the driver
    /// is gone. While nobody is parked, ringing it is one atomic exchange.
    pub(crate) fn unpark_waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.shared))
    }

    /// Waits for I/O, an unpark or `deadline`, in ns of the monotonic clock, then wakes what
    /// became ready. `None` waits without end; 0 only collects. It may return early.
    ///
    /// # Errors
    /// What the system says about its readiness queue; none is to be expected.
    pub(crate) fn park(&self, deadline: Option<u64>) -> io::Result<()> {
        let timeout = deadline.map(|deadline| match deadline {
            0 => Duration::ZERO,
            _ => Duration::from_nanos(deadline.saturating_sub(crate::time::now_ns())),
        });
        let mut scratch = self.scratch.take().unwrap_or_default();
        let result = self.wait(timeout, &mut scratch);
        scratch.woken.wake();
        self.scratch.set(Some(scratch));
        result
    }

    fn wait(&self, timeout: Option<Duration>, scratch: &mut Scratch) -> io::Result<()> {
        let shared = &*self.shared;
        let timeout = if timeout == Some(Duration::ZERO) {
            timeout
        } else {
            match shared.state.compare_exchange(EMPTY, PARKED, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => timeout,
                // Rung already: collect only.
                Err(_) => Some(Duration::ZERO),
            }
        };
        scratch.events.clear();
        let waited = shared.poller.wait(&mut scratch.events, timeout);
        // Acquires what was written before the ring that this swap consumes.
        shared.state.swap(EMPTY, Ordering::SeqCst);
        waited?;
        for event in scratch.events.iter() {
            shared.sources.dispatch(shared, event, &mut scratch.woken);
        }
        Ok(())
    }

    /// How many operations are under way that somebody outside of the executor
    /// will complete: awaited sockets, blocking jobs, reads of standard input,
    /// waits for a signal.
    ///
    /// Read it *before* looking at the run queue. Each operation wakes its task
    /// before it leaves the count, so zero here followed by an empty queue means
    /// that nothing can happen any more; the other order may miss a wake. When
    /// the count falls to zero the unpark waker rings, so a parked loop gets to
    /// ask again.
    pub(crate) fn outstanding(&self) -> usize {
        self.shared.outstanding.load(Ordering::SeqCst)
    }

    /// What sockets and blocking jobs keep of this driver.
    pub(crate) fn handle(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// The readiness queue as a file descriptor: it becomes readable when
    /// `park(Some(ZERO))` has something to collect, or when the unpark waker was
    /// rung. For a foreign loop that waits in our place; it brings its own timer.
    ///
    /// From the first call on, every ring costs a system call.
    #[cfg(unix)]
    pub(crate) fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.shared.foreign_loop.store(true, Ordering::SeqCst);
        // A ring that came before the store wrote nothing to the poller.
        if self.shared.state.load(Ordering::SeqCst) == NOTIFIED {
            self.shared.notify_poller();
        }
        self.shared.poller.as_fd()
    }
}

/// The part of a [`NativeDriver`] that any thread may hold.
pub(crate) struct Shared {
    poller: Poller,
    sources: source::Table,
    /// `EMPTY`, `PARKED` or `NOTIFIED`.
    state: AtomicU8,
    /// Somebody waits on our file descriptor, without `PARKED` being set.
    foreign_loop: AtomicBool,
    outstanding: AtomicUsize,
    /// The thread that parks.
    owner: ThreadId,
}

impl Shared {
    fn unpark(&self) {
        let before = self.state.swap(NOTIFIED, Ordering::SeqCst);
        let unseen = before == EMPTY && self.foreign_loop.load(Ordering::SeqCst);
        if before == PARKED || unseen {
            self.notify_poller();
        }
    }

    fn notify_poller(&self) {
        // It fails only if the queue's own descriptor is broken, in which case the
        // wait under way reports the error.
        let _ = self.poller.notify();
    }

    /// Counts one operation as outstanding until the result is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        self.outstanding.fetch_add(1, Ordering::SeqCst);
        Hold { shared: Arc::clone(self) }
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.unpark();
    }
}

/// One operation that somebody outside of the executor will complete. See
/// [`NativeDriver::outstanding`]: wake first, then drop this.
pub(crate) struct Hold {
    shared: Arc<Shared>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let was_last = self.shared.outstanding.fetch_sub(1, Ordering::SeqCst) == 1;
        // The owner is not parked: it runs this.
        if was_last && thread::current().id() != self.shared.owner {
            self.shared.unpark();
        }
    }
}

/// The driver of the runtime that is running on this thread.
///
/// # Errors
/// Outside of a runtime.
pub(crate) fn current() -> io::Result<Arc<Shared>> {
    crate::rt::current_native().ok_or_else(|| {
        io::Error::other(
            "no Kippu runtime is running on this thread: \
             await this inside of #[kippu::main] or kippu::block_on",
        )
    })
}
