//! Models of what other threads do with wakers while the owner does something else, which loom runs in every
//! order that the memory model allows, up to a number of preemptions. `cargo xtask proof --only loom` builds and runs them.
//!
//! The owner is the model's first thread. Loom finds data races on what it tracks (the models' cells, and in the
//! executor everything that only the owner may touch), deadlocks (a driver that sleeps while a wake was
//! lost), and what is left at the end (futures, outputs and bells carry a tracked allocation).
#![cfg(loom)]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Wake, Waker};

use kippu_executor::{Executor, JoinHandle};
use loom::alloc::Track;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use loom::thread::{self, Thread};

/// Counts rings. It orders nothing, so that the executor alone has to.
struct Bell {
    rings: Arc<AtomicUsize>,
    _track: Track<()>,
}

impl Wake for Bell {
    fn wake(self: std::sync::Arc<Self>) {
        // Loom may switch threads here: right after a push, before it is over.
        self.rings.fetch_add(1, Relaxed);
    }
}

/// Ends the sleep of a driver.
struct Unpark {
    driver: Thread,
    _track: Track<()>,
}

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.driver.unpark();
    }
}

/// An executor whose driver sleeps in [`thread::park`].
fn parking_executor() -> Executor {
    let bell = Unpark { driver: thread::current(), _track: Track::new(()) };
    Executor::new(Waker::from(std::sync::Arc::new(bell)))
}

fn counting_executor() -> (Executor, Arc<AtomicUsize>) {
    let rings = Arc::new(AtomicUsize::new(0));
    let bell = Bell { rings: rings.clone(), _track: Track::new(()) };
    (Executor::new(Waker::from(std::sync::Arc::new(bell))), rings)
}

/// What a test sees of a task. Owner only.
#[derive(Default)]
struct Seen {
    polls: Cell<usize>,
    /// The waker of the first poll.
    waker: RefCell<Option<Waker>>,
    futures_dropped: Cell<usize>,
    outputs_dropped: Cell<usize>,
}

/// Adds one when it is dropped.
struct OnDrop {
    seen: Rc<Seen>,
    which: fn(&Seen) -> &Cell<usize>,
    _track: Track<()>,
}

impl OnDrop {
    fn new(seen: &Rc<Seen>, which: fn(&Seen) -> &Cell<usize>) -> OnDrop {
        OnDrop { seen: seen.clone(), which, _track: Track::new(()) }
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        add_one((self.which)(&self.seen));
    }
}

fn add_one(cell: &Cell<usize>) {
    cell.set(cell.get() + 1);
}

/// Spawns a task that leaves its waker at its first poll, which has been made, and then does `body` in each.
fn spawn(
    executor: &Executor,
    mut body: impl FnMut() -> bool + 'static,
) -> (JoinHandle<OnDrop>, Rc<Seen>, Waker) {
    let seen = Rc::new(Seen::default());
    let future = OnDrop::new(&seen, |seen| &seen.futures_dropped);
    let handle = executor.spawn(poll_fn(move |cx| {
        let seen = &future.seen;
        add_one(&seen.polls);
        if seen.polls.get() == 1 {
            *seen.waker.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if body() {
            return Poll::Ready(OnDrop::new(seen, |seen| &seen.outputs_dropped));
        }
        Poll::Pending
    }));
    run(executor);
    let waker = seen.waker.borrow_mut().take().unwrap();
    (handle, seen, waker)
}

fn run(executor: &Executor) {
    assert!(!executor.run_ready(usize::MAX));
}

/// What a driver does, until the task is complete. It sleeps for ever when a wake or a ring is lost.
fn drive(executor: &Executor, handle: &JoinHandle<OnDrop>) {
    loop {
        run(executor);
        if handle.is_finished() {
            return;
        }
        thread::park();
    }
}

fn poll_handle(mut handle: JoinHandle<OnDrop>) -> bool {
    match Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.is_ok(),
        Poll::Pending => panic!("the task is not finished"),
    }
}

