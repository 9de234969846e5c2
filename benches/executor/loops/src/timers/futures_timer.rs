//! futures-timer, in tasks of futures-executor.

use super::{Sleeps, Timers, async_io::LATER};
use crate::contest::Contestant;
use crate::contestants::futures::Futures;
use futures_timer::Delay;
use std::time::Duration;

pub struct FuturesTimer(Futures);

impl Timers for FuturesTimer {
    type Executor = Futures;
    type Sleeps = FuturesTimerSleeps;

    fn new() -> Self {
        Self(Futures::new())
    }

    fn executor(&mut self) -> &mut Futures {
        &mut self.0
    }

    fn sleeps(&self) -> FuturesTimerSleeps {
        FuturesTimerSleeps
    }
}

pub struct FuturesTimerSleeps;

impl Sleeps for FuturesTimerSleeps {
    type Sleep = Delay;

    fn sleep(&self, after: u64) -> Delay {
        Delay::new(LATER + Duration::from_nanos(after))
    }
}
