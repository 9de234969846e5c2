//! When futures, outputs, wakers and memory are dropped; and that nothing is left.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::task::{Poll, Waker};
use std::thread;

use kippu_executor::{Executor, JoinHandle};
use support::{Count, Log, Slot, rounds, run, silent_executor, yield_now};

/// Counts live allocations of three alignments that nothing but the tasks of these tests has: each
/// test has its own, so they can run at the same time.
struct Counting;

const FIRST: usize = 1 << 10;
static LIVE: [AtomicIsize; 3] = [const { AtomicIsize::new(0) }; 3];

fn count(layout: Layout, by: isize) {
    let i = layout.align().trailing_zeros().wrapping_sub(FIRST.trailing_zeros());
    if let Some(live) = LIVE.get(i as usize) {
        live.fetch_add(by, SeqCst);
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

/// Makes the task that owns it have the alignment that is counted.
#[repr(align(1024))]
struct Align0;
#[repr(align(2048))]
struct Align1;
#[repr(align(4096))]
struct Align2;

fn live(i: usize) -> isize {
    LIVE[i].load(SeqCst)
}

#[test]
fn a_task_is_one_allocation_that_goes_with_its_last_reference() {
    let executor = silent_executor();
    let slot = Slot::new();
    let (kept, align) = (slot.clone(), Align0);
    let mut polls = 0;
    let handle = executor.spawn(poll_fn(move |cx| {
        let _align = &align;
        polls += 1;
        let pending: Poll<()> = kept.keep(cx);
        if polls == 2 { Poll::Ready(()) } else { pending }
    }));
    assert_eq!(live(0), 1);
    run(&executor);
    slot.wake();
    run(&executor);
    let abort = handle.abort_handle();
    assert_eq!((executor.live_tasks(), live(0)), (0, 1));
    drop(executor);
    drop(handle);
    drop(abort);
    assert_eq!(live(0), 1, "a waker is left");
    drop(slot.take());
    assert_eq!(live(0), 0);
}

#[test]
fn tasks_are_freed_in_every_way_to_end() {
    fn body() -> impl Future<Output = ()> {
        let align = Align1;
        async move {
            let _align = &align;
            yield_now().await;
        }
    }
    let executor = silent_executor();
    // Complete: detached before, detached after, joined, joined from a task.
    drop(executor.spawn(body()));
    let after = executor.spawn(body());
    let joined = executor.spawn(body());
    let by_task = executor.spawn(body());
    let joiner = executor.spawn(async move { by_task.await.is_ok() });
    // Aborted: before its first poll, in the middle.
    let early = executor.spawn(body());
    early.abort();
    let late = executor.spawn_polled(Default::default(), body());
    late.abort();
    assert_eq!(live(1), 6);
    run(&executor);
    assert_eq!((executor.live_tasks(), live(1)), (0, 4), "those with handles");
    drop(after);
    support::joined(joined).unwrap();
    assert!(support::joined(joiner).unwrap());
    drop(early);
    assert!(support::joined(late).unwrap_err().is_cancelled());
    assert_eq!(live(1), 0);
    // Left to a dying executor: queued, in a batch, waiting.
    let align = Align1;
    let waiting = executor.spawn(async move {
        let _align = &align;
        pending::<()>().await;
    });
    run(&executor);
    for _ in 0..3 {
        drop(executor.spawn(body()));
    }
    assert!(executor.run_ready(1));
    waiting.abort();
    drop(executor.spawn(body()));
    drop(executor);
    assert_eq!(live(1), 1);
    drop(waiting);
    assert_eq!(live(1), 0);
}

#[test]
fn remote_wakers_free_the_tasks_of_a_dead_executor() {
    for round in 0..rounds(300, 12) {
        let executor = silent_executor();
        let slots: Vec<Slot> = (0..4).map(|_| Slot::new()).collect();
        for slot in &slots {
            let (kept, align) = (slot.clone(), Align2);
            drop(executor.spawn(poll_fn(move |cx| {
                let _align = &align;
                kept.keep::<()>(cx)
            })));
        }
        run(&executor);
        let wakers: Vec<Waker> = slots.iter().map(|slot| slot.take().unwrap()).collect();
        let remote = thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
        if round % 3 == 0 {
            executor.run_ready(2);
        }
        drop(executor);
        remote.join().unwrap();
        // Those that ran after their wake left a waker in their slot.
        drop(slots);
        assert_eq!(live(2), 0);
    }
}

#[test]
fn a_dying_executor_drops_the_newest_future_first() {
    let log = Log::new();
    let executor = log.executor();
    for name in ["a", "b", "c"] {
        drop(executor.spawn(log.pending(name, &Slot::new())));
    }
    drop(executor.spawn_polled(Default::default(), log.pending("d", &Slot::new())));
    log.take();
    drop(executor);
    log.expect(&["drop d", "drop c", "drop b", "drop a"]);
}

#[test]
fn a_future_goes_before_its_joiner_is_woken_and_its_output_stays() {
    let log = Log::new();
    let executor = log.executor();
    let mut handle = executor.spawn(log.ready("a", log.on_drop("output")));
    assert!(support::poll_handle(&mut handle, &log.waker("wake main")).is_pending());
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a", "wake main"]);
    drop(executor);
    log.expect(&[]);
    drop(handle);
    log.expect(&["drop output"]);
}

#[test]
fn the_output_of_a_detached_task_goes_at_completion() {
    let log = Log::new();
    let executor = log.executor();
    let handle = executor.spawn(log.ready("a", log.on_drop("output")));
    let abort = handle.abort_handle();
    handle.detach();
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a", "drop output"]);
    assert!(abort.is_finished());
}

#[test]
fn nothing_that_a_task_owned_is_left() {
    let owned = Rc::new(());
    let executor = silent_executor();
    let finished = executor.spawn({
        let owned = owned.clone();
        async move { owned }
    });
    for i in 0..10_u32 {
        let owned = owned.clone();
        let handle = executor.spawn(async move {
            for _ in 0..i {
                yield_now().await;
            }
            pending::<Rc<()>>().await;
            owned
        });
        if i % 2 == 0 {
            handle.abort();
        }
    }
    assert!(executor.run_ready(15));
    assert!(Rc::strong_count(&owned) > 2);
    drop(executor);
    assert_eq!(Rc::strong_count(&owned), 2, "the output that is not joined yet");
    drop(finished);
    assert_eq!(Rc::strong_count(&owned), 1);
}

#[test]
fn the_bell_and_the_timers_wakers_go_with_the_executor() {
    let (bell, waker) = Count::new();
    let (timer, timer_waker) = Count::new();
    let executor = Executor::new(waker);
    let slot = Slot::new();
    drop(executor.spawn(Log::new().pending("a", &slot)));
    run(&executor);
    executor.insert_timer(10, timer_waker.clone());
    executor.insert_timer(u64::MAX, timer_waker);
    drop(executor);
    assert_eq!(Arc::strong_count(&timer), 1);
    assert_eq!(Arc::strong_count(&bell), 2, "a task that a waker keeps knows the bell");
    drop(slot.take());
    assert_eq!(Arc::strong_count(&bell), 1);
    assert_eq!((bell.get(), timer.get()), (1, 0));
}

#[test]
fn tasks_that_own_each_others_handles_all_go() {
    let log = Log::new();
    let executor = log.executor();
    let mut last: Option<JoinHandle<()>> = None;
    for name in ["a", "b", "c"] {
        let mut joins = last.take();
        last = Some(executor.spawn(log.future(name, move |cx| match &mut joins {
            Some(handle) => std::pin::Pin::new(handle).poll(cx).map(|_| ()),
            None => Poll::Pending,
        })));
    }
    run(&executor);
    log.take();
    drop(last);
    assert!(!executor.woken_from_outside());
    drop(executor);
    log.expect(&["drop c", "drop b", "drop a"]);
}

#[test]
fn wakers_may_be_cloned_woken_and_dropped_after_the_death_of_everything() {
    let executor = silent_executor();
    let slot = Slot::new();
    let kept = slot.clone();
    let handle = executor.spawn(poll_fn(move |cx| kept.keep::<()>(cx)));
    run(&executor);
    drop((executor, handle));
    let waker = slot.take().unwrap();
    let clone = waker.clone();
    waker.wake_by_ref();
    waker.wake();
    assert!(clone.will_wake(&clone.clone()));
}