/// The ways to wake.
const WAKES: [fn(Waker); 3] = [
    |waker| waker.wake(),
    |waker| waker.wake_by_ref(),
    |waker| {
        let clone = waker.clone();
        drop(waker);
        clone.wake();
    },
];

/// Runs the model in every order, of which there must be more than one: otherwise loom sees no race in it.
fn in_every_order(model: impl Fn() + Send + Sync + 'static) {
    let orders = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = orders.clone();
    loom::model(move || {
        count.fetch_add(1, Relaxed);
        model();
    });
    let orders = orders.load(Relaxed);
    assert!(orders > 5, "only {orders} orders");
}

/// Runs the model once for each way to wake.
fn with_each_wake(model: fn(fn(Waker))) {
    for wake in WAKES {
        in_every_order(move || model(wake));
    }
}

#[test]
#[should_panic(expected = "Causality violation")]
fn loom_finds_a_race() {
    loom::model(|| {
        let place = Arc::new(UnsafeCell::new(0));
        let write = |place: &UnsafeCell<i32>| {
            // SAFETY: it is not, which is the fault that is to be found.
            place.with_mut(|place| unsafe { *place += 1 });
        };
        let same = place.clone();
        let other = thread::spawn(move || write(&same));
        write(&place);
        other.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn loom_finds_a_sleep_that_nobody_ends() {
    loom::model(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let set = flag.clone();
        let other = thread::spawn(move || set.store(true, Relaxed));
        while !flag.load(Relaxed) {
            thread::park();
        }
        other.join().unwrap();
    });
}

#[test]
fn a_wake_runs_the_task_or_rings_the_bell() {
    with_each_wake(|wake| {
        let (executor, rings) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || false);
        let before = rings.load(Relaxed);
        let other = thread::spawn(move || wake(waker));
        run(&executor);
        other.join().unwrap();
        assert!(seen.polls.get() == 2 || rings.load(Relaxed) > before, "lost");
        run(&executor);
        assert_eq!(seen.polls.get(), 2, "one wake is one poll");
        drop((executor, handle));
        assert_eq!(seen.futures_dropped.get(), 1);
    });
}

#[test]
fn a_driver_that_sleeps_is_woken() {
    with_each_wake(|wake| {
        let executor = parking_executor();
        let (handle, seen, waker) = spawn(&executor, || true);
        let other = thread::spawn(move || wake(waker));
        drive(&executor, &handle);
        assert_eq!((seen.polls.get(), seen.futures_dropped.get()), (2, 1));
        assert!(poll_handle(handle));
        assert_eq!(seen.outputs_dropped.get(), 1);
        drop(executor);
        other.join().unwrap();
    });
}

#[test]
fn block_on_is_woken() {
    with_each_wake(|wake| {
        let executor = parking_executor();
        let mut other = None;
        let future = poll_fn(|cx| {
            if other.is_some() {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            other = Some(thread::spawn(move || wake(waker)));
            Poll::Pending
        });
        let park = |more: bool| {
            if !more {
                thread::park();
            }
            Ok::<(), ()>(())
        };
        executor.block_on(future, park).unwrap();
        drop(executor);
        other.unwrap().join().unwrap();
    });
}

#[test]
fn what_was_written_before_a_wake_is_seen_by_the_poll() {
    with_each_wake(|wake| {
        let (executor, _) = counting_executor();
        let letter = Arc::new(UnsafeCell::new(0));
        let read = letter.clone();
        let (handle, seen, waker) = spawn(&executor, move || {
            // SAFETY: loom checks that nobody writes at the same time, which is what the model is for.
            assert_eq!(read.with(|text| unsafe { *text }), 7);
            true
        });
        let other = thread::spawn(move || {
            // SAFETY: as above.
            letter.with_mut(|text| unsafe { *text = 7 });
            drop(letter);
            wake(waker);
        });
        run(&executor);
        // Only now, as it orders everything.
        other.join().unwrap();
        run(&executor);
        assert!(poll_handle(handle));
        assert_eq!(seen.polls.get(), 2);
    });
}

#[test]
fn two_threads_wake_one_task() {
    with_each_wake(|wake| {
        let (executor, _) = counting_executor();
        let flags = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let looked = Rc::new(Cell::new([false; 2]));
        let (read, found) = (flags.clone(), looked.clone());
        let (handle, seen, waker) = spawn(&executor, move || {
            found.set([read[0].load(Relaxed), read[1].load(Relaxed)]);
            false
        });
        let others = flags.map(|flag| {
            let waker = waker.clone();
            thread::spawn(move || {
                flag.store(true, Relaxed);
                wake(waker);
            })
        });
        drop(waker);
        run(&executor);
        others.into_iter().for_each(|other| other.join().unwrap());
        // What both wrote has been seen after this, whether in one poll or two.
        run(&executor);
        assert_eq!(looked.get(), [true; 2]);
        assert!((2..=3).contains(&seen.polls.get()), "{} polls", seen.polls.get());
        drop((executor, handle));
        assert_eq!(seen.futures_dropped.get(), 1);
    });
}

#[test]
fn a_wake_races_with_one_by_the_owner() {
    with_each_wake(|wake| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || false);
        let own = waker.clone();
        let other = thread::spawn(move || wake(waker));
        own.wake();
        run(&executor);
        other.join().unwrap();
        run(&executor);
        assert!((2..=3).contains(&seen.polls.get()), "{} polls", seen.polls.get());
        drop((executor, handle));
        assert_eq!(seen.futures_dropped.get(), 1);
    });
}

