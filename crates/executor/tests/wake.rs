//! Wakes: when they count, and that none is lost, whichever thread they come from.

mod support;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Poll, Wake, Waker};
use std::thread::{self, Thread};

use kippu_executor::Executor;
use support::{Count, Log, Slot, rounds, run, silent_executor, yield_now};

#[test]
fn a_self_wake_in_a_poll_leads_to_one_more_poll() {
    let log = Log::new();
    let executor = log.executor();
    let mut polls = 0;
    drop(executor.spawn(log.future("a", move |cx| {
        polls += 1;
        if polls == 1 {
            cx.waker().wake_by_ref();
            let clone = cx.waker().clone();
            clone.wake();
        }
        Poll::<()>::Pending
    })));
    run(&executor);
    log.expect(&["unpark", "poll a", "poll a"]);
}

#[test]
fn many_wakes_between_two_polls_are_one() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    drop(executor.spawn(log.pending("a", &slot)));
    run(&executor);
    for _ in 0..5 {
        slot.wake();
    }
    run(&executor);
    log.expect(&["unpark", "poll a", "unpark", "poll a"]);
}

#[test]
fn a_wake_after_the_end_does_nothing() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let kept = slot.clone();
    drop(executor.spawn(log.future("a", move |cx| {
        let _pending: Poll<()> = kept.keep(cx);
        Poll::Ready(())
    })));
    run(&executor);
    log.take();
    slot.waker().wake_by_ref();
    slot.wake();
    assert!(!executor.run_ready(0));
    log.expect(&[]);
    drop(slot.take());
}

#[test]
fn a_wake_during_the_last_poll_does_nothing() {
    let log = Log::new();
    let executor = log.executor();
    drop(executor.spawn(log.future("a", |cx| {
        cx.waker().wake_by_ref();
        Poll::Ready(())
    })));
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a"]);
}

#[test]
fn wakers_of_one_task_are_known_as_such() {
    let executor = silent_executor();
    let slots = [Slot::new(), Slot::new()];
    for slot in &slots {
        let kept = slot.clone();
        drop(executor.spawn(poll_fn(move |cx| {
            assert!(cx.waker().will_wake(&cx.waker().clone()));
            kept.keep::<()>(cx)
        })));
    }
    run(&executor);
    assert!(slots[0].waker().will_wake(&slots[0].waker()));
    assert!(!slots[0].waker().will_wake(&slots[1].waker()));
}

#[test]
fn the_bell_rings_once_until_the_executor_has_run() {
    let (bell, waker) = Count::new();
    let executor = Executor::new(waker);
    let slot = Slot::new();
    drop(executor.spawn(Log::new().pending("a", &slot)));
    drop(executor.spawn(async {}));
    slot.take();
    assert_eq!(bell.get(), 1);
    run(&executor);
    assert_eq!(bell.get(), 1);
    slot.wake();
    drop(executor.spawn(async {}));
    assert_eq!(bell.get(), 2);
}

#[test]
fn the_bell_is_silent_while_more_is_left_over() {
    let (bell, waker) = Count::new();
    let executor = Executor::new(waker);
    drop(executor.spawn(yield_now()));
    drop(executor.spawn(yield_now()));
    assert!(executor.run_ready(1));
    drop(executor.spawn(async {}));
    assert!(executor.run_ready(3));
    drop(executor.spawn(async {}));
    assert_eq!(bell.get(), 1);
    run(&executor);
    drop(executor.spawn(async {}));
    assert_eq!(bell.get(), 2);
}

#[test]
fn the_bell_is_silent_from_stay_awake_until_the_executor_has_run() {
    let (bell, waker) = Count::new();
    let executor = Executor::new(waker);
    executor.stay_awake();
    executor.stay_awake();
    drop(executor.spawn(async {}));
    assert_eq!(bell.get(), 0);
    run(&executor);
    assert_eq!(executor.live_tasks(), 0);
    drop(executor.spawn(async {}));
    assert_eq!(bell.get(), 1);
    executor.stay_awake();
    run(&executor);
    drop(executor.spawn(async {}));
    assert_eq!(bell.get(), 2, "what was queued before is run, and the bell is armed again");
}

#[test]
fn a_bell_may_wake_a_task_of_another_executor() {
    // An executor inside a task of another: the bell of the inner one is the outer one's waker.
    let log = Log::new();
    let outer = log.executor();
    let (inner_slot, log2) = (Slot::new(), log.clone());
    let kept = inner_slot.clone();
    let mut inner = None;
    drop(outer.spawn(log.future("outer", move |cx| {
        let inner = inner.get_or_insert_with(|| {
            let inner = Executor::new(cx.waker().clone());
            drop(inner.spawn(log2.pending("inner", &kept)));
            inner
        });
        run(inner);
        Poll::<()>::Pending
    })));
    run(&outer);
    log.expect(&["unpark", "poll outer", "poll inner", "poll outer"]);
    inner_slot.wake();
    log.expect(&["unpark"]);
    run(&outer);
    log.expect(&["poll outer", "poll inner"]);
}

/// A bell that ends the driver's sleep.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// An executor for [`drive`], on this thread.
fn parking_executor() -> Executor {
    Executor::new(Waker::from(Arc::new(Unpark(thread::current()))))
}

/// Runs until no task is left. Sleeps only when nothing is runnable: a wake or a ring that is lost
/// makes this hang.
fn drive(executor: &Executor) {
    loop {
        while executor.run_ready(7) {}
        if executor.live_tasks() == 0 {
            return;
        }
        thread::park();
    }
}

