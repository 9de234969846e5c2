//! Time: sleeping, timeouts, intervals, and an [`Instant`] that works on every host.

use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
pub use std::time::Duration;

use kippu_executor::TimerKey;

use crate::rt;

/// The current driver's clock in ns: monotonic, from an origin of its own.
pub(crate) fn now_ns() -> u64 {
    crate::sys::clock::now_ns()
}

/// A point on a monotonic clock, with a resolution of 1 ns (JavaScript hosts may count in steps of up to 1 ms).
///
/// Unlike `std::time::Instant` it works on wasm, where that one panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    ns: u64,
}

impl Instant {
    /// Now.
    pub fn now() -> Instant {
        Instant { ns: now_ns() }
    }

    #[cfg(kippu_parks)]
    pub(crate) const fn from_ns(ns: u64) -> Instant {
        Instant { ns }
    }

    /// The time from `earlier` to this; zero when `earlier` is later.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.ns.saturating_sub(earlier.ns))
    }

    /// The time from this to now.
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// `None` when the result is more than 584 years from the clock's origin.
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        let ns = u64::try_from(duration.as_nanos()).ok()?;
        Some(Instant { ns: self.ns.checked_add(ns)? })
    }

    /// `None` when the result is before the clock's origin.
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        let ns = u64::try_from(duration.as_nanos()).ok()?;
        Some(Instant { ns: self.ns.checked_sub(ns)? })
    }

    /// Like `checked_add`, but the end of time instead of `None`: nothing ever gets there.
    fn saturating_add(&self, duration: Duration) -> Instant {
        self.checked_add(duration).unwrap_or(Instant { ns: u64::MAX })
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        self.checked_add(duration).expect("overflow when adding a duration to an instant")
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        self.checked_sub(duration).expect("overflow when subtracting a duration from an instant")
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

/// The time since 1970-01-01T00:00:00Z by the system's clock, which may be set and jump. Zero before it.
pub fn since_unix_epoch() -> Duration {
    crate::sys::clock::since_unix_epoch()
}

/// Waits for `duration`. A duration beyond 584 years waits for ever.
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now().saturating_add(duration))
}

/// Waits until `deadline`; not at all when it is past.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, timer: None, keeps_alive: true }
}

/// The future of [`sleep`] and [`sleep_until`]. Dropping it cancels the timer.
///
/// It is `Send`, but once polled it belongs to the runtime that polled it: polled in another it sets a
/// timer there.
///
/// # Panics
/// Polling panics outside a runtime.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    deadline: Instant,
    /// The runtime's number, and the timer there.
    timer: Option<(u64, TimerKey)>,
    keeps_alive: bool,
}

impl Sleep {
    /// When it will be complete.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the deadline has passed by the clock.
    pub fn is_elapsed(&self) -> bool {
        now_ns() >= self.deadline.ns
    }

    /// Moves the deadline.
    pub fn reset(&mut self, deadline: Instant) {
        self.cancel();
        self.deadline = deadline;
    }

    /// This timer alone does not keep a program from being a deadlock: use it for housekeeping that
    /// goes on for as long as there is other work.
    pub fn unref(mut self) -> Self {
        self.keeps_alive = false;
        self
    }

    fn cancel(&mut self) {
        if let Some((id, key)) = self.timer.take() {
            rt::try_with(|inner| inner.id == id && inner.executor.cancel_timer(key));
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        rt::with(|inner| {
            if let Some((id, key)) = this.timer
                && id == inner.id
            {
                if inner.executor.update_timer(key, cx.waker()) {
                    return Poll::Pending;
                }
                this.timer = None;
                return Poll::Ready(());
            }
            if now_ns() >= this.deadline.ns {
                return Poll::Ready(());
            }
            #[cfg(kippu_js)]
            inner.driver.use_timers();
            let key = inner.executor.insert_timer(this.deadline.ns, cx.waker().clone());
            if !this.keeps_alive {
                inner.executor.set_timer_ref(key, false);
            }
            this.timer = Some((inner.id, key));
            // A task of wasm-bindgen's queue is polled outside of Kippu's entries: nobody else would arm it.
            #[cfg(all(kippu_js, feature = "js-sys"))]
            inner.driver.arm(&inner.executor);
            Poll::Pending
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// The time of a [`timeout`] was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time was up")
    }
}

impl std::error::Error for Elapsed {}

/// Runs `future`, but for no longer than `duration` from now; it is dropped then.
///
/// # Errors
/// [`Elapsed`] when the time was up first. When both are ready, the future wins.
pub fn timeout<F: Future>(
    duration: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    let sleep = sleep(duration);
    async move {
        let mut future = pin!(future);
        let mut sleep = pin!(sleep);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            sleep.as_mut().poll(cx).map(|()| Err(Elapsed))
        })
        .await
    }
}

/// Ticks at once and then every `period`.
///
/// # Panics
/// When `period` is zero.
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "the period of an interval must not be zero");
    Interval { period, next: sleep_until(Instant::now()) }
}

/// Made by [`interval`].
#[derive(Debug)]
pub struct Interval {
    period: Duration,
    next: Sleep,
}

impl Interval {
    /// Waits for the next tick and returns the time it was due. Ticks that were missed are skipped: the next one is
    /// the next multiple of the period that is still to come. Cancel-safe: a tick is not lost when this is dropped.
    pub async fn tick(&mut self) -> Instant {
        (&mut self.next).await;
        let due = self.next.deadline();
        let late = Instant::now().duration_since(due);
        let periods = (late.as_nanos() / self.period.as_nanos()).saturating_add(1);
        let step =
            u64::try_from(self.period.as_nanos().saturating_mul(periods)).unwrap_or(u64::MAX);
        self.next.reset(due.saturating_add(Duration::from_nanos(step)));
        due
    }

    /// See [`interval`].
    pub fn period(&self) -> Duration {
        self.period
    }
}
