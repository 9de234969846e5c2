//! The futures that the cases are made of: the same for every contestant, the floor included. They do as
//! little as they can, so that what is measured is the executor.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A task that ends at its first poll.
pub async fn value(value: u32) -> u64 {
    u64::from(value)
}

/// A task that yields `times` times: it wakes itself and is pending.
pub fn yields(times: u32) -> impl Future<Output = u64> {
    let mut done = 0;
    poll_fn(move |cx| {
        if done == times {
            return Poll::Ready(done.into());
        }
        done += 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Sends 0 to `n` - 1, one at a time: after each message the task yields, so that the receiver runs.
pub fn send(channel: Rc<Channel>, n: u32) -> impl Future<Output = u64> {
    let mut next = 0;
    poll_fn(move |cx| {
        if next == n {
            return Poll::Ready(0);
        }
        channel.send(next.into());
        next += 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Receives `n` messages and gives their sum.
///
/// # Panics
/// When a message did not end a wait: the case would measure something else.
pub fn receive(channel: Rc<Channel>, n: u32) -> impl Future<Output = u64> {
    let (mut left, mut waits, mut sum) = (n, 0, 0);
    poll_fn(move |cx| {
        while left > 0 {
            let Some(message) = channel.receive(cx) else {
                waits += 1;
                return Poll::Pending;
            };
            left -= 1;
            sum += message;
        }
        assert_eq!(waits, n, "waits for {n} messages");
        Poll::Ready(sum)
    })
}

/// A local channel without a bound.
#[derive(Default)]
pub struct Channel {
    state: RefCell<(VecDeque<u64>, Option<Waker>)>,
}

impl Channel {
    fn send(&self, message: u64) {
        let waker = {
            let (queue, waker) = &mut *self.state.borrow_mut();
            queue.push_back(message);
            waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn receive(&self, cx: &mut Context<'_>) -> Option<u64> {
        let (queue, waker) = &mut *self.state.borrow_mut();
        let message = queue.pop_front();
        if message.is_none() {
            *waker = Some(cx.waker().clone());
        }
        message
    }
}

/// Waits for `times` completions of a slot and adds up what they bring.
pub fn completions(slot: Rc<Slot>, times: u32, all: Rc<Countdown>) -> impl Future<Output = ()> {
    let (mut left, mut sum) = (times, 0);
    poll_fn(move |cx| {
        while left > 0 {
            let Some(value) = slot.take(cx) else {
                return Poll::Pending;
            };
            left -= 1;
            sum += value;
        }
        all.add(sum);
        Poll::Ready(())
    })
}

/// What somebody outside will complete.
#[derive(Default)]
pub struct Slot {
    value: Cell<Option<u64>>,
    waker: Cell<Option<Waker>>,
}

impl Slot {
    fn take(&self, cx: &mut Context<'_>) -> Option<u64> {
        let value = self.value.take();
        if value.is_none() {
            self.waker.set(Some(cx.waker().clone()));
        }
        value
    }

    /// Whether a task waits for it.
    pub fn is_awaited(&self) -> bool {
        let waker = self.waker.take();
        let is_awaited = waker.is_some();
        self.waker.set(waker);
        is_awaited
    }

    /// # Panics
    /// When nobody waits: the turn before did not run all that was woken.
    pub fn complete(&self, value: u64) {
        self.value.set(Some(value));
        self.waker.take().expect("a task waits for the slot").wake();
    }
}

/// Waits until a number of tasks have each added their part.
pub struct Countdown {
    left: Cell<u32>,
    sum: Cell<u64>,
    waker: Cell<Option<Waker>>,
}

impl Countdown {
    pub fn new(left: u32) -> Rc<Self> {
        Rc::new(Self { left: Cell::new(left), sum: Cell::new(0), waker: Cell::new(None) })
    }

    pub fn add(&self, part: u64) {
        self.sum.set(self.sum.get() + part);
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0
            && let Some(waker) = self.waker.take()
        {
            waker.wake();
        }
    }

    /// The sum, once nothing is left.
    pub fn sum(&self) -> Option<u64> {
        (self.left.get() == 0).then(|| self.sum.get())
    }

    pub async fn done(&self) -> u64 {
        poll_fn(|cx| match self.sum() {
            Some(sum) => Poll::Ready(sum),
            None => {
                self.waker.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }
}
