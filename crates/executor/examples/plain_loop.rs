//! Tasks in a plain loop of fixed frames, as games and simulations have it.
//!
//! Time is the number of the frame, so a run gives the same result on every machine and at every
//! speed. The loop never sleeps for the executor's sake, so nobody listens to its bell. Each frame fires the
//! timers that are due and polls at most [`BUDGET`] times: a task that computes for long takes more frames, not
//! longer ones.

mod support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use kippu_executor::{Executor, TaskOptions};

/// The time between two frames: 60 a second.
const FRAME: Duration = Duration::from_nanos(16_666_667);
/// Polls in one frame.
const BUDGET: usize = 32;
/// The planner looks at so many numbers in one poll.
const CHUNK: u32 = 16;
const LAST_NUMBER: u32 = 10_000;

/// What tasks and loop share.
struct World {
    executor: Weak<Executor>,
    /// The number of the current frame.
    frame: Cell<u64>,
    /// Who stands where.
    places: RefCell<BTreeMap<&'static str, i32>>,
}

impl World {
    async fn sleep(&self, time: Duration) {
        let deadline = FRAME * self.frame.get() as u32 + time;
        support::sleep_until(&self.executor, deadline.as_nanos() as u64).await;
    }

    fn walk(&self, who: &'static str, steps: i32) {
        *self.places.borrow_mut().entry(who).or_default() += steps;
    }

    fn picture(&self) -> String {
        let places = self.places.borrow();
        let all: Vec<_> = places.iter().map(|(who, place)| format!("{who} {place:+}")).collect();
        format!("{:>3}: {}", self.frame.get(), all.join(", "))
    }
}

/// Walks `length` steps to and fro for ever, one in each `pause`.
async fn guard(world: Rc<World>, who: &'static str, length: i32, pause: Duration) {
    for step in (0..length).map(|_| 1).chain((0..length).map(|_| -1)).cycle() {
        world.sleep(pause).await;
        world.walk(who, step);
    }
}

/// Counts primes: long work that lets others go first after each chunk.
async fn plan() -> usize {
    let prime = |n: u32| n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
    let mut count = 0;
    for start in (0..LAST_NUMBER).step_by(CHUNK as usize) {
        count += (start..LAST_NUMBER.min(start + CHUNK)).filter(|&n| prime(n)).count();
        yield_now().await;
    }
    count
}

/// Pending once, with a wake of itself.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What came of it.
pub(crate) struct Report {
    /// The pictures of the frames in which somebody had moved.
    pub(crate) pictures: Vec<String>,
    pub(crate) primes: usize,
    /// The frames in which the planner worked.
    pub(crate) planning: u64,
}

/// Runs `frames` frames; `pace` waits for the next one.
pub(crate) fn run(frames: u64, mut pace: impl FnMut()) -> Report {
    let executor = Rc::new(Executor::new(Waker::noop().clone()));
    let world = Rc::new(World {
        executor: Rc::downgrade(&executor),
        frame: Cell::new(0),
        places: RefCell::default(),
    });
    for (who, length, pause) in [("tower", 2, 50), ("bridge", 3, 120)] {
        let script = guard(world.clone(), who, length, Duration::from_millis(pause));
        executor.spawn_with(TaskOptions::new().name(who), script).detach();
    }
    let primes = Rc::new(Cell::new(None));
    let found = primes.clone();
    let planner = async move { found.set(Some(plan().await)) };
    executor.spawn_with(TaskOptions::new().name("planner"), planner).detach();
    let mut report = Report { pictures: Vec::new(), primes: 0, planning: 0 };
    // ANCHOR: frame
    for frame in 0..frames {
        world.frame.set(frame);
        let before = world.places.borrow().clone();
        report.planning += u64::from(primes.get().is_none());
        executor.fire_timers((FRAME * frame as u32).as_nanos() as u64);
        // What is left over is runnable in the next frame.
        executor.run_ready(BUDGET);
        if *world.places.borrow() != before {
            report.pictures.push(world.picture());
        }
        pace();
    }
    // ANCHOR_END: frame
    // The guards walk for ever; they are dropped with the executor.
    report.primes = primes.get().expect("too few frames for the plan");
    report
}

fn main() {
    let report = run(60, || std::thread::sleep(FRAME));
    for picture in &report.pictures {
        println!("{picture}");
    }
    println!("{} primes, found in {} frames", report.primes, report.planning);
}