#[test]
fn no_remote_wake_is_lost() {
    const THREADS: usize = 3;
    let per_thread = rounds(20_000, 60) as usize;
    let executor = parking_executor();
    let (send, wakers) = mpsc::channel::<Waker>();
    let seen = Arc::new(AtomicUsize::new(0));
    let written = seen.clone();
    let mut send = Some(send);
    drop(executor.spawn(poll_fn(move |cx| {
        if let Some(send) = send.take() {
            for _ in 0..THREADS {
                send.send(cx.waker().clone()).unwrap();
            }
        }
        // Relaxed: that the poll after a wake sees what was written before it, is what is tested.
        if written.load(Relaxed) == THREADS * per_thread { Poll::Ready(()) } else { Poll::Pending }
    })));
    run(&executor);
    thread::scope(|scope| {
        for waker in wakers {
            let seen = &seen;
            scope.spawn(move || {
                for _ in 0..per_thread {
                    seen.fetch_add(1, Relaxed);
                    waker.wake_by_ref();
                }
            });
        }
        drive(&executor);
    });
}

#[test]
fn what_was_written_before_a_remote_wake_is_there_in_the_poll() {
    // One task per message; the wake alone orders the write before the read.
    let executor = parking_executor();
    let flags: Arc<Vec<AtomicBool>> =
        Arc::new((0..rounds(2_000, 20)).map(|_| AtomicBool::new(false)).collect());
    let (send, wakers) = mpsc::channel::<(usize, Waker)>();
    for i in 0..flags.len() {
        let (flags, send) = (flags.clone(), send.clone());
        let mut polls = 0;
        drop(executor.spawn(poll_fn(move |cx| {
            polls += 1;
            if polls == 1 {
                send.send((i, cx.waker().clone())).unwrap();
                return Poll::Pending;
            }
            assert!(flags[i].load(Relaxed), "woken by nobody");
            Poll::Ready(())
        })));
    }
    drop(send);
    let writer = flags.clone();
    let thread = thread::spawn(move || {
        for (i, waker) in wakers {
            writer[i].store(true, Relaxed);
            waker.wake();
        }
    });
    drive(&executor);
    thread.join().unwrap();
}

#[test]
fn remote_wakes_race_with_completion_and_abort() {
    for round in 0..rounds(2_000, 25) {
        let executor = parking_executor();
        let slot = Slot::new();
        let kept = slot.clone();
        let mut left = round % 4 + 1;
        let handle = executor.spawn(poll_fn(move |cx| {
            let pending = kept.keep(cx);
            left -= 1;
            if left == 0 { Poll::Ready(String::from("out")) } else { pending }
        }));
        run(&executor);
        let waker = slot.take().unwrap();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                for _ in 0..8 {
                    waker.wake_by_ref();
                }
            });
            start.wait();
            executor.run_ready(2);
            if round % 2 == 0 {
                handle.abort();
            }
            executor.run_ready(2);
        });
        let finished = handle.is_finished();
        // Whatever is left of the task now goes with one of these.
        drop(executor);
        drop((waker, slot));
        match support::joined(handle) {
            Ok(output) => assert!(finished && output == "out"),
            Err(error) => assert!(error.is_cancelled()),
        }
    }
}

#[test]
fn remote_wakes_race_with_the_death_of_the_executor() {
    for round in 0..rounds(2_000, 25) {
        let executor = parking_executor();
        let slots: Vec<Slot> = (0..3).map(|_| Slot::new()).collect();
        for slot in &slots {
            let kept = slot.clone();
            drop(executor.spawn(poll_fn(move |cx| kept.keep::<()>(cx))));
        }
        run(&executor);
        let start = Arc::new(Barrier::new(3));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let wakers: Vec<Waker> = slots.iter().map(Slot::waker).collect();
                let start = start.clone();
                thread::spawn(move || {
                    start.wait();
                    for waker in wakers {
                        let clone = waker.clone();
                        clone.wake();
                        waker.wake();
                    }
                })
            })
            .collect();
        for slot in &slots {
            slot.take();
        }
        start.wait();
        if round % 2 == 0 {
            executor.run_ready(2);
        }
        drop(executor);
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_waker_may_be_dropped_last_of_all_on_another_thread() {
    for _ in 0..rounds(500, 15) {
        let (send, wakers) = mpsc::channel::<Waker>();
        let last = thread::spawn(move || {
            for waker in wakers {
                waker.wake();
            }
        });
        let executor = parking_executor();
        let handle = executor.spawn(poll_fn(move |cx| {
            send.send(cx.waker().clone()).unwrap();
            Poll::Ready(vec![1, 2, 3])
        }));
        run(&executor);
        drop(executor);
        assert_eq!(support::joined(handle).unwrap(), [1, 2, 3]);
        last.join().unwrap();
    }
}

#[test]
#[cfg(feature = "std")]
fn a_bell_that_panics_leaks_nothing() {
    struct Broken(AtomicBool);
    impl Wake for Broken {
        fn wake(self: Arc<Self>) {
            assert!(!self.0.load(Relaxed), "the bell is broken");
        }
    }
    let bell = Arc::new(Broken(AtomicBool::new(false)));
    let executor = Executor::new(bell.clone().into());
    let slot = Slot::new();
    let kept = slot.clone();
    executor.spawn(poll_fn(move |cx| kept.keep::<()>(cx))).detach();
    run(&executor);
    let waker = slot.take().expect("it was polled");
    bell.0.store(true, Relaxed);
    let wake = std::panic::AssertUnwindSafe(|| waker.wake());
    assert!(std::panic::catch_unwind(wake).is_err());
    bell.0.store(false, Relaxed);
    run(&executor);
    assert!(slot.take().is_some(), "the task was woken all the same");
    drop(executor);
    assert_eq!(Arc::strong_count(&bell), 1);
}