#[test]
fn a_wake_races_with_completion() {
    with_each_wake(|wake| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || true);
        let own = waker.clone();
        let other = thread::spawn(move || wake(waker));
        own.wake();
        run(&executor);
        assert!(poll_handle(handle));
        run(&executor);
        assert_eq!((seen.polls.get(), seen.futures_dropped.get()), (2, 1));
        drop(executor);
        other.join().unwrap();
        assert_eq!(seen.outputs_dropped.get(), 1);
    });
}

#[test]
fn a_wake_races_with_an_abort() {
    with_each_wake(|wake| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || false);
        let other = thread::spawn(move || wake(waker));
        handle.abort();
        run(&executor);
        assert!(!poll_handle(handle), "it is cancelled");
        other.join().unwrap();
        run(&executor);
        assert_eq!((seen.polls.get(), seen.futures_dropped.get()), (1, 1));
        drop(executor);
    });
}

/// The count of references: the owner completes the task and gives up all of its own, while others add and
/// drop some.
#[test]
fn clones_and_drops_race_with_completion_and_the_drop_of_the_handle() {
    in_every_order(|| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || true);
        let own = waker.clone();
        let other = thread::spawn(move || {
            let clone = waker.clone();
            drop(waker);
            drop(clone);
        });
        own.wake();
        run(&executor);
        drop(handle);
        // The memory of the first may be used again by this one.
        let (second, again, _) = spawn(&executor, || false);
        other.join().unwrap();
        run(&executor);
        assert_eq!((seen.futures_dropped.get(), seen.outputs_dropped.get()), (1, 1));
        drop((executor, second));
        assert_eq!(again.futures_dropped.get(), 1);
    });
}

