//! compio-executor, turned by hand: its own `block_on` is in compio-runtime and comes with its driver.

use crate::contest::{Contestant, Driven, Spawner, Succeeds};
use crate::turns;
use compio_executor::{Executor, JoinHandle};
use std::rc::Rc;

pub struct Compio(Rc<Executor>);

impl Contestant for Compio {
    type Spawner = Rc<Executor>;

    fn new() -> Self {
        // Without the waker that would wake a driver at every wake of a task.
        Self(Rc::new(Executor::new()))
    }

    fn spawner(&self) -> Rc<Executor> {
        Rc::clone(&self.0)
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        turns::block_on(main, || while self.0.tick() {})
    }
}

impl Driven for Compio {
    fn drive(&mut self, mut step: impl FnMut() -> bool) {
        while step() {
            while self.0.tick() {}
        }
    }
}

impl Spawner for Rc<Executor> {
    type Handle<T: 'static> = Succeeds<JoinHandle<T>>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Succeeds(Executor::spawn(self, future))
    }

    fn detach(&self, future: impl Future<Output = ()> + 'static) {
        Executor::spawn(self, future).detach();
    }
}
