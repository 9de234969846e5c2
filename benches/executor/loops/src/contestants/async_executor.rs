//! async-executor: `LocalExecutor`, and the one that is leaked and never drops its tasks.

use crate::contest::{Contestant, Driven, Spawner};
use async_executor::{LocalExecutor, StaticLocalExecutor, Task};
use futures_lite::future;
use std::rc::Rc;

pub struct Local(Rc<LocalExecutor<'static>>);

impl Contestant for Local {
    type Spawner = Rc<LocalExecutor<'static>>;

    fn new() -> Self {
        Self(Rc::new(LocalExecutor::new()))
    }

    fn spawner(&self) -> Self::Spawner {
        Rc::clone(&self.0)
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        future::block_on(self.0.run(main))
    }
}

impl Driven for Local {
    fn drive(&mut self, mut step: impl FnMut() -> bool) {
        while step() {
            while self.0.try_tick() {}
        }
    }
}

impl Spawner for Rc<LocalExecutor<'static>> {
    type Handle<T: 'static> = Task<T>;

    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        LocalExecutor::spawn(self, future)
    }

    fn detach(&self, future: impl Future<Output = ()> + 'static) {
        LocalExecutor::spawn(self, future).detach();
    }
}

pub struct Static(&'static StaticLocalExecutor);

impl Contestant for Static {
    type Spawner = &'static StaticLocalExecutor;

    fn new() -> Self {
        Self(LocalExecutor::new().leak())
    }

    fn spawner(&self) -> Self::Spawner {
        self.0
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        future::block_on(self.0.run(main))
    }
}

impl Driven for Static {
    fn drive(&mut self, mut step: impl FnMut() -> bool) {
        while step() {
            while self.0.try_tick() {}
        }
    }
}

impl Spawner for &'static StaticLocalExecutor {
    type Handle<T: 'static> = Task<T>;

    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        StaticLocalExecutor::spawn(self, future)
    }

    fn detach(&self, future: impl Future<Output = ()> + 'static) {
        StaticLocalExecutor::spawn(self, future).detach();
    }
}