#[test]
fn two_threads_drop_what_the_owner_has_given_up() {
    in_every_order(|| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || true);
        waker.wake_by_ref();
        let others = [waker.clone(), waker].map(|waker| thread::spawn(move || drop(waker)));
        run(&executor);
        drop(handle);
        run(&executor);
        assert_eq!((seen.futures_dropped.get(), seen.outputs_dropped.get()), (1, 1));
        drop(executor);
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// A driver that asks who could wake its tasks hears of it when the last waker goes.
#[test]
fn the_last_drop_ends_the_driver_s_sleep() {
    in_every_order(|| {
        let executor = parking_executor();
        let (handle, seen, waker) = spawn(&executor, || false);
        let other = thread::spawn(move || {
            let clone = waker.clone();
            drop(waker);
            drop(clone);
        });
        while executor.woken_from_outside() {
            thread::park();
            run(&executor);
        }
        drop((executor, handle));
        other.join().unwrap();
        assert_eq!((seen.polls.get(), seen.futures_dropped.get()), (1, 1));
    });
}

#[test]
fn wakes_race_with_the_death_of_the_executor() {
    with_each_wake(|wake| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || false);
        let other = thread::spawn(move || wake(waker));
        drop(executor);
        assert_eq!(seen.futures_dropped.get(), 1);
        assert!(!poll_handle(handle), "it is cancelled");
        other.join().unwrap();
        assert_eq!(seen.polls.get(), 1);
    });
}

#[test]
fn two_threads_race_with_the_death_of_the_executor() {
    in_every_order(|| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || false);
        drop(handle);
        let waking = thread::spawn({
            let waker = waker.clone();
            move || waker.wake()
        });
        let cloning = thread::spawn(move || {
            let clone = waker.clone();
            drop(waker);
            drop(clone);
        });
        drop(executor);
        assert_eq!((seen.polls.get(), seen.futures_dropped.get()), (1, 1));
        waking.join().unwrap();
        cloning.join().unwrap();
    });
}

#[test]
fn wakers_of_two_tasks_outlive_the_executor() {
    in_every_order(|| {
        let (executor, _) = counting_executor();
        let (_, first, waker) = spawn(&executor, || true);
        let (kept, second, other_waker) = spawn(&executor, || false);
        // One of them is done by then.
        waker.wake_by_ref();
        run(&executor);
        let others = [waker, other_waker].map(|waker| thread::spawn(move || WAKES[2](waker)));
        drop(executor);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!((first.futures_dropped.get(), second.futures_dropped.get()), (1, 1));
        assert_eq!(first.outputs_dropped.get(), 1);
        drop(kept);
    });
}

/// A waker that another thread has made comes back, and is the last to know the task.
#[test]
fn a_clone_comes_back_to_the_owner() {
    in_every_order(|| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || true);
        let other = thread::spawn(move || waker.clone());
        handle.abort();
        run(&executor);
        drop(handle);
        drop(executor);
        let last = other.join().unwrap();
        last.wake_by_ref();
        assert_eq!((seen.polls.get(), seen.futures_dropped.get()), (1, 1));
    });
}

/// Each thread owns an executor, and a task of the one wakes a task of the other.
#[test]
fn executors_of_two_threads_wake_one_another() {
    in_every_order(|| {
        let executor = parking_executor();
        let (handle, seen, waker) = spawn(&executor, || true);
        let other = thread::spawn(move || {
            let (executor, _) = counting_executor();
            let mut waker = Some(waker);
            let (handle, seen, own) = spawn(&executor, move || {
                waker.take().into_iter().for_each(Waker::wake);
                true
            });
            own.wake();
            run(&executor);
            assert!(poll_handle(handle));
            assert_eq!(seen.outputs_dropped.get(), 1);
        });
        drive(&executor, &handle);
        drop(executor);
        assert!(poll_handle(handle));
        other.join().unwrap();
        assert_eq!(seen.outputs_dropped.get(), 1);
    });
}

#[test]
fn a_wake_under_way_is_no_deadlock() {
    in_every_order(|| {
        let (executor, _) = counting_executor();
        let (handle, seen, waker) = spawn(&executor, || true);
        let other = thread::spawn(move || waker.wake());
        // What a driver asks before it gives up, in this order.
        let held = executor.woken_from_outside();
        let more = executor.run_ready(0);
        let given_up = !held && !more;
        other.join().unwrap();
        run(&executor);
        assert_eq!(seen.polls.get(), 2);
        assert!(poll_handle(handle));
        assert!(!given_up, "the task was polled later");
    });
}
