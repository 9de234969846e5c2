//! What the tests share: a log of events, and wakers and futures that write down what happens to them.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use kippu_executor::{Executor, JoinError, JoinHandle};

/// Events in the order in which they happened.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn new() -> Self {
        Log::default()
    }

    pub(crate) fn add(&self, event: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.into());
    }

    /// What has happened since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asserts what has happened since the last call, all of it.
    #[track_caller]
    pub(crate) fn expect(&self, events: &[&str]) {
        assert_eq!(self.take(), events);
    }

    /// An executor whose bell logs `unpark`.
    pub(crate) fn executor(&self) -> Executor {
        Executor::new(self.waker("unpark"))
    }

    /// A foreign waker that logs `event` when it is woken.
    pub(crate) fn waker(&self, event: &str) -> Waker {
        struct Logs(Log, String);
        impl Wake for Logs {
            fn wake(self: Arc<Self>) {
                self.0.add(&*self.1);
            }
        }
        Waker::from(Arc::new(Logs(self.clone(), event.into())))
    }

    /// A value that logs `drop NAME` when it is dropped.
    pub(crate) fn on_drop(&self, name: &str) -> OnDrop {
        OnDrop { log: self.clone(), name: name.into() }
    }

    /// A future that logs `poll NAME` before each poll, and `drop NAME` when it is dropped.
    pub(crate) fn future<T, F>(
        &self,
        name: &str,
        mut body: F,
    ) -> impl Future<Output = T> + use<T, F>
    where
        F: FnMut(&mut Context<'_>) -> Poll<T>,
    {
        let guard = self.on_drop(name);
        poll_fn(move |cx| {
            guard.log.add(format!("poll {}", guard.name));
            body(cx)
        })
    }

    /// The future that is ready at its first poll.
    pub(crate) fn ready<T>(&self, name: &str, output: T) -> impl Future<Output = T> + use<T> {
        let mut output = Some(output);
        self.future(name, move |_| Poll::Ready(output.take().expect("polled after it was ready")))
    }

    /// The future that is never ready, and leaves its waker in `slot`.
    pub(crate) fn pending(&self, name: &str, slot: &Slot) -> impl Future<Output = ()> + use<> {
        let slot = slot.clone();
        self.future(name, move |cx| slot.keep(cx))
    }
}

pub(crate) struct OnDrop {
    log: Log,
    name: String,
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.log.add(format!("drop {}", self.name));
    }
}

/// A place where a future leaves its waker for the test.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Option<Waker>>>);

impl Slot {
    pub(crate) fn new() -> Self {
        Slot::default()
    }

    /// Keeps the waker of `cx` instead of the one before; always pending, for the end of a poll.
    pub(crate) fn keep<T>(&self, cx: &mut Context<'_>) -> Poll<T> {
        let old = self.0.lock().unwrap().replace(cx.waker().clone());
        drop(old);
        Poll::Pending
    }

    /// Moves the waker out.
    pub(crate) fn take(&self) -> Option<Waker> {
        self.0.lock().unwrap().take()
    }

    #[track_caller]
    pub(crate) fn waker(&self) -> Waker {
        self.0.lock().unwrap().clone().expect("no waker was left here")
    }

    #[track_caller]
    pub(crate) fn wake(&self) {
        self.waker().wake();
    }
}

/// Counts how often its waker is woken.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Count::default());
        (count.clone(), Waker::from(count))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Wakers for which `will_wake` is exact. For those of std's `Wake` it is not: their vtable may have
/// several addresses, and under Miri it has.
pub(crate) fn exact_wakers<const N: usize>() -> [Waker; N] {
    let executor = silent_executor();
    std::array::from_fn(|_| {
        let slot = Slot::new();
        let kept = slot.clone();
        drop(executor.spawn_polled(Default::default(), poll_fn(move |cx| kept.keep::<()>(cx))));
        slot.take().expect("it has been polled")
    })
}

/// Wakes with a waker of its own.
pub(crate) fn wake_clone(waker: &Waker) {
    let clone = waker.clone();
    clone.wake();
}

/// An executor whose bell nobody hears.
pub(crate) fn silent_executor() -> Executor {
    Executor::new(Waker::noop().clone())
}

/// Runs everything that is runnable.
#[track_caller]
pub(crate) fn run(executor: &Executor) {
    assert!(!executor.run_ready(usize::MAX), "run_ready stopped before its budget was spent");
}

/// Polls a handle from outside any task.
pub(crate) fn poll_handle<T>(
    handle: &mut JoinHandle<T>,
    waker: &Waker,
) -> Poll<Result<T, JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(waker))
}

/// What a finished task gave.
#[track_caller]
pub(crate) fn joined<T>(mut handle: JoinHandle<T>) -> Result<T, JoinError> {
    match poll_handle(&mut handle, Waker::noop()) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the task is not finished"),
    }
}

/// Pending once, with a wake of itself.
pub(crate) fn yield_now() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// How many rounds a random or stress test makes: `normal`, or fewer under Miri, which is slow.
pub(crate) const fn rounds(normal: u32, miri: u32) -> u32 {
    if cfg!(miri) { miri } else { normal }
}
