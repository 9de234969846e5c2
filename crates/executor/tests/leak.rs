//! Every byte goes back, whoever is the last to know a task: wakers outlive executors, and the threads that
//! made them, on several other threads.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::poll_fn;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Poll, Wake, Waker};
use std::thread;

use kippu_executor::{Executor, JoinHandle};
use support::{rounds, run, wake_clone, yield_now};

/// Counts what is allocated and freed while a thread works for a test. The tests may run at the same time.
struct Counting;

struct Live {
    blocks: AtomicIsize,
    bytes: AtomicIsize,
}

const TESTS: usize = 16;
static LIVE: [Live; TESTS] =
    [const { Live { blocks: AtomicIsize::new(0), bytes: AtomicIsize::new(0) } }; TESTS];

const NONE: usize = usize::MAX;

thread_local! {
    /// The test that this thread works for now.
    static TEST: Cell<usize> = const { Cell::new(NONE) };
}

fn count(layout: Layout, by: isize) {
    if let Some(live) = LIVE.get(TEST.get()) {
        live.blocks.fetch_add(by, SeqCst);
        live.bytes.fetch_add(by * layout.size() as isize, SeqCst);
    }
}

// SAFETY: everything is passed on to `System` as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout, 1);
        // SAFETY: the caller keeps the contract of this very function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(layout, -1);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// (blocks, bytes)
fn live(test: usize) -> (isize, isize) {
    (LIVE[test].blocks.load(SeqCst), LIVE[test].bytes.load(SeqCst))
}

/// Counts what `f` allocates and frees on this thread for a test.
fn counted<R>(test: usize, f: impl FnOnce() -> R) -> R {
    let before = TEST.replace(test);
    let result = f();
    TEST.set(before);
    result
}

/// A thread that works for the same test as this one. What std needs for a thread is not counted.
fn spawn<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> thread::JoinHandle<R> {
    let test = TEST.get();
    counted(NONE, || thread::spawn(move || counted(test, f)))
}

fn join<R>(thread: thread::JoinHandle<R>) -> R {
    counted(NONE, || thread.join().unwrap())
}

/// Asserts that everything that `f` allocates has gone when it is over.
#[track_caller]
fn leaves_nothing(test: usize, f: impl Fn()) {
    for round in 0..rounds(20, 1) {
        let before = live(test);
        counted(test, &f);
        assert_eq!(live(test), before, "(blocks, bytes) after round {round}");
    }
}

/// A bell that owns something, which is lost with it.
struct Bell(#[expect(dead_code, reason = "it is there to be leaked")] Vec<u8>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {}
}

fn executor() -> Executor {
    Executor::new(Waker::from(Arc::new(Bell(vec![0; 40]))))
}

/// Tasks of many sizes: smaller and larger than what a pool has classes for, and aligned to more than a pool
/// may be.
fn spawn_all(executor: &Executor, wakers: &mpsc::Sender<Waker>) -> Vec<JoinHandle<Vec<u8>>> {
    #[repr(align(64))]
    struct Line<T>(T);
    #[repr(align(4096))]
    struct Page<T>(T);
    let mut handles = Vec::new();
    // More than a few chunks of a pool.
    for i in 0..rounds(60, 3) as usize {
        handles.extend([
            spawn_one(executor, wakers, i, ()),
            spawn_one(executor, wakers, i, [i; 5]),
            spawn_one(executor, wakers, i, [i; 60]),
            spawn_one(executor, wakers, i, [i; 700]),
            spawn_one(executor, wakers, i, Line(i)),
            spawn_one(executor, wakers, i, Line([i; 100])),
            spawn_one(executor, wakers, i, Page(i)),
        ]);
    }
    handles
}

/// A task that holds `load` and something on the heap, and sends out its waker at each poll. Every third is ready at
/// its first poll, every third at its second.
fn spawn_one<T: 'static>(
    executor: &Executor,
    wakers: &mpsc::Sender<Waker>,
    i: usize,
    load: T,
) -> JoinHandle<Vec<u8>> {
    let wakers = wakers.clone();
    let (mut polls, text) = (0, i.to_string());
    executor.spawn(poll_fn(move |cx| {
        let _load = &load;
        // Nobody need be there to take it.
        let _ = wakers.send(cx.waker().clone());
        polls += 1;
        if polls == i % 3 + 1 && polls < 3 {
            Poll::Ready(text.clone().into_bytes())
        } else {
            Poll::Pending
        }
    }))
}

/// Threads that share the wakers among them and do away with them all at once when told: by waking, by
/// dropping, and with clones that live a little longer.
struct Others {
    threads: Vec<thread::JoinHandle<()>>,
    start: Arc<Barrier>,
}

const OTHERS: usize = 3;

impl Others {
    fn new(wakers: Vec<Waker>) -> Self {
        let start = Arc::new(Barrier::new(OTHERS + 1));
        let mut hands: [Vec<Waker>; OTHERS] = Default::default();
        for (i, waker) in wakers.into_iter().enumerate() {
            // Each task is known to two of them.
            hands[(i + 1) % OTHERS].push(waker.clone());
            hands[i % OTHERS].push(waker);
        }
        let threads = hands
            .map(|wakers| {
                let start = start.clone();
                spawn(move || {
                    start.wait();
                    let mut kept = Vec::new();
                    for (i, waker) in wakers.into_iter().enumerate() {
                        match i % 4 {
                            0 => waker.wake(),
                            1 => drop(waker),
                            2 => waker.wake_by_ref(),
                            _ => kept.push(waker.clone()),
                        }
                    }
                    kept.into_iter().for_each(Waker::wake);
                })
            })
            .into();
        Others { threads, start }
    }

