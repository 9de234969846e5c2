//! The executor's timers: a [`TimerWheel`](crate::TimerWheel) that is borrowed only between foreign code.

use alloc::vec::Drain;
use core::task::Waker;

use super::Executor;
use crate::wheel::{TimerKey, TimerWheel};

impl Executor {
    /// Wakes what waits for a deadline at or before `now_ns`, earliest first, equal deadlines in
    /// the order of insertion. Returns how many.
    ///
    /// Time never goes back: a `now_ns` before an earlier one counts as that one.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # use std::task::Waker;
    /// # let executor = Executor::new(Waker::noop().clone());
    /// executor.insert_timer(1_000, Waker::noop().clone());
    /// executor.insert_timer(2_000, Waker::noop().clone());
    /// assert_eq!(executor.fire_timers(1_500), 1);
    /// assert_eq!(executor.fire_timers(2_000), 1);
    /// ```
    pub fn fire_timers(&self, now_ns: u64) -> usize {
        let mut due = self.due.take();
        if let Some(timers) = &mut *self.timers.borrow_mut() {
            timers.expire(now_ns, &mut due);
        }
        let fired = due.len();
        // No borrow is held here: a wake may be foreign code, which may insert or cancel timers.
        WakeAll(due.drain(..)).run();
        self.due.set(due);
        fired
    }

    /// The earliest deadline among the timers, in ns. May be earlier than the earliest live timer when one
    /// was cancelled; firing then only finds nothing.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # use std::task::Waker;
    /// # let executor = Executor::new(Waker::noop().clone());
    /// assert_eq!(executor.next_deadline(), None);
    /// executor.insert_timer(2_000, Waker::noop().clone());
    /// executor.insert_timer(1_000, Waker::noop().clone());
    /// assert_eq!(executor.next_deadline(), Some(1_000));
    /// ```
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.borrow().as_ref()?.next_deadline()
    }

    /// Has `waker` woken at `deadline_ns`; at the next [`fire_timers`](Self::fire_timers) if that is past. O(1).
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # use std::rc::Rc;
    /// # use std::task::Poll;
    /// # let executor = Rc::new(Executor::new(std::task::Waker::noop().clone()));
    /// let weak = Rc::downgrade(&executor);
    /// let mut timer = None;
    /// let sleep = executor.spawn(std::future::poll_fn(move |cx| {
    ///     let Some(executor) = weak.upgrade() else { return Poll::Pending };
    ///     match timer {
    ///         Some(key) if !executor.update_timer(key, cx.waker()) => return Poll::Ready(()), // it has fired
    ///         Some(_) => {}
    ///         None => timer = Some(executor.insert_timer(1_000, cx.waker().clone())),
    ///     }
    ///     Poll::Pending
    /// }));
    /// executor.run_ready(usize::MAX);
    /// assert!(!sleep.is_finished());
    /// executor.fire_timers(1_000);
    /// executor.run_ready(usize::MAX);
    /// assert!(sleep.is_finished());
    /// ```
    pub fn insert_timer(&self, deadline_ns: u64, waker: Waker) -> TimerKey {
        self.tasks.note_timer(deadline_ns);
        self.timers.borrow_mut().get_or_insert_with(TimerWheel::new).insert(deadline_ns, waker)
    }

    /// Has another waker woken instead. `false` when the timer has fired or been cancelled.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # use std::task::Waker;
    /// # let executor = Executor::new(Waker::noop().clone());
    /// let timer = executor.insert_timer(1_000, Waker::noop().clone());
    /// assert!(executor.update_timer(timer, Waker::noop()));
    /// executor.fire_timers(1_000);
    /// assert!(!executor.update_timer(timer, Waker::noop()));
    /// ```
    pub fn update_timer(&self, key: TimerKey, waker: &Waker) -> bool {
        let deadline = self.timers.borrow().as_ref().and_then(|timers| timers.deadline(key));
        let Some(deadline) = deadline else {
            return false;
        };
        self.tasks.note_timer(deadline);
        let wakes = |timers: &TimerWheel| timers.wakes(key, waker);
        if !self.timers.borrow().as_ref().is_some_and(wakes) {
            let waker = waker.clone();
            // The old waker is dropped when no borrow is held.
            let old = self.timers.borrow_mut().as_mut().map(|timers| timers.replace(key, waker));
            drop(old);
        }
        true
    }

    /// Removes a timer. `false` when it has fired or been cancelled. O(1).
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # use std::task::Waker;
    /// # let executor = Executor::new(Waker::noop().clone());
    /// let timer = executor.insert_timer(1_000, Waker::noop().clone());
    /// assert!(executor.cancel_timer(timer));
    /// assert!(!executor.cancel_timer(timer));
    /// assert_eq!(executor.fire_timers(1_000), 0);
    /// ```
    pub fn cancel_timer(&self, key: TimerKey) -> bool {
        let waker = self.timers.borrow_mut().as_mut().and_then(|timers| timers.cancel(key));
        waker.is_some()
    }

    /// Whether a timer keeps the program alive; it does at first. See [`ref_timers`](Self::ref_timers).
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # use std::task::Waker;
    /// # let executor = Executor::new(Waker::noop().clone());
    /// let heartbeat = executor.insert_timer(1_000, Waker::noop().clone());
    /// assert!(executor.set_timer_ref(heartbeat, false));
    /// assert_eq!(executor.ref_timers(), 0); // the program may end before it
    /// assert_eq!(executor.fire_timers(1_000), 1); // but if it runs, it fires
    /// ```
    pub fn set_timer_ref(&self, key: TimerKey, on: bool) -> bool {
        self.timers.borrow_mut().as_mut().is_some_and(|timers| timers.set_ref(key, on))
    }

    /// How many timers are live that keep the program alive.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # use std::task::Waker;
    /// # let executor = Executor::new(Waker::noop().clone());
    /// executor.insert_timer(1_000, Waker::noop().clone());
    /// assert_eq!(executor.ref_timers(), 1);
    /// executor.fire_timers(1_000);
    /// assert_eq!(executor.ref_timers(), 0);
    /// ```
    pub fn ref_timers(&self) -> usize {
        self.timers.borrow().as_ref().map_or(0, TimerWheel::refs)
    }
}

/// Wakes all of them, also when a panic of one passes: its neighbours are off the wheel already, and
/// would never be woken. A second panic aborts.
struct WakeAll<'a>(Drain<'a, Waker>);

impl WakeAll<'_> {
    fn run(mut self) {
        self.0.by_ref().for_each(Waker::wake);
    }
}

impl Drop for WakeAll<'_> {
    fn drop(&mut self) {
        self.0.by_ref().for_each(Waker::wake);
    }
}
