//! The loops of the bench "timers".
//!
//! All sleeps of a case belong to one task, as the timers' price is asked for, not the tasks'. They are made
//! and polled within a poll of that task, and wake it.

pub mod alone;
#[cfg(not(target_family = "wasm"))]
pub mod async_io;
pub mod btree;
#[cfg(not(target_family = "wasm"))]
pub mod compio;
#[cfg(not(target_family = "wasm"))]
pub mod futures_timer;
pub mod kippu;
#[cfg(not(target_family = "wasm"))]
pub mod tokio;

use crate::contest::{Contestant, Measured, Spawner};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// All deadlines are within this time, in ns.
pub const SPAN: u64 = 1_000_000_000;
/// How far time goes on at once, in ns.
pub const STEP: u64 = 1_000_000;
/// How many others wait while a timer is inserted and cancelled.
pub const STANDING: u32 = 1_000;

/// An executor with timers.
pub trait Timers {
    type Executor: Contestant;
    type Sleeps: Sleeps;

    fn new() -> Self;
    fn executor(&mut self) -> &mut Self::Executor;
    fn sleeps(&self) -> Self::Sleeps;
}

/// Makes sleeps.
pub trait Sleeps: 'static {
    type Sleep: Future<Output = ()> + 'static;

    /// A future that is ready `after` ns from now, on the clock of the contestant.
    fn sleep(&self, after: u64) -> Self::Sleep;
}

/// Timers whose clock is the bench's.
pub trait VirtualTime: Timers {
    /// Lets [`SPAN`] go by in steps of [`STEP`], and after each lets the tasks run that it woke.
    fn advance(&mut self);
}

/// When the `i`th of `n` timers is due: spread evenly over the time span, in a fixed order that looks random.
pub fn deadline(i: u32, n: u32) -> u64 {
    // A prime that divides no `n` of ours: every place comes up once.
    let place = u64::from(i) * 61_403 % u64::from(n) + 1;
    place * SPAN / u64::from(n)
}

/// What the task that owns the sleeps is to do.
#[derive(Clone, Copy)]
enum Order {
    /// Make so many sleeps and poll each.
    Insert(u32),
    /// Make so many, poll each and drop it at once.
    InsertAndCancel(u32),
    /// Poll all again.
    Check,
    /// Drop all.
    Clear,
    Stop,
}

struct Owner<S: Sleeps> {
    sleeps: S,
    /// Full capacity is taken beforehand, so that they never move.
    held: RefCell<Vec<S::Sleep>>,
    order: Cell<Option<Order>>,
    waker: Cell<Option<Waker>>,
    /// How many sleeps were pending when they should be, or ready when they should be.
    right: Cell<u64>,
}

