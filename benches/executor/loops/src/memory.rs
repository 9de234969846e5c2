//! Tasks for an allocator that counts.

use crate::contest::{Contestant, Spawner};
use crate::contestants::async_executor::{Local, Static};
use crate::contestants::async_task::AsyncTask;
use crate::contestants::compio::Compio;
use crate::contestants::floor::{self, Floor};
use crate::contestants::futures::Futures;
use crate::contestants::kippu::Kippu;
use crate::contestants::tokio::Tokio;
use crate::tasks;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A contestant whose allocations are counted.
pub struct Footprint {
    pub name: &'static str,
    /// Makes the executor, spawns `n` tasks that wait, and calls `look` when all of them do.
    pub wait: fn(n: u32, look: &mut dyn FnMut()),
    /// Makes the executor, spawns `n` tasks and joins them.
    pub join: fn(n: u32),
}

const fn footprint<C: Contestant>(name: &'static str) -> Footprint {
    Footprint { name, wait: wait::<C>, join: join::<C> }
}

pub const FOOTPRINTS: &[Footprint] = &[
    footprint::<Kippu>("kippu"),
    footprint::<Local>("async-executor"),
    footprint::<Static>("async-executor, static"),
    footprint::<Tokio>("tokio"),
    footprint::<Futures>("futures"),
    footprint::<AsyncTask>("async-task"),
    footprint::<Compio>("compio-executor"),
    Footprint { name: "floor", wait: floor_wait, join: floor_join },
];

/// Where those who wait leave their wakers. Its memory is there before the counting begins.
type Wakers = Rc<RefCell<Vec<Waker>>>;

fn room(n: u32) -> Wakers {
    Rc::new(RefCell::new(Vec::with_capacity(n as usize)))
}

/// A future of 16 bytes (where a pointer has 8) that leaves its waker and waits for it.
struct Waits {
    wakers: Wakers,
    is_woken: bool,
}

impl Future for Waits {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_woken {
            return Poll::Ready(());
        }
        self.is_woken = true;
        self.wakers.borrow_mut().push(cx.waker().clone());
        Poll::Pending
    }
}

fn wait<C: Contestant>(n: u32, look: &mut dyn FnMut()) {
    let wakers = room(n);
    look();
    let mut contestant = C::new();
    let spawner = contestant.spawner();
    contestant.block_on(async {
        for _ in 0..n {
            spawner.detach(Waits { wakers: Rc::clone(&wakers), is_woken: false });
        }
        poll_fn(|cx| {
            if wakers.borrow().len() == n as usize {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    });
    look();
    // What is detached and has no waker any more may never go away: let them all end.
    contestant.block_on(async {
        wakers.borrow_mut().drain(..).for_each(Waker::wake);
        poll_fn(|cx| {
            // Each task holds the vector.
            if Rc::strong_count(&wakers) == 1 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    });
}

fn join<C: Contestant>(n: u32) {
    tasks::spawn_join(&mut C::new(), n);
}

fn floor_wait(n: u32, look: &mut dyn FnMut()) {
    let wakers = room(n);
    look();
    let mut floor = Floor::default();
    for _ in 0..n {
        floor.wait(Waits { wakers: Rc::clone(&wakers), is_woken: false });
    }
    look();
}

fn floor_join(n: u32) {
    floor::spawn_join(&mut Floor::default(), n);
}
