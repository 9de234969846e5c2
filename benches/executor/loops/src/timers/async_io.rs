//! async-io's timers, in tasks of async-executor.

use super::{Sleeps, Timers};
use crate::contest::Contestant;
use crate::contestants::async_executor::Local;
use async_io::Timer;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// The clock is the machine's. So that no timer fires meanwhile, all are due later by this.
pub const LATER: Duration = Duration::from_secs(3_600);

pub struct AsyncIo(Local);

impl Timers for AsyncIo {
    type Executor = Local;
    type Sleeps = AsyncIoSleeps;

    fn new() -> Self {
        Self(Local::new())
    }

    fn executor(&mut self) -> &mut Local {
        &mut self.0
    }

    fn sleeps(&self) -> AsyncIoSleeps {
        AsyncIoSleeps(Instant::now() + LATER)
    }
}

pub struct AsyncIoSleeps(Instant);

impl Sleeps for AsyncIoSleeps {
    type Sleep = Sleep;

    fn sleep(&self, after: u64) -> Sleep {
        Sleep(Timer::at(self.0 + Duration::from_nanos(after)))
    }
}

/// A timer whose output is nothing.
pub struct Sleep(Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(())
    }
}
