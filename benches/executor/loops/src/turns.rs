//! `block_on` for the libraries that have none: what their users write themselves.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// Set when the main future is to be polled. Everything is on one thread, so no order is asked for.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// Polls `main` whenever it is woken and in between calls `turn`, which runs tasks until none is
/// runnable.
///
/// # Panics
/// When `main` waits and no task can wake it.
pub fn block_on<F: Future>(main: F, mut turn: impl FnMut()) -> F::Output {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut cx = Context::from_waker(&waker);
    let mut main = pin!(main);
    loop {
        if let Poll::Ready(output) = main.as_mut().poll(&mut cx) {
            return output;
        }
        turn();
        assert!(flag.0.swap(false, Relaxed), "no task is left that could wake the main future");
    }
}
