//! What a case asks of an executor, and what a bench asks of a case.

use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An executor of local tasks.
pub trait Contestant {
    type Spawner: Spawner;

    /// Made once per case, and kept for all its rounds.
    fn new() -> Self;

    /// What spawns while the executor runs.
    fn spawner(&self) -> Self::Spawner;

    /// Runs tasks until `main` is ready.
    fn block_on<F: Future>(&mut self, main: F) -> F::Output;
}

/// An executor whose tasks are woken from outside.
pub trait Driven: Contestant {
    /// Calls `step`, which wakes tasks from outside, and runs what it has woken; again and again until
    /// it says `false`. Each executor does it in the way that costs it least.
    fn drive(&mut self, step: impl FnMut() -> bool);
}

/// Spawns tasks; a part of the contestant that tasks may own.
pub trait Spawner: 'static {
    type Handle<T: 'static>: Future<Output = T> + 'static;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static;

    /// Spawns a task that nobody will join.
    fn detach(&self, future: impl Future<Output = ()> + 'static);
}

/// A handle whose task must succeed: what a program gets by `handle.await.unwrap()`.
pub struct Succeeds<H>(pub H);

impl<T, E, H> Future for Succeeds<H>
where
    E: Debug,
    H: Future<Output = Result<T, E>> + Unpin,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx).map(|result| result.expect("the task ends well"))
    }
}

/// One case on one contestant.
pub trait Measured {
    /// Makes ready for `n` operations. Not measured.
    fn prepare(&mut self, _n: u32) {}

    /// Does `n` operations. Measured.
    fn run(&mut self, n: u32);

    /// Clears up and gives the sum that shows that the work was done. Not measured.
    fn finish(&mut self) -> u64;
}

/// A case that needs nothing but a loop.
pub struct Loop<C> {
    pub contestant: C,
    pub run: fn(&mut C, u32) -> u64,
    pub sum: u64,
}

impl<C> Measured for Loop<C> {
    fn run(&mut self, n: u32) {
        self.sum = (self.run)(&mut self.contestant, n);
    }

    fn finish(&mut self) -> u64 {
        self.sum
    }
}
