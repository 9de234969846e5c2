//! The stores of timers alone: no task, no future, no cell, and a waker that does nothing.

use super::{SPAN, STANDING, STEP, deadline};
use crate::contest::Measured;
use crate::timers::btree::Key;
use kippu_executor::{TimerKey, TimerWheel};
use std::collections::BTreeMap;
use std::task::Waker;

/// Holds wakers until their time has come.
pub trait Store: Default {
    type Key;

    fn insert(&mut self, deadline: u64, waker: Waker) -> Self::Key;
    fn cancel(&mut self, key: Self::Key) -> Option<Waker>;
    fn expire(&mut self, now: u64, due: &mut Vec<Waker>);
}

impl Store for TimerWheel {
    type Key = TimerKey;

    fn insert(&mut self, deadline: u64, waker: Waker) -> TimerKey {
        TimerWheel::insert(self, deadline, waker)
    }

    fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        TimerWheel::cancel(self, key)
    }

    fn expire(&mut self, now: u64, due: &mut Vec<Waker>) {
        TimerWheel::expire(self, now, due);
    }
}

/// Sorted by deadline and number.
#[derive(Default)]
pub struct Map {
    timers: BTreeMap<Key, Waker>,
    number: u64,
}

impl Store for Map {
    type Key = Key;

    fn insert(&mut self, deadline: u64, waker: Waker) -> Key {
        let key = (deadline, self.number);
        self.number += 1;
        self.timers.insert(key, waker);
        key
    }

    fn cancel(&mut self, key: Key) -> Option<Waker> {
        self.timers.remove(&key)
    }

    fn expire(&mut self, now: u64, due: &mut Vec<Waker>) {
        while let Some(first) = self.timers.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
    }
}

struct Alone<S: Store> {
    store: S,
    now: u64,
    keys: Vec<S::Key>,
    due: Vec<Waker>,
    right: u64,
}

impl<S: Store> Alone<S> {
    fn new() -> Self {
        Self { store: S::default(), now: 0, keys: Vec::new(), due: Vec::new(), right: 0 }
    }

    fn insert(&mut self, n: u32) {
        for i in 0..n {
            let at = self.now + deadline(i, n);
            self.keys.push(self.store.insert(at, Waker::noop().clone()));
        }
    }

    /// Cancels all and gives how many there were.
    fn clear(&mut self) -> u64 {
        let Self { store, keys, .. } = self;
        keys.drain(..).map(|key| u64::from(store.cancel(key).is_some())).sum()
    }
}

struct Insert<S: Store>(Alone<S>);

impl<S: Store> Measured for Insert<S> {
    fn prepare(&mut self, n: u32) {
        self.0.keys.reserve(n as usize);
    }

    fn run(&mut self, n: u32) {
        self.0.insert(n);
    }

    fn finish(&mut self) -> u64 {
        self.0.clear()
    }
}

struct InsertAndCancel<S: Store>(Alone<S>);

impl<S: Store> Measured for InsertAndCancel<S> {
    fn prepare(&mut self, _: u32) {
        self.0.insert(STANDING);
    }

    fn run(&mut self, n: u32) {
        let Alone { store, now, right, .. } = &mut self.0;
        for i in 0..n {
            let key = store.insert(*now + deadline(i, n), Waker::noop().clone());
            *right += u64::from(store.cancel(key).is_some());
        }
    }

    fn finish(&mut self) -> u64 {
        self.0.clear();
        std::mem::take(&mut self.0.right)
    }
}

struct Expiry<S: Store>(Alone<S>);

impl<S: Store> Measured for Expiry<S> {
    fn prepare(&mut self, n: u32) {
        self.0.insert(n);
    }

    fn run(&mut self, _: u32) {
        let Alone { store, now, due, right, .. } = &mut self.0;
        for _ in 0..SPAN / STEP {
            *now += STEP;
            store.expire(*now, due);
            for waker in due.drain(..) {
                waker.wake();
                *right += 1;
            }
        }
    }

    fn finish(&mut self) -> u64 {
        assert_eq!(self.0.clear(), 0, "a timer was fired and is still there");
        std::mem::take(&mut self.0.right)
    }
}

pub fn insert<S: Store + 'static>() -> Box<dyn Measured>
where
    S::Key: 'static,
{
    Box::new(Insert::<S>(Alone::new()))
}

pub fn insert_and_cancel<S: Store + 'static>() -> Box<dyn Measured>
where
    S::Key: 'static,
{
    Box::new(InsertAndCancel::<S>(Alone::new()))
}

pub fn expiry<S: Store + 'static>() -> Box<dyn Measured>
where
    S::Key: 'static,
{
    Box::new(Expiry::<S>(Alone::new()))
}
