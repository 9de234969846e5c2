//! tokio's `LocalSet` on its current-thread runtime, without I/O.

use crate::contest::{Contestant, Driven, Spawner, Succeeds};
use std::future::poll_fn;
use std::task::Poll;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

pub struct Tokio {
    runtime: Runtime,
    tasks: LocalSet,
}

impl Tokio {
    pub fn on(builder: &mut Builder) -> Self {
        let runtime = builder.build().expect("the runtime starts");
        Self { runtime, tasks: LocalSet::new() }
    }
}

/// It spawns onto the set that runs.
pub struct Here;

impl Contestant for Tokio {
    type Spawner = Here;

    fn new() -> Self {
        Self::on(&mut Builder::new_current_thread())
    }

    fn spawner(&self) -> Here {
        Here
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        self.tasks.block_on(&self.runtime, main)
    }
}

impl Driven for Tokio {
    fn drive(&mut self, mut step: impl FnMut() -> bool) {
        // Entering the runtime for every turn would cost it more.
        self.block_on(poll_fn(|cx| {
            if !step() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
    }
}

impl Spawner for Here {
    type Handle<T: 'static> = Succeeds<JoinHandle<T>>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Succeeds(spawn_local(future))
    }

    fn detach(&self, future: impl Future<Output = ()> + 'static) {
        drop(spawn_local(future));
    }
}
