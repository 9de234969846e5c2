//! async-task, with the least run queue that a one-threaded program can give it.

use crate::contest::{Contestant, Driven, Spawner};
use crate::turns;
use async_task::{Builder, Runnable, Task};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

type Queue = Rc<RefCell<VecDeque<Runnable>>>;

#[derive(Clone)]
pub struct AsyncTask(Queue);

impl AsyncTask {
    fn run_all(&self) {
        loop {
            // In a statement of its own: the borrow must have ended when the task runs.
            let runnable = self.0.borrow_mut().pop_front();
            let Some(runnable) = runnable else {
                break;
            };
            runnable.run();
        }
    }
}

impl Contestant for AsyncTask {
    type Spawner = Self;

    fn new() -> Self {
        Self(Queue::default())
    }

    fn spawner(&self) -> Self {
        self.clone()
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        turns::block_on(main, || self.run_all())
    }
}

impl Driven for AsyncTask {
    fn drive(&mut self, mut step: impl FnMut() -> bool) {
        while step() {
            self.run_all();
        }
    }
}

impl Spawner for AsyncTask {
    type Handle<T: 'static> = Task<T>;

    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let queue = Rc::clone(&self.0);
        let schedule = move |runnable| queue.borrow_mut().push_back(runnable);
        // A panic is kept for whoever joins, as all contestants that have handles do it.
        let builder = Builder::new().propagate_panic(true);
        // SAFETY: future, output and `schedule` are 'static. None of them is Send, nor need be: the
        // benches have one thread, which neither a runnable, a task nor a waker of theirs ever leaves.
        let (runnable, task) = unsafe { builder.spawn_unchecked(move |()| future, schedule) };
        runnable.schedule();
        task
    }

    fn detach(&self, future: impl Future<Output = ()> + 'static) {
        self.spawn(future).detach();
    }
}
