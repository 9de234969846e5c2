//! A list of futures that wait for an event of the whole process.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use slab::Slab;

use crate::driver::native::{Hold, current, lock};

/// The state of type `S` of some service of the process, and who waits for a
/// message of type `M` about it.
pub(super) struct Waiters<S, M: 'static> {
    inner: Mutex<Inner<S, M>>,
}

pub(super) struct Inner<S, M> {
    pub(super) state: S,
    list: Slab<Waiter<M>>,
}

enum Waiter<M> {
    /// The hold goes after the waker was rung; see `outstanding`.
    Waiting(Waker, Hold),
    /// `None` once the future has taken it.
    Told(Option<M>),
}

impl<S, M> Inner<S, M> {
    /// Whether a future waits that has not been told yet.
    pub(super) fn is_awaited(&self) -> bool {
        self.list.iter().any(|(_, waiter)| matches!(waiter, Waiter::Waiting(..)))
    }

    /// Tells all that wait. Wake the result once the lock is released.
    pub(super) fn tell(&mut self, mut message: impl FnMut() -> M) -> ToWake {
        let mut told = Vec::new();
        for (_, waiter) in &mut self.list {
            if matches!(waiter, Waiter::Waiting(..))
                && let Waiter::Waiting(waker, hold) =
                    std::mem::replace(waiter, Waiter::Told(Some(message())))
            {
                told.push((waker, hold));
            }
        }
        ToWake(told)
    }
}

/// Those who were told, to be woken outside of the lock.
#[must_use]
pub(super) struct ToWake(Vec<(Waker, Hold)>);

impl ToWake {
    pub(super) fn wake(self) {
        for (waker, hold) in self.0 {
            waker.wake();
            drop(hold);
        }
    }
}

impl<S, M> Waiters<S, M> {
    pub(super) const fn new(state: S) -> Self {
        Waiters { inner: Mutex::new(Inner { state, list: Slab::new() }) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner<S, M>> {
        lock(&self.inner)
    }

    /// A future for the next message. It is in the list already when this returns,
    /// so what is looked at afterwards cannot change unnoticed.
    ///
    /// # Errors
    /// Outside of a runtime.
    pub(super) fn wait(&'static self) -> io::Result<Wait<S, M>>
    where
        S: 'static,
    {
        let hold = current()?.hold();
        let waiter = Waiter::Waiting(Waker::noop().clone(), hold);
        let key = self.lock().list.insert(waiter);
        Ok(Wait { waiters: self, key })
    }
}

/// See [`Waiters::wait`]. Dropping it leaves the list.
pub(super) struct Wait<S: 'static, M: 'static> {
    waiters: &'static Waiters<S, M>,
    key: usize,
}

impl<S, M> Future for Wait<S, M> {
    type Output = M;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<M> {
        let mine = cx.waker().clone();
        let mut inner = self.waiters.lock();
        match &mut inner.list[self.key] {
            Waiter::Waiting(waker, _) => {
                let replaced = std::mem::replace(waker, mine);
                drop(inner);
                drop(replaced);
                Poll::Pending
            }
            Waiter::Told(message) => {
                let message = message.take();
                drop(inner);
                Poll::Ready(message.expect("a future is not polled after it was ready"))
            }
        }
    }
}

impl<S, M> Drop for Wait<S, M> {
    fn drop(&mut self) {
        let left = self.waiters.lock().list.try_remove(self.key);
        drop(left);
    }
}
