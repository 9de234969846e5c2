//! The timers of kippu-executor, behind the least future that a program can put around them.

use super::{SPAN, STEP, Sleeps, Timers, VirtualTime};
use crate::contest::Contestant;
use crate::contestants::kippu::Kippu;
use kippu_executor::{Executor, TimerKey};
use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pub struct KippuTimers {
    kippu: Kippu,
    now: Rc<Cell<u64>>,
}

impl Timers for KippuTimers {
    type Executor = Kippu;
    type Sleeps = KippuSleeps;

    fn new() -> Self {
        Self { kippu: Kippu::new(), now: Rc::default() }
    }

    fn executor(&mut self) -> &mut Kippu {
        &mut self.kippu
    }

    fn sleeps(&self) -> KippuSleeps {
        KippuSleeps { executor: self.kippu.spawner(), now: Rc::clone(&self.now) }
    }
}

impl VirtualTime for KippuTimers {
    fn advance(&mut self) {
        let executor = self.kippu.spawner();
        for _ in 0..SPAN / STEP {
            self.now.set(self.now.get() + STEP);
            executor.fire_timers(self.now.get());
            while executor.run_ready(usize::MAX) {}
        }
    }
}

pub struct KippuSleeps {
    executor: Rc<Executor>,
    now: Rc<Cell<u64>>,
}

impl Sleeps for KippuSleeps {
    type Sleep = Sleep;

    fn sleep(&self, after: u64) -> Sleep {
        let deadline = self.now.get() + after;
        Sleep { executor: Rc::clone(&self.executor), deadline, key: None }
    }
}

pub struct Sleep {
    executor: Rc<Executor>,
    deadline: u64,
    key: Option<TimerKey>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(key) = self.key else {
            self.key = Some(self.executor.insert_timer(self.deadline, cx.waker().clone()));
            return Poll::Pending;
        };
        if self.executor.update_timer(key, cx.waker()) { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.executor.cancel_timer(key);
        }
    }
}
