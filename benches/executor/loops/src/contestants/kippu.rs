//! kippu-executor: ours.

use crate::contest::{Contestant, Driven, Spawner, Succeeds};
use kippu_executor::{Executor, JoinHandle};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Release};
use std::task::{Wake, Waker};

/// What a driver's bell does at the least.
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Release);
    }
}

pub struct Kippu(Rc<Executor>);

impl Contestant for Kippu {
    type Spawner = Rc<Executor>;

    fn new() -> Self {
        Self(Rc::new(Executor::new(Waker::from(Arc::new(Bell(AtomicBool::new(false)))))))
    }

    fn spawner(&self) -> Rc<Executor> {
        Rc::clone(&self.0)
    }

    fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        let park =
            |more: bool| if more { Ok(()) } else { Err("no task is left that could wake main") };
        self.0.block_on(main, park).expect("main ends")
    }
}

impl Driven for Kippu {
    fn drive(&mut self, mut step: impl FnMut() -> bool) {
        while step() {
            while self.0.run_ready(usize::MAX) {}
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
        drop(Executor::spawn(self, future));
    }
}
