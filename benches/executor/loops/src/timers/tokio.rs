//! tokio's timers, with the paused clock of its test utilities.

use super::{SPAN, STEP, Sleeps, Timers, VirtualTime};
use crate::contest::{Contestant, Spawner};
use crate::contestants::tokio::{Here, Tokio};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::coop::unconstrained;
use tokio::time::{self, Instant};

pub struct TokioTimers {
    tokio: TimedTokio,
    now: Rc<Cell<Instant>>,
}

impl Timers for TokioTimers {
    type Executor = TimedTokio;
    type Sleeps = TokioSleeps;

    fn new() -> Self {
        let mut tokio = TimedTokio::new();
        let now = tokio.block_on(async { Instant::now() });
        Self { tokio, now: Rc::new(Cell::new(now)) }
    }

    fn executor(&mut self) -> &mut TimedTokio {
        &mut self.tokio
    }

    fn sleeps(&self) -> TokioSleeps {
        TokioSleeps(Rc::clone(&self.now))
    }
}

impl VirtualTime for TokioTimers {
    fn advance(&mut self) {
        self.tokio.block_on(async {
            for _ in 0..SPAN / STEP {
                time::advance(Duration::from_nanos(STEP)).await;
            }
            self.now.set(Instant::now());
        });
    }
}

/// A runtime with timers, and tasks that may poll as many of them in one go as they like: else
/// every 128th sleep would only be told to come back.
pub struct TimedTokio(Tokio);

impl Contestant for TimedTokio {
    type Spawner = Unconstrained;

    fn new() -> Self {
        Self(Tokio::on(Builder::new_current_thread().enable_time().start_paused(true)))
    }

    fn spawner(&self) -> Unconstrained {
        Unconstrained
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        self.0.block_on(main)
    }
}

pub struct Unconstrained;

impl Spawner for Unconstrained {
    type Handle<T: 'static> = <Here as Spawner>::Handle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Here.spawn(unconstrained(future))
    }

    fn detach(&self, future: impl Future<Output = ()> + 'static) {
        Here.detach(unconstrained(future));
    }
}

/// Knows what the time is without asking the clock, which takes a lock when it can be paused.
pub struct TokioSleeps(Rc<Cell<Instant>>);

impl Sleeps for TokioSleeps {
    type Sleep = time::Sleep;

    fn sleep(&self, after: u64) -> time::Sleep {
        time::sleep_until(self.0.get() + Duration::from_nanos(after))
    }
}