impl<S: Sleeps> Owner<S> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Without an order this is the wake of a timer.
        if let Some(order) = self.order.take() {
            self.waker.set(Some(cx.waker().clone()));
            let mut held = self.held.borrow_mut();
            match order {
                Order::Insert(n) => {
                    for i in 0..n {
                        let sleep = self.sleeps.sleep(deadline(i, n));
                        let pending = push_pinned(&mut held, sleep).poll(cx).is_pending();
                        self.add(pending);
                    }
                }
                Order::InsertAndCancel(n) => {
                    for i in 0..n {
                        let sleep = pin!(self.sleeps.sleep(deadline(i, n)));
                        self.add(sleep.poll(cx).is_pending());
                    }
                }
                Order::Check => {
                    for sleep in held.iter_mut() {
                        // SAFETY: `push_pinned` is how it got here, and nothing moves it until it is dropped.
                        let sleep = unsafe { Pin::new_unchecked(sleep) };
                        self.add(sleep.poll(cx).is_ready());
                    }
                }
                Order::Clear => held.clear(),
                Order::Stop => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    fn add(&self, right: bool) {
        self.right.set(self.right.get() + u64::from(right));
    }
}

/// Puts a future into a vector in which it can be polled, as it will not move any more.
fn push_pinned<F>(held: &mut Vec<F>, future: F) -> Pin<&mut F> {
    assert!(held.len() < held.capacity(), "the capacity is taken beforehand");
    held.push(future);
    let last = held.len() - 1;
    // SAFETY: the vector did not and will not grow, `Owner` takes nothing out of it, and clearing it drops
    // the futures in their place.
    unsafe { Pin::new_unchecked(&mut held[last]) }
}

/// A case: the executor, and the task that owns the sleeps.
struct Sleeper<T: Timers> {
    timers: T,
    owner: Rc<Owner<T::Sleeps>>,
}

impl<T: Timers> Sleeper<T> {
    fn new() -> Self {
        let mut timers = T::new();
        let owner = Rc::new(Owner {
            sleeps: timers.sleeps(),
            held: RefCell::default(),
            order: Cell::new(Some(Order::Clear)),
            waker: Cell::new(None),
            right: Cell::new(0),
        });
        let task = Rc::clone(&owner);
        let spawner = timers.executor().spawner();
        timers.executor().block_on(async move {
            spawner.detach(poll_fn(move |cx| task.poll(cx)));
        });
        let mut sleeper = Self { timers, owner };
        sleeper.run_owner();
        sleeper
    }

    /// Has the task do something.
    fn tell(&mut self, order: Order) {
        self.owner.order.set(Some(order));
        if let Some(waker) = self.owner.waker.take() {
            waker.wake();
        }
        self.run_owner();
    }

    /// Runs tasks until the owner has done what it was told.
    fn run_owner(&mut self) {
        let owner = &self.owner;
        self.timers.executor().block_on(poll_fn(|cx| match owner.order.take() {
            None => Poll::Ready(()),
            order => {
                owner.order.set(order);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }));
    }

    /// Makes room for sleeps, which will not move any more.
    fn reserve(&mut self, n: u32) {
        let mut held = self.owner.held.borrow_mut();
        assert!(held.is_empty(), "there may be no sleep that would be moved");
        held.reserve_exact(n as usize);
    }

    fn finish(&mut self) -> u64 {
        self.tell(Order::Clear);
        self.owner.right.take()
    }
}

impl<T: Timers> Drop for Sleeper<T> {
    /// The task may own the executor that owns it.
    fn drop(&mut self) {
        self.tell(Order::Stop);
    }
}

/// Inserts `n` timers into none.
struct Insert<T: Timers>(Sleeper<T>);

impl<T: Timers> Measured for Insert<T> {
    fn prepare(&mut self, n: u32) {
        self.0.reserve(n);
    }

    fn run(&mut self, n: u32) {
        self.0.tell(Order::Insert(n));
    }

    fn finish(&mut self) -> u64 {
        self.0.finish()
    }
}

/// Inserts a timer and cancels it, `n` times, while others wait.
struct InsertAndCancel<T: Timers>(Sleeper<T>);

impl<T: Timers> Measured for InsertAndCancel<T> {
    fn prepare(&mut self, _: u32) {
        self.0.reserve(STANDING);
        self.0.tell(Order::Insert(STANDING));
    }

    fn run(&mut self, n: u32) {
        self.0.tell(Order::InsertAndCancel(n));
    }

    fn finish(&mut self) -> u64 {
        self.0.finish() - u64::from(STANDING)
    }
}

/// Lets `n` timers come due.
struct Expiry<T: VirtualTime>(Sleeper<T>);

impl<T: VirtualTime> Measured for Expiry<T> {
    fn prepare(&mut self, n: u32) {
        self.0.reserve(n);
        self.0.tell(Order::Insert(n));
        self.0.owner.right.set(0);
    }

    fn run(&mut self, _: u32) {
        self.0.timers.advance();
    }

    fn finish(&mut self) -> u64 {
        self.0.tell(Order::Check);
        self.0.finish()
    }
}

pub fn insert<T: Timers + 'static>() -> Box<dyn Measured> {
    Box::new(Insert::<T>(Sleeper::new()))
}

pub fn insert_and_cancel<T: Timers + 'static>() -> Box<dyn Measured> {
    Box::new(InsertAndCancel::<T>(Sleeper::new()))
}

pub fn expiry<T: VirtualTime + 'static>() -> Box<dyn Measured> {
    Box::new(Expiry::<T>(Sleeper::new()))
}
