//! The driver on WASI 0.2: it parks in `wasi:io/poll`.
//!
//! Everything outside that a task waits for is a [`Source`]: a pollable, and whose task to wake. All that are waited for stand
//! in one [`Table`], whose list of handles goes to the host as it is.
//!
//! The table belongs to the instance and not to one runtime, as handles do: what outlives a runtime, such as a connection
//! that a static keeps, is still polled by the next one and never names a handle that is gone.
//!
//! # The host's budget
//!
//! wasmtime runs a guest as a task of tokio, which gives a task 128 units for each time that it is polled: a pollable that was ready, a
//! read or a write of a socket cost units. When none are left, sockets and timers claim not to be ready, until the guest truly
//! waits, even for nothing. A guest that has work and does not wait would spin for ever. So units are counted here
//! ([`spend`]), and before they can be used up the guest waits once for a duration of zero: on a fresh pollable, as one that
//! has been ready before does not suspend the guest.

mod poll;
mod table;

use std::cell::{Cell, RefCell};
use std::io;
use std::task::{Context, Poll, Waker};

use wasip2::clocks::monotonic_clock::{subscribe_duration, subscribe_instant};
use wasip2::io::poll::Pollable;

use self::table::{Key, Table};

/// The units that are spent before the guest waits. Tokio gives 128; what we do not count, such as the host's own
/// bookkeeping for HTTP, shall not use up the rest.
const BUDGET: u32 = 96;

thread_local! {
    static TABLE: RefCell<Table> = const { RefCell::new(Table::new()) };
    /// Units spent since the guest was last suspended.
    static SPENT: Cell<u32> = const { Cell::new(0) };
    /// Kept from one `park` to the next, so that waking allocates nothing.
    static WAKERS: Cell<Vec<Waker>> = const { Cell::new(Vec::new()) };
    /// What is polled for the earliest deadline, and that deadline. Made anew only for another deadline.
    static CLOCK: Cell<Option<(u64, Pollable)>> = const { Cell::new(None) };
}

/// Says that a host call will be made which costs `units` of the host's budget: 1 for a read, an accept or a pollable that is ready, 3
/// for a write. When the budget would be used up, this suspends the guest for a moment first, so it must not be called while
/// something is borrowed that another task could ask for.
#[inline]
pub(crate) fn spend(units: u32) {
    let spent = SPENT.get() + units;
    if spent > BUDGET {
        refill();
        SPENT.set(units);
    } else {
        SPENT.set(spent);
    }
}

/// Truly waits, for no time.
#[cold]
fn refill() {
    subscribe_duration(0).block();
}

/// The driver of a runtime on WASI 0.2.
pub(crate) struct P2Driver(());

impl P2Driver {
    /// Cannot fail; the signature is that of other drivers.
    pub(crate) fn new() -> io::Result<P2Driver> {
        Ok(P2Driver(()))
    }

    /// Nobody runs beside the guest, so nobody could ring while it is parked.
    pub(crate) fn unpark_waker(&self) -> Waker {
        Waker::noop().clone()
    }

    /// How many sources are waited for that the program should go on for.
    pub(crate) fn outstanding(&self) -> usize {
        TABLE.with_borrow(Table::counted)
    }

    /// Waits for sources or for `deadline`, in ns of the monotonic clock, and wakes what became ready. `None` waits without
    /// end; 0 only collects. It may return early.
    ///
    /// # Errors
    /// None.
    pub(crate) fn park(&self, deadline: Option<u64>) -> io::Result<()> {
        let sources = TABLE.with_borrow(Table::armed);
        match deadline {
            // With tasks to run and nothing to ask the host for, there is no reason to leave the guest.
            Some(0) if sources == 0 => {}
            // On a fresh pollable, which suspends the guest and so gives it a new budget.
            Some(0) => self.poll(Some(&subscribe_duration(0))),
            Some(deadline) => {
                let clock = CLOCK.take().filter(|(armed, _)| *armed == deadline);
                let (_, clock) = clock.unwrap_or_else(|| (deadline, subscribe_instant(deadline)));
                if sources == 0 {
                    clock.block();
                } else {
                    self.poll(Some(&clock));
                }
                // One that was ready is never ready anew.
                if crate::time::now_ns() < deadline {
                    CLOCK.set(Some((deadline, clock)));
                }
            }
            None => self.poll(None),
        }
        Ok(())
    }

    fn poll(&self, clock: Option<&Pollable>) {
        let mut wakers = WAKERS.take();
        let clock = clock.map(Pollable::handle);
        let ready = TABLE.with_borrow_mut(|table| table.poll(clock, poll::poll, &mut wakers));
        SPENT.set(SPENT.get().saturating_add(ready));
        for waker in wakers.drain(..) {
            waker.wake();
        }
        WAKERS.set(wakers);
    }
}

/// Waits for a pollable of WASI 0.2, as often as needed.
///
/// Try the operation first, and wait when it would block. What [`ready`](Self::ready) says need not be asked for again by
/// `Pollable::ready`, which costs the host's budget.
///
/// Drop it before the resource that the pollable was made of: a host traps when a resource is dropped that has
/// children. In a struct it therefore stands before its parent, as fields are dropped in order.
///
/// ```ignore
/// struct Lines {
///     source: kippu::wasi::Source,
///     stream: InputStream,
/// }
///
/// async fn read(lines: &mut Lines) -> Result<Vec<u8>, StreamError> {
///     loop {
///         let bytes = lines.stream.read(4096)?;
///         if !bytes.is_empty() {
///             return Ok(bytes);
///         }
///         lines.source.ready().await;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Source {
    key: Option<Key>,
    pollable: Pollable,
}

impl Source {
    /// Watches nothing until it is asked. It may be used in any runtime of the instance, one after another.
    pub fn new(pollable: Pollable) -> Source {
        Source { key: None, pollable }
    }

    /// Waits until the host says that the pollable is ready. Each call waits anew; dropping the future
    /// may forget that it was ready, so try the operation before the next wait.
    ///
    /// As long as it waits, the program is not deadlocked.
    pub async fn ready(&mut self) {
        struct Wait<'a>(&'a mut Source);

        impl Drop for Wait<'_> {
            fn drop(&mut self) {
                self.0.disarm();
            }
        }

        let wait = Wait(self);
        std::future::poll_fn(|cx| wait.0.poll_ready(cx)).await;
    }

    /// [`ready`](Self::ready) as a poll. The last task that asked is woken; the source is waited for until it is ready,
    /// [disarmed](Self::disarm) or dropped.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_with(cx, true)
    }

    /// The same for what is no reason for the program to go on.
    pub(crate) fn poll_ready_unref(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_with(cx, false)
    }

    fn poll_with(&mut self, cx: &mut Context<'_>, counts: bool) -> Poll<()> {
        let waker = cx.waker();
        let (polled, before) = TABLE.with_borrow_mut(|table| {
            let key = *self.key.get_or_insert_with(|| table.insert(self.pollable.handle()));
            table.poll_ready(key, waker, counts)
        });
        // Its drop may run any code, so nothing is borrowed any more.
        drop(before);
        polled
    }

    /// Waits no longer, and forgets whether it was ready.
    pub fn disarm(&mut self) {
        if let Some(key) = self.key.take() {
            // The last handles are dropped when the instance ends, after the table.
            let waker = TABLE.try_with(|table| table.borrow_mut().remove(key)).ok().flatten();
            drop(waker);
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.disarm();
    }
}
