//! compio's timers, which are a part of compio-runtime.

use super::{Sleeps, Timers, async_io::LATER};
use crate::contest::{Contestant, Spawner, Succeeds};
use compio_runtime::{JoinHandle, Runtime, time};
use std::time::{Duration, Instant};

pub struct Compio(CompioRuntime);

impl Timers for Compio {
    type Executor = CompioRuntime;
    type Sleeps = CompioSleeps;

    fn new() -> Self {
        Self(CompioRuntime::new())
    }

    fn executor(&mut self) -> &mut CompioRuntime {
        &mut self.0
    }

    fn sleeps(&self) -> CompioSleeps {
        CompioSleeps(Instant::now() + LATER)
    }
}

pub struct CompioRuntime(Runtime);

impl Contestant for CompioRuntime {
    type Spawner = Runtime;

    fn new() -> Self {
        Self(Runtime::new().expect("the runtime starts"))
    }

    fn spawner(&self) -> Runtime {
        self.0.clone()
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        self.0.block_on(main)
    }
}

impl Spawner for Runtime {
    type Handle<T: 'static> = Succeeds<JoinHandle<T>>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Succeeds(Runtime::spawn(self, future))
    }

    fn detach(&self, future: impl Future<Output = ()> + 'static) {
        Runtime::spawn(self, future).detach();
    }
}

pub struct CompioSleeps(Instant);

impl Sleeps for CompioSleeps {
    type Sleep = time::Sleep;

    fn sleep(&self, after: u64) -> time::Sleep {
        time::sleep_until(self.0 + Duration::from_nanos(after))
    }
}
