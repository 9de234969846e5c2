//! Which connections there are.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The connections of one server. Dropping it ends them all.
pub(super) struct Connections {
    table: Arc<Table>,
}

pub(super) struct Table {
    max: usize,
    /// An [`Order`].
    order: AtomicU8,
    state: Mutex<State>,
}

/// What the connections are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    GoOn,
    /// End when what is under way is done.
    Stop,
    /// End now.
    End,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Each with its task, once that waits for an order.
    live: BTreeMap<u64, Option<Waker>>,
    /// Who waits for room, or for the end.
    waiting: Option<Waker>,
}

impl Connections {
    pub(super) fn new(max: usize) -> Connections {
        let order = AtomicU8::new(Order::GoOn as u8);
        Connections { table: Arc::new(Table { max, order, state: Mutex::default() }) }
    }

    pub(super) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Tells all connections to end when they have done what they are doing.
    pub(super) fn stop(&self) {
        self.table.give(Order::Stop);
    }

    /// Waits until there is no connection.
    pub(super) async fn ended(&self) {
        poll_fn(|cx| self.table.poll_below(1, cx)).await;
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.table.give(Order::End);
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::GoOn,
            1 => Order::Stop,
            _ => Order::End,
        }
    }

    fn give(&self, order: Order) {
        self.order.store(order as u8, Ordering::Release);
        let wakers: Vec<_> = self.lock().live.values_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits until there may be one connection more.
    pub(super) async fn room(&self) {
        poll_fn(|cx| self.poll_below(self.max, cx)).await;
    }

    fn poll_below(&self, count: usize, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.live.len() < count {
            return Poll::Ready(());
        }
        let before = state.waiting.replace(cx.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Counts one connection more, until the result is dropped.
    pub(super) fn seat(self: &Arc<Table>) -> Seat {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.live.insert(number, None);
        drop(state);
        Seat { table: Arc::clone(self), number, waker: None }
    }
}

/// A connection's own view.
pub(super) struct Seat {
    table: Arc<Table>,
    number: u64,
    /// What the table has to wake, and the last order from before it got that. Each order takes the wakers from the table.
    waker: Option<(Waker, Order)>,
}

impl Seat {
    /// What to do. The task is woken when that changes.
    pub(super) fn poll_order(&mut self, cx: &mut Context<'_>) -> Order {
        let order = self.table.order();
        let known = self
            .waker
            .as_ref()
            .is_some_and(|(waker, seen)| *seen == order && waker.will_wake(cx.waker()));
        if known || order == Order::End {
            return order;
        }
        let mut before = None;
        if let Some(waker) = self.table.lock().live.get_mut(&self.number) {
            before = waker.replace(cx.waker().clone());
        }
        drop(before);
        self.waker = Some((cx.waker().clone(), order));
        // A new one may have been given before the table had the waker.
        self.table.order()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.table.lock();
        let live = state.live.remove(&self.number);
        let waiting = state.waiting.take();
        drop(state);
        drop(live);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}
