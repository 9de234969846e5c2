//! Threads that clone, wake and drop wakers as fast as they can, while the owner spawns, runs, aborts, joins and
//! detaches the tasks, and drops executors; nothing is lost, and nothing happens twice.

mod support;

use std::cell::UnsafeCell;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use kippu_executor::{Executor, JoinHandle};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use support::{Count, poll_handle, rounds, wake_clone};

const HANDS: usize = 3;

/// How many seconds the test takes, if not two; a variable of the environment.
const SECONDS: &str = "KIPPU_TEST_SECONDS";

/// What tasks send to the threads.
enum Mail {
    Waker(Waker, Arc<Ticks>),
    /// The only waker of its task, and where to write before it is woken.
    Letter(Waker, Arc<Letter>),
}

/// Wakes of one task. Relaxed throughout: that a poll sees what was written before its wake is what is tested.
#[derive(Default)]
struct Ticks {
    asked: AtomicU32,
    seen: AtomicU32,
    gone: AtomicBool,
}

/// Written by one thread before the wake, read by the poll after it, without anything else that orders the two.
struct Letter(UnsafeCell<u64>);

const TEXT: u64 = 0x006b_6970_7075;

// SAFETY: the one who has the waker writes before it wakes; the task reads when it has been woken.
unsafe impl Sync for Letter {}

/// What one life is lived in.
#[derive(Default)]
struct World {
    boxes: [Mutex<Vec<Mail>>; HANDS],
    /// The threads leave the wakers alone.
    quiet: AtomicBool,
    faults: Mutex<Vec<&'static str>>,
    polls: AtomicU32,
    futures: AtomicIsize,
    outputs: AtomicIsize,
}

impl World {
    fn send(&self, to: usize, mail: Mail) {
        self.boxes[to % HANDS].lock().unwrap_or_else(PoisonError::into_inner).push(mail);
    }