    fn go(&self) {
        self.start.wait();
    }

    fn join(self) {
        self.threads.into_iter().for_each(join);
    }
}

#[test]
fn the_executor_is_dropped_before_the_wakers() {
    leaves_nothing(0, || {
        let (send, wakers) = mpsc::channel();
        let executor = executor();
        let handles = spawn_all(&executor, &send);
        run(&executor);
        drop((handles, executor));
        let others = Others::new(wakers.try_iter().collect());
        others.go();
        others.join();
    });
}

#[test]
fn the_executor_is_dropped_while_others_use_the_wakers() {
    leaves_nothing(1, || {
        let (send, wakers) = mpsc::channel();
        let executor = executor();
        let handles = spawn_all(&executor, &send);
        run(&executor);
        let others = Others::new(wakers.try_iter().collect());
        others.go();
        executor.run_ready(30);
        drop(executor);
        drop(handles);
        others.join();
    });
}

#[test]
fn the_owner_s_thread_has_ended_before() {
    leaves_nothing(2, || {
        let (send, wakers) = mpsc::channel();
        let owner = spawn(move || {
            let executor = executor();
            let handles = spawn_all(&executor, &send);
            run(&executor);
            drop(executor);
            // They know their tasks for a little longer.
            drop(handles);
        });
        join(owner);
        let others = Others::new(wakers.try_iter().collect());
        others.go();
        others.join();
    });
}

#[test]
fn the_owner_s_thread_ends_while_others_use_the_wakers() {
    leaves_nothing(3, || {
        let (send, wakers) = mpsc::channel();
        // Not a channel, of which this thread would keep something for the next wait.
        let ready = Arc::new(Barrier::new(2));
        let reached = ready.clone();
        let owner = spawn(move || {
            let executor = executor();
            let handles = spawn_all(&executor, &send);
            run(&executor);
            reached.wait();
            drop((executor, handles));
        });
        ready.wait();
        let others = Others::new(wakers.try_iter().collect());
        others.go();
        others.join();
        join(owner);
    });
}

#[test]
fn the_wakers_go_first() {
    leaves_nothing(4, || {
        let (send, wakers) = mpsc::channel();
        let executor = executor();
        let handles = spawn_all(&executor, &send);
        run(&executor);
        let others = Others::new(wakers.try_iter().collect());
        others.go();
        others.join();
        // Without another run: what the others have left for the owner goes with the executor.
        drop(executor);
        drop(handles);
    });
}

#[test]
fn the_executor_goes_on_after_others_have_used_the_wakers() {
    leaves_nothing(5, || {
        let (send, wakers) = mpsc::channel();
        let executor = executor();
        for _ in 0..3 {
            let handles = spawn_all(&executor, &send);
            run(&executor);
            let others = Others::new(wakers.try_iter().collect());
            others.go();
            run(&executor);
            others.join();
            // Some are detached, and some aborted while others know them.
            for (i, handle) in handles.into_iter().enumerate() {
                if i % 2 == 0 {
                    handle.abort();
                }
            }
            run(&executor);
        }
    });
}

#[test]
fn a_living_executor_takes_back_what_others_have_dropped() {
    const TEST: usize = 8;
    leaves_nothing(TEST, || {
        let executor = executor();
        let mut first = None;
        for round in 0..3 {
            let (send, wakers) = mpsc::channel();
            let handles = spawn_all(&executor, &send);
            run(&executor);
            let others = Others::new(wakers.try_iter().collect());
            others.go();
            others.join();
            handles.iter().for_each(JoinHandle::abort);
            run(&executor);
            drop((handles, send, wakers));
            assert_eq!(executor.live_tasks(), 0);
            executor.shrink_to_fit();
            let now = live(TEST);
            assert_eq!(now, *first.get_or_insert(now), "(blocks, bytes) after round {round}");
        }
    });
}

#[test]
fn handles_are_the_last_to_know_a_task() {
    leaves_nothing(6, || {
        let (send, wakers) = mpsc::channel();
        let executor = executor();
        let handles = spawn_all(&executor, &send);
        let aborts: Vec<_> = handles.iter().map(JoinHandle::abort_handle).collect();
        run(&executor);
        drop(executor);
        let others = Others::new(wakers.try_iter().collect());
        others.go();
        drop(handles);
        others.join();
        aborts.iter().for_each(|abort| assert!(abort.is_finished()));
    });
}

#[test]
fn a_waker_of_a_dead_executor_is_woken_by_a_live_one() {
    leaves_nothing(7, || {
        let (send, wakers) = mpsc::channel();
        let dead = executor();
        let handles = spawn_all(&dead, &send);
        run(&dead);
        drop((handles, dead));
        // On another owner's thread, and by its tasks.
        join(spawn(move || {
            let executor = executor();
            for waker in wakers.try_iter() {
                drop(executor.spawn(async move {
                    yield_now().await;
                    wake_clone(&waker);
                    drop(waker);
                }));
            }
            run(&executor);
        }));
    });
}

#[test]
fn a_leak_is_seen() {
    let test = TESTS - 1;
    let leaked = counted(test, || Box::into_raw(Box::new([0_u8; 100])));
    assert_eq!(live(test), (1, 100));
    // SAFETY: it was leaked above, and nobody else knows it.
    counted(test, || drop(unsafe { Box::from_raw(leaked) }));
    assert_eq!(live(test), (0, 0));
}
