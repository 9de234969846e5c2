//! What is common where no library is wanted: a `BTreeMap` from deadline to waker, on the same executor
//! and behind the same future as our timers.

use super::{SPAN, STEP, Sleeps, Timers, VirtualTime};
use crate::contest::Contestant;
use crate::contestants::kippu::Kippu;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Deadline and number: two timers may have the same deadline.
pub type Key = (u64, u64);

#[derive(Default)]
pub struct Map {
    timers: RefCell<BTreeMap<Key, Waker>>,
    now: Cell<u64>,
    number: Cell<u64>,
}

impl Map {
    fn insert(&self, deadline: u64, waker: Waker) -> Key {
        let key = (deadline, self.number.get());
        self.number.set(key.1 + 1);
        self.timers.borrow_mut().insert(key, waker);
        key
    }

    fn fire(&self) {
        loop {
            // In a statement of its own: no borrow may be held when a waker is called.
            let waker = {
                let mut timers = self.timers.borrow_mut();
                match timers.first_entry() {
                    Some(first) if first.key().0 <= self.now.get() => first.remove(),
                    _ => break,
                }
            };
            waker.wake();
        }
    }
}

pub struct MapTimers {
    kippu: Kippu,
    map: Rc<Map>,
}

impl Timers for MapTimers {
    type Executor = Kippu;
    type Sleeps = Rc<Map>;

    fn new() -> Self {
        Self { kippu: Kippu::new(), map: Rc::default() }
    }

    fn executor(&mut self) -> &mut Kippu {
        &mut self.kippu
    }

    fn sleeps(&self) -> Rc<Map> {
        Rc::clone(&self.map)
    }
}

impl VirtualTime for MapTimers {
    fn advance(&mut self) {
        let executor = self.kippu.spawner();
        for _ in 0..SPAN / STEP {
            self.map.now.set(self.map.now.get() + STEP);
            self.map.fire();
            while executor.run_ready(usize::MAX) {}
        }
    }
}

impl Sleeps for Rc<Map> {
    type Sleep = Sleep;

    fn sleep(&self, after: u64) -> Sleep {
        Sleep { map: Rc::clone(self), deadline: self.now.get() + after, key: None }
    }
}

pub struct Sleep {
    map: Rc<Map>,
    deadline: u64,
    key: Option<Key>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(key) = self.key else {
            self.key = Some(self.map.insert(self.deadline, cx.waker().clone()));
            return Poll::Pending;
        };
        match self.map.timers.borrow_mut().get_mut(&key) {
            Some(waker) => {
                waker.clone_from(cx.waker());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.map.timers.borrow_mut().remove(&key);
        }
    }
}
