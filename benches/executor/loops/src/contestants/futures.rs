//! futures-executor's `LocalPool`.

use crate::contest::{Contestant, Driven, Spawner};
use futures_executor::{LocalPool, LocalSpawner};
use futures_util::future::RemoteHandle;
use futures_util::task::LocalSpawnExt;
use std::future::poll_fn;
use std::task::Poll;

pub struct Futures(LocalPool);

impl Contestant for Futures {
    type Spawner = LocalSpawner;

    fn new() -> Self {
        Self(LocalPool::new())
    }

    fn spawner(&self) -> LocalSpawner {
        self.0.spawner()
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        self.0.run_until(main)
    }
}

impl Driven for Futures {
    fn drive(&mut self, mut step: impl FnMut() -> bool) {
        // Entering the pool for every turn would cost it more.
        self.0.run_until(poll_fn(|cx| {
            if !step() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
    }
}

impl Spawner for LocalSpawner {
    type Handle<T: 'static> = RemoteHandle<T>;

    fn spawn<F>(&self, future: F) -> RemoteHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_local_with_handle(future).expect("the pool lives")
    }

    fn detach(&self, future: impl Future<Output = ()> + 'static) {
        self.spawn_local(future).expect("the pool lives");
    }
}
