//! A class that has moved over: JavaScript keeps a number, and its class is written there.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use kippu::HostError;

// ANCHOR: handles
struct Counter {
    count: u32,
}

thread_local! {
    static NEXT: Cell<u32> = const { Cell::new(1) };
    static COUNTERS: RefCell<BTreeMap<u32, Counter>> = const { RefCell::new(BTreeMap::new()) };
}

#[kippu::export]
fn counter_new(count: u32) -> u32 {
    let number = NEXT.replace(NEXT.get() + 1);
    COUNTERS.with_borrow_mut(|counters| counters.insert(number, Counter { count }));
    number
}

#[kippu::export]
fn counter_step(number: u32) -> Result<u32, HostError> {
    COUNTERS.with_borrow_mut(|counters| {
        let counter = counters.get_mut(&number).ok_or_else(|| HostError::new("it was freed"))?;
        counter.count += 1;
        Ok(counter.count)
    })
}

#[kippu::export]
fn counter_free(number: u32) {
    COUNTERS.with_borrow_mut(|counters| counters.remove(&number));
}
// ANCHOR_END: handles