    fn fetch(&self, from: usize) -> Vec<Mail> {
        std::mem::take(&mut self.boxes[from].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Inside a task a panic would be contained.
    fn fault(&self, text: &'static str) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
}

/// Counts a future or an output while it lives.
struct Alive(Arc<World>, fn(&World) -> &AtomicIsize);

impl Alive {
    fn new(world: &Arc<World>, which: fn(&World) -> &AtomicIsize) -> Self {
        which(world).fetch_add(1, Relaxed);
        Alive(world.clone(), which)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let left = self.1(&self.0).fetch_sub(1, Relaxed) - 1;
        if left < 0 {
            self.0.fault("something was dropped twice");
        }
    }
}

/// The points at which all threads meet. A thread that panics keeps the others from waiting for it for ever.
struct Phases<'a> {
    barrier: &'a Barrier,
    world: &'a World,
    left: u32,
}

impl<'a> Phases<'a> {
    fn new(barrier: &'a Barrier, world: &'a World) -> Self {
        Phases { barrier, world, left: 2 }
    }

    fn meet(&mut self) {
        self.left -= 1;
        self.barrier.wait();
    }
}

impl Drop for Phases<'_> {
    fn drop(&mut self) {
        self.world.quiet.store(true, Relaxed);
        (0..self.left).for_each(|_| self.meet());
    }
}

/// One of the threads: plays with wakers until it is told to be quiet; lets go of them when it is told so.
fn hand(world: &World, me: usize, mut rng: TestRng, barrier: &Barrier) {
    let mut phases = Phases::new(barrier, world);
    let mut kept: Vec<(Waker, Arc<Ticks>)> = Vec::new();
    while !world.quiet.load(Relaxed) {
        for mail in world.fetch(me) {
            match mail {
                Mail::Waker(waker, ticks) => kept.push((waker, ticks)),
                Mail::Letter(waker, letter) => {
                    // SAFETY: this has the only waker, which has not been woken.
                    unsafe { letter.0.get().write(TEXT) };
                    // The last reference to the letter may be the task's.
                    drop(letter);
                    waker.wake();
                }
            }
        }
        if kept.is_empty() {
            thread::yield_now();
            continue;
        }
        let i = rng.random_range(0..kept.len());
        play(world, &mut kept, i, &mut rng);
    }
    phases.meet();
    // The owner looks whether everything has arrived.
    phases.meet();
    // Now it drops the executor, at the same time.
    for mail in world.fetch(me) {
        match mail {
            Mail::Waker(waker, ticks) => kept.push((waker, ticks)),
            Mail::Letter(waker, _) => drop(waker),
        }
    }
    while !kept.is_empty() {
        let i = rng.random_range(0..kept.len());
        match rng.random_range(0..3) {
            0 => kept.swap_remove(i).0.wake(),
            1 => wake_clone(&kept[i].0),
            _ => drop(kept.swap_remove(i)),
        }
    }
}

fn play(world: &World, kept: &mut Vec<(Waker, Arc<Ticks>)>, i: usize, rng: &mut TestRng) {
    let (waker, ticks) = &kept[i];
    let ask = || ticks.asked.fetch_add(1, Relaxed);
    match rng.random_range(0..10) {
        0..=2 => {
            ask();
            waker.wake_by_ref();
        }
        3 => {
            ask();
            wake_clone(waker);
        }
        4 => {
            let clone = waker.clone();
            ask();
            kept.swap_remove(i).0.wake();
            drop(clone);
        }
        5 => {
            ask();
            kept.swap_remove(i).0.wake();
        }
        6 if kept.len() < 100 => {
            let clone = (waker.clone(), ticks.clone());
            kept.push(clone);
        }
        7 => {
            let to = rng.random_range(0..HANDS);
            world.send(to, Mail::Waker(waker.clone(), ticks.clone()));
        }
        _ => drop(kept.swap_remove(i)),
    }
}

/// A task that hands out its waker in each of its polls, of which it has so many.
fn ticker(
    world: &Arc<World>,
    ticks: &Arc<Ticks>,
    mut polls: u32,
) -> impl Future<Output = Alive> + use<> {
    let future = Alive::new(world, |world| &world.futures);
    let (ticks, gone) = (ticks.clone(), Gone(ticks.clone()));
    poll_fn(move |cx| {
        let _gone = &gone;
        let world = &future.0;
        world.polls.fetch_add(1, Relaxed);
        ticks.seen.store(ticks.asked.load(Relaxed), Relaxed);
        if polls == 0 {
            return Poll::Ready(Alive::new(world, |world| &world.outputs));
        }
        polls -= 1;
        for to in 0..polls.min(2) {
            let mail = Mail::Waker(cx.waker().clone(), ticks.clone());
            world.send((polls + to) as usize, mail);
        }
        if polls % 8 == 1 {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
}

/// Says so when the future goes.
struct Gone(Arc<Ticks>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.gone.store(true, Relaxed);
    }
}

/// A task that waits for a letter.
fn addressee(world: &Arc<World>, to: usize) -> impl Future<Output = Alive> + use<> {
    let future = Alive::new(world, |world| &world.futures);
    let mut letter: Option<Arc<Letter>> = None;
    poll_fn(move |cx| {
        let world = &future.0;
        world.polls.fetch_add(1, Relaxed);
        if let Some(letter) = &letter {
            // SAFETY: somebody has woken this task, who has written before and has no waker now.
            let text = unsafe { letter.0.get().read() };
            if text != TEXT {
                world.fault("woken by nobody");
            }
            return Poll::Ready(Alive::new(world, |world| &world.outputs));
        }
        let new = letter.insert(Arc::new(Letter(UnsafeCell::new(0)))).clone();
        world.send(to, Mail::Letter(cx.waker().clone(), new));
        Poll::Pending
    })
}

/// The owner's life with one executor.
fn owner(world: &Arc<World>, mut rng: TestRng, barrier: &Barrier) {
    let mut phases = Phases::new(barrier, world);
    let (bell, waker) = Count::new();
    let executor = Executor::new(waker);
    let mut handles: Vec<JoinHandle<Alive>> = Vec::new();
    let mut all = Vec::new();
    for _ in 0..rounds(1_000, 40) {
        let at = rng.random_range(0..handles.len().max(1));
        match rng.random_range(0..16) {
            0..=2 => {
                let ticks = Arc::new(Ticks::default());
                let polls = rng.random_range(0..40);
                handles.push(executor.spawn(ticker(world, &ticks, polls)));
                all.push(ticks);
            }
            3 => {
                let ticks = Arc::new(Ticks::default());
                let task = ticker(world, &ticks, rng.random_range(1..4));
                handles.push(executor.spawn_polled(Default::default(), task));
                all.push(ticks);
            }
            4 | 5 => handles.push(executor.spawn(addressee(world, rng.random_range(0..HANDS)))),
            6 if !handles.is_empty() => handles[at].abort(),
            7 if !handles.is_empty() => drop(handles.swap_remove(at)),
            8 if !handles.is_empty() => {
                let mut handle = handles.swap_remove(at);
                let polled = poll_handle(&mut handle, Waker::noop());
                assert_eq!(polled.is_ready(), handle.is_finished());
            }
            9 => executor.stay_awake(),
            10 => thread::yield_now(),
            _ => {
                executor.run_ready(rng.random_range(0..20));
            }
        }
    }
    let rung = bell.get();
    assert!(!executor.run_ready(usize::MAX), "run_ready stopped before its budget was spent");
    world.quiet.store(true, Relaxed);
    phases.meet();
    let (silent, polls) = (bell.get() == rung, world.polls.load(Relaxed));
    assert!(!executor.run_ready(usize::MAX));
    if silent {
        assert_eq!(world.polls.load(Relaxed), polls, "a task was woken, and the bell was not rung");
    }
    for ticks in all.iter().filter(|ticks| !ticks.gone.load(Relaxed)) {
        assert_eq!(ticks.seen.load(Relaxed), ticks.asked.load(Relaxed), "a wake was lost");
    }
    phases.meet();
    if rng.random() {
        handles.clear();
    }
    drop(executor);
    for mut handle in handles {
        assert!(poll_handle(&mut handle, Waker::noop()).is_ready(), "the executor is dead");
    }
}

/// Random numbers of the thread `who` of a life.
fn rng(life: u32, who: usize) -> TestRng {
    let mut seed = [0; 16];
    seed[..4].copy_from_slice(&life.to_le_bytes());
    seed[8..].copy_from_slice(&(who as u64 + 1).to_le_bytes());
    TestRng::from_seed(RngAlgorithm::XorShift, &seed)
}

#[test]
fn many_threads_and_many_lives() {
    let seconds = std::env::var(SECONDS).map_or(2, |text| text.parse().expect(SECONDS));
    let (start, time, mut life) = (Instant::now(), Duration::from_secs(seconds), 0);
    while life == 0 || start.elapsed() < time && life < rounds(u32::MAX, 3) {
        let world = Arc::new(World::default());
        let barrier = Barrier::new(HANDS + 1);
        thread::scope(|scope| {
            for me in 0..HANDS {
                let (world, barrier) = (&world, &barrier);
                scope.spawn(move || hand(world, me, rng(life, me), barrier));
            }
            // In every other life the owner's thread ends with its executor.
            let owner = || owner(&world, rng(life, HANDS), &barrier);
            if life % 2 == 0 { owner() } else { scope.spawn(owner).join().unwrap() }
        });
        // Mail that nobody has read.
        (0..HANDS).for_each(|me| drop(world.fetch(me)));
        assert_eq!(*world.faults.lock().unwrap(), Vec::<&str>::new(), "in life {life}");
        let left = (world.futures.load(Relaxed), world.outputs.load(Relaxed));
        assert_eq!(left, (0, 0), "(futures, outputs) are left from life {life}");
        assert_eq!(Arc::strong_count(&world), 1);
        life += 1;
    }
}
