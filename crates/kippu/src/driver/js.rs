//! The driver for JavaScript hosts: the host's event loop turns the executor.
//!
//! It never waits. The host completes tickets in the ring and calls `kippu_turn`; the guest asks
//! for a turn by `schedule_turn` when something becomes runnable outside of one.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::task::{Wake, Waker};

use kippu_executor::{Executor, TicketTable};

use crate::host_error::HostError;
use crate::rt::Inner;

pub(crate) mod abi;
mod alloc;
pub(crate) mod streams;

/// Polls between two looks at the clock, at most. A look costs about as much as ten short polls.
const CHUNK: usize = 128;
/// Polls at the start of a turn before the first look. Most turns have fewer, and do without the clock.
const UNTIMED: usize = 16;
/// How long the polls between two looks should take at most, in ns: a turn is later than its budget by so much.
const LOOK_NS: u64 = 1_000_000;
/// How long a turn may take, in ns, before the rest waits for a macrotask: half a frame at 60 Hz.
const TURN_NS: u64 = 8_000_000;

/// Outcome of a turn, besides the time to the next deadline.
const NO_TIMER: f64 = -1.0;
const MORE: f64 = -2.0;

/// What the host says of a ticket.
pub(crate) enum Answer {
    Unit,
    Number(f64),
    Bytes(Vec<u8>),
    Error(HostError),
}

/// Fires the timers that are due at a time in ns.
type Fire = fn(&Executor, u64);

/// The guest's side of the boundary.
pub(crate) struct JsDriver {
    pub(crate) tickets: RefCell<TicketTable<Answer>>,
    /// Kept between turns, so that completing allocates nothing.
    wakes: Cell<Vec<Waker>>,
    /// The deadline that the host's timer is set to, in ns.
    armed: Cell<Option<u64>>,
    /// While `main` is running: what to do about a deadlock. A function, so that guests without a `main`
    /// do not carry its code.
    deadlocked: Cell<Option<fn(&Inner)>>,
    /// How many polls there are between two looks at the clock, which follows how long they take.
    chunk: Cell<usize>,
    /// Fires timers. A function that is set with the first timer, so that guests without any do not carry
    /// the wheel's code.
    fire: Cell<Option<Fire>>,
}

thread_local! {
    /// Inside `kippu_turn`, which looks at the run queue by itself: no need to ask for a turn.
    static IN_TURN: Cell<bool> = const { Cell::new(false) };
}

/// Asks the host for a turn.
struct Bell;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !IN_TURN.get() {
            abi::schedule_turn();
        }
    }
}

impl JsDriver {
    pub(crate) fn new() -> Self {
        JsDriver {
            tickets: RefCell::new(TicketTable::new()),
            wakes: Cell::new(Vec::new()),
            armed: Cell::new(None),
            deadlocked: Cell::new(None),
            chunk: Cell::new(UNTIMED),
            fire: Cell::new(None),
        }
    }

    pub(crate) fn unpark_waker(&self) -> Waker {
        Waker::from(Arc::new(Bell))
    }

    /// From now on, when there is nothing to wait for, `then` is called, once.
    pub(crate) fn on_deadlock(&self, then: Option<fn(&Inner)>) {
        self.deadlocked.set(then);
    }

    /// There are timers from now on.
    pub(crate) fn use_timers(&self) {
        self.fire.set(Some(|executor, now| {
            executor.fire_timers(now);
        }));
    }

    /// Asks for a turn if the host's timer is set too late, or not at all: to be called at the end of every entry
    /// other than a turn.
    pub(crate) fn arm(&self, executor: &Executor) {
        let Some(deadline) = executor.next_deadline() else {
            return;
        };
        if !IN_TURN.get() && self.armed.get().is_none_or(|armed| deadline < armed) {
            // The turn's result will say; until then there is no need to ask again.
            self.armed.set(Some(deadline));
            abi::schedule_turn();
        }
    }

    /// So long it took from one look at the clock to the next. Fewer polls stand between the next two when they are
    /// slow, so that a turn ends in time, and more when they are quick, so that looking costs little.
    fn pace(&self, took_ns: u64) {
        let chunk = self.chunk.get();
        if took_ns > LOOK_NS {
            let fewer = chunk as u64 * LOOK_NS / took_ns;
            self.chunk.set(fewer.max(1) as usize);
        } else if took_ns < LOOK_NS / 4 {
            self.chunk.set((chunk * 2).min(CHUNK));
        }
    }

    /// Hands the ring's answers to whoever waits for them.
    ///
    /// First all are taken, then all are woken: a wake may be foreign code, which may come back here, and lent payloads
    /// are there only until the host is called.
    fn complete(&self, records: usize) {
        if records == 1 {
            // By far the most frequent number, and there is no other record to take care of.
            let (ticket, answer) = abi::record(0);
            let completed = self.tickets.borrow_mut().complete(ticket, answer);
            if let Ok(Some(waker)) = completed {
                waker.wake();
            }
            return;
        }
        let mut wakes = self.wakes.take();
        let mut tickets = self.tickets.borrow_mut();
        for record in 0..records {
            let (ticket, answer) = abi::record(record);
            if let Ok(Some(waker)) = tickets.complete(ticket, answer) {
                wakes.push(waker);
            }
        }
        drop(tickets);
        wakes.drain(..).for_each(Waker::wake);
        self.wakes.set(wakes);
    }
}

/// `kippu_turn`: takes `records` completions, fires timers, runs tasks within the budget.
pub(crate) fn turn(inner: &Inner, records: usize) -> f64 {
    let Inner { executor, driver, .. } = inner;
    IN_TURN.set(true);
    executor.stay_awake();
    driver.complete(records);
    // The clock is looked at only when there is a timer, or much to do: a look costs as much as a short turn.
    let fire = driver.fire.get().filter(|_| executor.next_deadline().is_some());
    if let Some(fire) = fire {
        fire(executor, abi::now_ns());
    }
    let mut more = executor.run_ready(driver.chunk.get().min(UNTIMED));
    if more {
        let start = abi::now_ns();
        let mut now = start;
        while more && now.saturating_sub(start) <= TURN_NS {
            if let Some(fire) = driver.fire.get() {
                fire(executor, now);
            }
            more = executor.run_ready(driver.chunk.get());
            let before = now;
            now = abi::now_ns();
            driver.pace(now.saturating_sub(before));
        }
    }
    IN_TURN.set(false);
    let deadline = executor.next_deadline();
    driver.armed.set(deadline);
    if more {
        return MORE;
    }
    if driver.tickets.borrow().refs() == 0
        && executor.ref_timers() == 0
        && let Some(deadlocked) = driver.deadlocked.take()
    {
        deadlocked(inner);
    }
    match deadline {
        Some(deadline) => deadline.saturating_sub(abi::now_ns()) as f64 / 1e6,
        None => NO_TIMER,
    }
}
